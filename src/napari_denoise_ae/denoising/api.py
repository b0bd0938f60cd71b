"""Denoising an array with a checkpoint: array in, array of the same kind out."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from ..errors import DenoiseAEWarning
from ..image.axes import count_colors, with_channel_axis
from ..image.checks import require_real
from ..image.masks import fill_masked, restore_mask
from ..models.builtin import DEFAULT_MODEL
from ..models.devices import choose_device
from ..models.load import load_fitting
from .array import Denoising
from .dask_array import denoise_lazily
from .dask_stack import as_dask, is_lazy
from .denoiser import Denoiser
from .labeled import axes_of, is_labeled, labeled_as, pixels_of
from .options import DenoiseOptions, shows_options

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Unpack

    from dask.array import Array
    from numpy.typing import ArrayLike, NDArray

    from ..models.checkpoint import Checkpoint
    from .options import DenoiseKeywords


@overload
def denoise(
    image: Array,
    *,
    model: str | Path | Checkpoint = ...,
    channel_axis: int | None = ...,
    **options: Unpack[DenoiseKeywords],
) -> Array: ...


@overload
def denoise(
    image: ArrayLike,
    *,
    model: str | Path | Checkpoint = ...,
    channel_axis: int | None = ...,
    **options: Unpack[DenoiseKeywords],
) -> NDArray[Any]: ...


@shows_options
def denoise(
    image: ArrayLike | Array,
    *,
    model: str | Path | Checkpoint = DEFAULT_MODEL,
    channel_axis: int | None = None,
    **options: Unpack[DenoiseKeywords],
) -> NDArray[Any] | Array:
    """Denoise an image or a stack of images.

    Parameters
    ----------
    image : array_like, dask.array.Array, zarr.Array, h5py.Dataset or xarray.DataArray
        Integers or floating-point numbers, of any shape that `axes` explains.
        Never changed. An alpha channel is kept, NaN stays NaN, and masked
        pixels of a `numpy.ma.MaskedArray` stay masked and unchanged. Dask, Zarr
        and h5py arrays are read only when the result is computed. The dimensions
        of a DataArray are its axes, if they have names such as ``"time"``.
    model : str, path or Checkpoint
        A built-in model's name, the file of a model, or a loaded checkpoint; see
        `load_checkpoint`.
        ``"auto"`` takes the built-in ``"rgb"`` for color images and ``"gray"``
        for all others, channel by channel. Both suit any noise level.
    channel_axis : int, optional
        The dimension that holds channels, from the end if negative, as in
        scikit-image; instead of `axes`. Channels are color if they are the last
        dimension and there are 3 or 4; others are denoised one by one. The other
        dimensions are (Y, X), (Z, Y, X) or (T, Z, Y, X).
    sigma : float, optional
        Standard deviation of Gaussian noise in the image's units, for models
        that take a noise level. None measures the noise, see `measure_noise`.
    correlation : tuple of float, optional
        Correlation of the noise of neighboring pixels along X and Y, 0 to
        0.95. None measures it; if sigma is given, None means independent.
    noise_type : str, NoiseEstimate or tuple of NoiseEstimate
        ``"auto"`` measures the kind of noise, too. ``"gaussian"`` noise has
        the same level everywhere. ``"poisson-gaussian"`` noise, that of photon
        counts and cameras, grows with the intensity, and is stabilized before
        it is removed [1]_. What `measure_noise` returns is used as it is.
    strength : float
        Noise level multiplier, 0 to 10, for models that take a noise level:
        less than 1 keeps some of the noise, and 0 all of it.
    replace_hot_pixels : bool
        Hot and dead pixels are never shown to models that take a noise level.
        True replaces them in the result, too; False keeps them unchanged.
    axes : str, optional
        One letter for each dimension: Y and X, S for color, and T, Z or C
        for stacks, whose planes are denoised one by one. None means ``"YX"``
        for two dimensions and ``"YXS"`` for (Y, X, 3) and (Y, X, 4).
    intensity_range : tuple of float, optional
        ``(low, high)`` in the image's units: the intensities that the network
        sees as 0 and 1; or one such pair for each channel C. None means 0 to
        255 for uint8, else the lowest and highest value of each channel C.
        Values outside the range are kept: the network sees them clipped, and
        the excess is added to the result. Has no effect on models that take a
        noise level, which suit any intensities.
    range_of : str
        ``"stack"`` measures one intensity range or noise level for all times
        and depths, so that nothing flickers. ``"image"`` measures one for each
        plane, unless the range is given or that of uint8.
    frames : int
        Number of neighboring frames on each side, 0 to 8, with which each frame is
        averaged before it is denoised, for models that take a noise level.
        Frames are neighbors along T, or along Z without T. Where something moves,
        they are averaged little or not at all. 0 denoises frame by frame.
    dtype : str
        Dtype of the result. ``"input"`` keeps that of `image`: integers are
        rounded and saturated. ``"float32"`` does neither, which matters for
        images of few photons or gray levels.
    device : str
        ``"auto"`` (CUDA, else MPS, else CPU) or one of torch's names.
    precision : str
        ``"fast"`` lets the network compute in bfloat16 or TF32 where the device has
        instructions for it and the noise is strong enough to hide the rounding: the
        PSNR changes by less than 0.02 dB on average. ``"float32"`` always computes in
        float32.
    tile_size : int, optional
        Rows and columns that are computed at once. None takes as many as fit
        into the free memory of the device. Does not change the result.

    Returns
    -------
    numpy.ndarray or dask.array.Array
        Shape of `image`, and its dtype or that of `dtype`. A DataArray gives a
        DataArray with the same coordinates. Dask, Zarr and h5py
        arrays give a dask array, without warnings about the noise; for a
        model that takes no noise level they need `intensity_range`, unless
        they are uint8.

    Warns
    -----
    DenoiseAEWarning
        If the model may not fit the image: other noise than it was trained
        on, or a color model for a gray image. If the device runs out of
        memory: the run continues with smaller tiles, or on the CPU.

    Raises
    ------
    InvalidInputError
        If the image or an option cannot be used, or a noise setting is given
        to a model that takes no noise level.
    CheckpointError
        If the model cannot be loaded.
    DeviceError
        If the device does not exist, or the CPU runs out of memory.

    Notes
    -----
    A model trained for one noise level degrades images with much less noise,
    hence the warning.

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
    if is_labeled(image):
        if options.get("axes") is None and channel_axis is None:
            options["axes"] = axes_of(image)
        given: Any = options | {"model": model, "channel_axis": channel_axis}
        return labeled_as(image, denoise(pixels_of(image), **given))  # type: ignore[no-any-return]
    chosen = DenoiseOptions(**options)
    array: Any = as_dask(image) if is_lazy(image) else fill_masked(image)
    require_real(array.dtype, array.shape)
    axes = with_channel_axis(array.shape, chosen.axes, channel_axis)
    chosen = replace(chosen, axes=axes)
    checkpoint = load_fitting(model, count_colors(array.shape, chosen.axes))
    if is_lazy(array):
        return denoise_lazily(array, checkpoint, chosen)
    device = choose_device(chosen.device)
    denoiser = Denoiser(checkpoint, device, chosen.precision)
    run = Denoising(array, denoiser, _with_range_of(image, chosen))
    for message in run.find_incompatibilities():
        warnings.warn(message, DenoiseAEWarning, stacklevel=2)
    for _ in run:
        pass
    for message in run.find_remaining_noise():
        warnings.warn(message, DenoiseAEWarning, stacklevel=2)
    if isinstance(image, np.ma.MaskedArray):
        return restore_mask(run.result, image, chosen.result_dtype(image.dtype))
    return run.result


def _with_range_of(image: Any, options: DenoiseOptions) -> DenoiseOptions:
    """Return options with the intensity range of a masked image of uint8.

    Its pixels are no longer uint8 when they are denoised.
    """
    is_masked = np.ma.is_masked(image) and image.dtype == np.uint8
    if not is_masked or options.intensity_range is not None:
        return options
    return replace(options, intensity_range=(0.0, 255.0))
