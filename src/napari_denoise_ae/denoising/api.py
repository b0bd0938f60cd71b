"""Denoising an array with a checkpoint: array in, array of the same kind out."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

import numpy as np
import torch

from ..errors import DenoiseAEWarning, InvalidInputError
from ..image.axes import colour_planes, count_colours, resolve_axes
from ..image.intensity import cast_saturating, resolve_intensity_ranges
from ..models.builtin import DEFAULT_MODEL
from ..models.checkpoint import load_fitting
from ..models.devices import choose_device
from ..noise.normalization import (
    GAUSSIAN,
    NoiseSetting,
    find_all_misfits,
    resolve_scaling,
)
from ..noise.synthetic import parse_noise
from .dask_array import as_dask, denoise_lazily, is_lazy
from .denoiser import Denoiser, require_finite, require_fitting_channels, require_real

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from dask.array import Array
    from numpy.typing import ArrayLike, NDArray

    from ..image.intensity import GivenRange, IntensityRange, IntensityRanges
    from ..models.checkpoint import Checkpoint
    from ..noise.synthetic import NoiseModel


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Parameters
    ----------
    done, total : int
        Tiles that are finished, and tiles in all.
    """

    done: int
    total: int


class Denoising:
    """One array being denoised.

    Iterate over it to go on; `result` holds what has been reached, so that
    stopping early keeps the finished tiles.

    Parameters
    ----------
    image : numpy.ndarray
        See `denoise`.
    denoiser : Denoiser
        The model.
    axes, intensity_range, range_of, tile_size
        See `denoise`.
    region : tuple of slice, optional
        Rows and columns to denoise, as they come out of the whole plane; None
        means all.
    setting : NoiseSetting, optional
        What is known of the noise, for a model that takes its level.

    Attributes
    ----------
    result : numpy.ndarray
        Shape and dtype of `image`; a copy of it where no tile is finished.
    axes : str
        The axes that were taken.
    intensity_ranges : IntensityRanges
        The intensities that were mapped to 0 and 1, for each plane; a
        `NoiseScaling` for a model that takes a noise level.
    planes_done : int
        Planes that are finished.

    Raises
    ------
    InvalidInputError
        If the image, its axes or the settings cannot be used.
    """

    def __init__(
        self,
        image: NDArray[Any],
        denoiser: Denoiser,
        *,
        axes: str | None = None,
        intensity_range: GivenRange | None = None,
        range_of: str = "stack",
        tile_size: int | None = None,
        region: tuple[slice, slice] | None = None,
        setting: NoiseSetting | None = None,
    ) -> None:
        require_image(image)
        self.axes = resolve_axes(image.shape, axes)
        self.result = image.copy()
        self._source = colour_planes(image, self.axes)
        self._target = colour_planes(self.result, self.axes)
        self._denoiser, self._setting = denoiser, setting or NoiseSetting()
        require_fitting_channels(
            self._source.shape[-1], denoiser.network, denoiser.checkpoint.name
        )
        self.intensity_ranges = resolve_scaling(
            self._source,
            self.axes,
            denoiser.checkpoint,
            intensity_range,
            range_of=range_of,
            setting=self._setting,
        )
        self._tiles = denoiser.plan_tiles(
            self._source.shape[-3:-1], tile_size=tile_size, region=region
        )
        self.planes_done = 0

    def __iter__(self) -> Iterator[Progress]:
        planes = list(np.ndindex(self._source.shape[:-3]))
        total = len(planes) * len(self._tiles)
        done = 0
        for plane in planes:
            scale = self.intensity_ranges.of(plane)
            for tile in self._tiles:
                self._denoiser.denoise_tile(
                    self._source[plane], self._target[plane], tile, scale
                )
                done += 1
                self.planes_done = done // len(self._tiles)
                yield Progress(done, total)

    @property
    def intensity_range(self) -> IntensityRange:
        """The intensities that were mapped to 0 and 1, of all planes together."""
        return self.intensity_ranges.hull

    def misfits(self) -> list[str]:
        """Say, in words for a user, what may make the result not what was meant."""
        return find_all_misfits(
            self._source, self._denoiser, self.intensity_ranges, self._setting
        )


@overload
def denoise(
    image: Array,
    *,
    model: str | Path | Checkpoint = ...,
    sigma: float | None = ...,
    noise: str = ...,
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
    noise: str = ...,
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
    noise: str = GAUSSIAN,
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
        ``"auto"``: the built-in ``"rgb"`` for colour images, ``"gray"`` for
        all others, channel by channel. They suit any noise level.
    sigma : float, optional
        Standard deviation of the noise in the image's units, for models that
        take it. None means that it is estimated from the image.
    noise : str
        ``"gaussian"``: noise of one level everywhere. ``"poisson-gaussian"``:
        photon counts and cameras, whose noise grows with the intensity; gain
        and read noise are estimated from the image, and the noise is
        stabilized before it is removed [1]_.
    strength : float
        How many times the noise level the model is told, 0 to 10: less than 1
        keeps some of the noise, and 0 all of it.
    axes : str, optional
        One letter for each dimension: Y and X, S for colour, and T, Z or C
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
        on, or a colour model for a grey image. If the device runs out of
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
    setting = NoiseSetting(sigma=sigma, noise=noise, strength=strength)
    array: Any = as_dask(image) if is_lazy(image) else np.asarray(image)
    require_real(array.dtype, array.shape)
    checkpoint = load_fitting(model, count_colours(array.shape, axes))
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


def add_noise(
    image: ArrayLike,
    noise: str | NoiseModel,
    *,
    rng: int = 0,
    axes: str | None = None,
    intensity_range: GivenRange | None = None,
) -> NDArray[Any]:
    """Add noise to a clean image or a stack of them.

    Parameters
    ----------
    image : array_like
        Integers or floating-point numbers; never changed. An alpha channel is
        kept as it is.
    noise : str or NoiseModel
        For example ``"gaussian:0.1"``; amounts are fractions of the range.
    rng : int
        Seed; the same seed gives the same noise.
    axes : str, optional
        See `denoise`.
    intensity_range : tuple of float, optional
        ``(low, high)`` in the image's units, see `denoise`.

    Returns
    -------
    numpy.ndarray
        Shape and dtype of `image`. Integers are rounded and saturated, so
        that even unclipped noise is cut at the limits of an integer type.

    Raises
    ------
    InvalidInputError
        If the image, its axes, the noise or the range cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> add_noise(np.full((2, 2), 100, dtype=np.uint8), "gaussian:0.1", rng=1)
    array([[117, 107],
           [102, 116]], dtype=uint8)
    """
    array = np.asarray(image)
    require_image(array)
    model = noise if hasattr(noise, "apply") else parse_noise(noise)
    noisy = array.copy()
    resolved = resolve_axes(array.shape, axes)
    planes = colour_planes(noisy, resolved)
    ranges = resolve_intensity_ranges(planes, resolved, intensity_range)
    _require_width(ranges)
    indices = list(np.ndindex(planes.shape[:-3]))
    clean = np.stack([ranges.of(index).to_unit(planes[index]) for index in indices])
    missing = np.isnan(clean)
    clean[missing] = 0.5  # not every noise can be drawn for NaN
    images = torch.from_numpy(clean)
    unit = model.apply(images, _seeded_generator(rng), channel_axis=-1).numpy()
    unit[missing] = np.nan
    for index, plane in zip(indices, unit, strict=True):
        values = ranges.of(index).from_unit(plane)
        planes[index] = cast_saturating(values, array.dtype)
    return noisy


def _require_width(ranges: IntensityRanges) -> None:
    for scale in ranges.ranges:
        if scale.width == 0:
            raise InvalidInputError(
                f"The image is constant ({scale.low:g}), so the range that the noise "
                "is a fraction of is not known. Give it as intensity_range."
            )


def _seeded_generator(rng: int) -> torch.Generator:
    if not isinstance(rng, int) or not 0 <= rng < 2**63:
        raise InvalidInputError(
            f"A seed must be an integer from 0 to 2**63 - 1, got {rng!r}."
        )
    return torch.Generator().manual_seed(rng)


def require_image(image: NDArray[Any]) -> None:
    """Raise unless an array can be denoised.

    Raises
    ------
    InvalidInputError
        If it is empty, no real numbers, or not finite.
    """
    require_real(image.dtype, image.shape)
    require_finite(image)
    if np.issubdtype(image.dtype, np.floating) and np.isnan(image).all():
        raise InvalidInputError("The image has nothing but NaN.")
