"""Assess a denoised image from Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...denoising.dask_stack import DaskPlanes, as_dask, is_lazy
from ...denoising.denoiser import Denoiser
from ...denoising.options import DenoiseOptions, shows_options
from ...image.axes import count_colors, resolve_axes
from ...image.checks import require_finite, require_real
from ...image.masks import fill_masked
from ...image.planes import ArrayPlanes
from ...models.builtin import DEFAULT_MODEL
from ...models.devices import choose_device
from ...models.load import load_fitting
from .assessment import Assessment, AssessOptions
from .others import Others
from .windows import SAMPLE, channels_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Unpack

    from numpy.typing import ArrayLike

    from ...denoising.options import DenoiseKeywords
    from ...image.planes import Planes
    from ...models.checkpoint import Checkpoint
    from .report import TrustReport


@shows_options
def assess(
    image: ArrayLike,
    denoised: ArrayLike,
    *,
    model: str | Path | Checkpoint = DEFAULT_MODEL,
    clean: ArrayLike | None = None,
    repeats: Sequence[ArrayLike] = (),
    scope: str = SAMPLE,
    data_range: tuple[float, float] | None = None,
    pixel_size: tuple[float, str] | None = None,
    **options: Unpack[DenoiseKeywords],
) -> TrustReport | tuple[TrustReport, ...]:
    """Report how far a denoised image can be trusted, without a clean one.

    Parameters
    ----------
    image : array_like, dask.array.Array or zarr.Array
        The image as it was denoised.
    denoised : array_like, dask.array.Array or zarr.Array
        The result of ``denoise(image, model=model, **options)``, same shape.
    model : str, path or Checkpoint
        The model that made it.
    clean : array_like, optional
        The clean image, if it is known, same shape.
    repeats : sequence of array_like
        Other noisy images of the same field, same shape. From two on, they give the
        error of the result without any assumption on the noise.
    scope : str
        ``"sample"`` looks at the first, the middle and the last plane, and at most at
        a million pixels, in windows of 256 x 256 pixels. ``"all"`` looks at all.
    data_range : tuple of float, optional
        Lowest and highest intensity that a clean image can have, for the PSNR. None
        means 0 to 255 for uint8, else percentiles 0.1 and 99.9 of the result.
    pixel_size : tuple, optional
        Size of a pixel along X and its unit, such as ``(0.1, "µm")``. None reports in
        pixels.
    **options
        The options that it was denoised with, see `denoise`.

    Returns
    -------
    TrustReport or tuple of TrustReport
        The report, or that of each channel if there is an axis C.

    Raises
    ------
    InvalidInputError
        If the shapes differ, or the images or an option cannot be used.

    Notes
    -----
    The model is run seven times on the windows that are looked at: on the same pixels,
    on pixels that were changed by a tenth of the noise [1]_, and on one of two parts
    with independent noise [2]_. How reliable the figures are is measured by
    ``benchmarks/trust.py``. Nothing here finds structure that a model invented in a
    place where the image has only noise.

    References
    ----------
    .. [1] Ramani, Blu and Unser, Monte-Carlo SURE: a black-box optimization of
       regularization parameters for general denoising algorithms, 2008,
       :doi:`10.1109/TIP.2008.2001404`.
    .. [2] Oliveira, Lei and Tibshirani, Unbiased risk estimation in the normal means
       problem via coupled bootstrap techniques, 2021, arXiv:2111.09447.

    Examples
    --------
    >>> from skimage.data import camera
    >>> from napari_denoise_ae import add_noise, assess, denoise
    >>> clean = camera()[64:224, 128:288] / 255
    >>> noisy = add_noise(clean, "gaussian:0.1,unclipped", rng=0)
    >>> assess(noisy, denoise(noisy)).light
    'fine'
    """
    chosen = DenoiseOptions(**options)
    choice = AssessOptions(scope=scope, data_range=data_range, pixel_size=pixel_size)
    planes = as_planes(image, chosen.axes)
    axes = chosen.axes
    checkpoint = load_fitting(model, planes.shape[-1])
    denoiser = Denoiser(checkpoint, choose_device(chosen.device), chosen.precision)
    others = Others(
        None if clean is None else as_planes(clean, axes),
        [as_planes(repeat, axes) for repeat in repeats],
    )
    reports = []
    channels = channels_of(planes)
    for channel in channels:
        run = Assessment(
            planes,
            as_planes(denoised, axes),
            denoiser,
            chosen,
            choice=choice,
            channel=channel,
            others=others,
        )
        for _ in run:
            pass
        reports.append(run.report)
    return reports[0] if channels == [None] else tuple(reports)


def as_planes(image: Any, axes: str | None) -> Planes:
    """View an array, in memory or lazy, as planes.

    Raises
    ------
    InvalidInputError
        If it is not real, or has infinite values.
    """
    if is_lazy(image):
        return DaskPlanes.of(as_dask(image), axes)
    array = fill_masked(image)
    require_real(array.dtype, array.shape)
    require_finite(array)
    count_colors(array.shape, axes)
    return ArrayPlanes.of(array, resolve_axes(array.shape, axes))
