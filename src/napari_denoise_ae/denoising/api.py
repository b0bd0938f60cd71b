"""Denoising an array with a checkpoint: array in, array of the same kind out."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from ..errors import DenoiseAEWarning
from ..image.axes import count_colors
from ..image.checks import require_real
from ..models.builtin import DEFAULT_MODEL
from ..models.devices import choose_device
from ..models.load import load_fitting
from ..noise.setting import GAUSSIAN, NoiseSetting
from .array import Denoising
from .dask_array import denoise_lazily
from .dask_stack import as_dask, is_lazy
from .denoiser import Denoiser

if TYPE_CHECKING:
    from pathlib import Path

    from dask.array import Array
    from numpy.typing import ArrayLike, NDArray

    from ..image.intensity import GivenRange
    from ..models.checkpoint import Checkpoint


@overload
def denoise(
    image: Array,
    *,
    model: str | Path | Checkpoint = ...,
    sigma: float | None = ...,
    noise_type: str = ...,
    strength: float = ...,
    axes: str | None = ...,
    intensity_range: GivenRange | None = ...,
    range_of: str = ...,
    device: str = ...,
    tile_size: int | None = ...,
) -> Array: ...


@overload
def denoise(
    image: ArrayLike,
    *,
    model: str | Path | Checkpoint = ...,
    sigma: float | None = ...,
    noise_type: str = ...,
    strength: float = ...,
    axes: str | None = ...,
    intensity_range: GivenRange | None = ...,
    range_of: str = ...,
    device: str = ...,
    tile_size: int | None = ...,
) -> NDArray[Any]: ...


def denoise(  # noqa: PLR0913 - what users may say, by name
    image: ArrayLike | Array,
    *,
    model: str | Path | Checkpoint = DEFAULT_MODEL,
    sigma: float | None = None,
    noise_type: str = GAUSSIAN,
    strength: float = 1.0,
    axes: str | None = None,
    intensity_range: GivenRange | None = None,
    range_of: str = "stack",
    device: str = "auto",
    tile_size: int | None = None,
) -> NDArray[Any] | Array:
    """Denoise an image or a stack of images.

    Parameters
    ----------
    image : array_like, dask.array.Array or zarr.Array
        Integers or floating-point numbers, any shape that `axes` explains.
        Never changed. An alpha channel is kept as it is, NaN stays NaN. Of a
        dask or Zarr array nothing is read before the result is computed.
    model : str, path or Checkpoint
        A built-in model's name, a checkpoint file, or a loaded checkpoint.
        ``"auto"``: the built-in ``"rgb"`` for color images, ``"gray"`` for
        all others, channel by channel. They suit any noise level.
    sigma : float, optional
        Standard deviation of the noise in the image's units, for models that
        take it. None means that it is estimated from the image.
    noise_type : str
        ``"gaussian"``: noise of one level everywhere. ``"poisson-gaussian"``:
        photon counts and cameras, whose noise grows with the intensity; gain
        and read noise are estimated from the image, and the noise is
        stabilized before it is removed [1]_.
    strength : float
        How many times the noise level the model is told, 0 to 10: less than 1
        keeps some of the noise, and 0 all of it.
    axes : str, optional
        One letter for each dimension: Y and X, S for color, and T, Z or C
        for stacks, whose planes are denoised one by one. None means ``"YX"``
        for two dimensions and ``"YXS"`` for (Y, X, 3) and (Y, X, 4).
    intensity_range : tuple of float, optional
        ``(low, high)`` in the image's units: what the network sees as 0 and
        1; or one such pair for each channel C. None means 0 to 255 for uint8,
        else the lowest and highest value, of each channel C by itself. What
        lies outside is kept: by how much a value exceeds the range is added
        to the result again. Without effect on models that take a noise level:
        they suit any intensities.
    range_of : str
        ``"stack"``: one range, or noise level, for all times and depths, so
        that nothing flickers. ``"image"``: where the range is not given and
        not that of uint8, each image has its own.
    device : str
        ``"auto"`` (CUDA, else MPS, else CPU) or one of torch's names.
    tile_size : int, optional
        Rows and columns that are computed at once; None means what fits into
        the memory that the device has free. Changes the memory that is
        needed, not the result.

    Returns
    -------
    numpy.ndarray or dask.array.Array
        Shape and dtype of `image`. Integers are rounded and saturated. A dask
        array for a dask or Zarr array, and without warnings of the noise; a
        model that takes no noise level then wants `intensity_range`, unless it
        is uint8.

    Warns
    -----
    DenoiseAEWarning
        If the model does not fit the image: other noise than it was trained
        on, or a color model for a gray image. If the device runs out of
        memory; then it goes on in smaller tiles, or on the CPU.

    Raises
    ------
    InvalidInputError
        If the image, its axes, the range or the noise cannot be used, or a
        noise level is given to a model that takes none.
    CheckpointError
        If the model cannot be loaded.
    DeviceError
        If the device is not there, or the CPU runs out of memory.

    Notes
    -----
    An autoencoder trained for one noise level makes images with much less
    noise worse, hence the warning.

    References
    ----------
    .. [1] Mäkitalo and Foi, Optimal inversion of the generalized Anscombe
       transformation for Poisson-Gaussian noise, 2013,
       :doi:`10.1109/TIP.2012.2202675`.

    Examples
    --------
    >>> from skimage.data import astronaut
    >>> from napari_denoise_ae import add_noise, denoise, psnr
    >>> clean = astronaut()
    >>> noisy = add_noise(clean, "gaussian:0.1", rng=0)
    >>> denoised = denoise(noisy)
    >>> psnr(clean, denoised, data_range=255) - psnr(clean, noisy, data_range=255) > 8
    True
    """
    setting = NoiseSetting(sigma=sigma, noise_type=noise_type, strength=strength)
    array: Any = as_dask(image) if is_lazy(image) else np.asarray(image)
    require_real(array.dtype, array.shape)
    checkpoint = load_fitting(model, count_colors(array.shape, axes))
    if is_lazy(array):
        return denoise_lazily(
            array,
            checkpoint,
            setting=setting,
            axes=axes,
            intensity_range=intensity_range,
            range_of=range_of,
            device=device,
            tile_size=tile_size,
        )
    run = Denoising(
        array,
        Denoiser(checkpoint, choose_device(device)),
        axes=axes,
        intensity_range=intensity_range,
        range_of=range_of,
        tile_size=tile_size,
        setting=setting,
    )
    for message in run.misfits():
        warnings.warn(message, DenoiseAEWarning, stacklevel=2)
    for _ in run:
        pass
    return run.result
