"""Denoising an array with a checkpoint: array in, array of the same kind out."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from .axes import colour_planes, resolve_axes
from .blending import run_network
from .builtin import DEFAULT_MODEL
from .checkpoint import Checkpoint, load_checkpoint
from .devices import choose_device
from .errors import DenoiseAEWarning, DeviceError, InvalidInputError
from .intensity import cast_saturating, resolve_intensity_range
from .metrics import estimate_noise
from .noise import parse_noise
from .tiling import DEFAULT_TILE_SIZE, plan_tiles

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

    from .checkpoint import TrainingRecord
    from .devices import DeviceChoice
    from .intensity import IntensityRange
    from .noise import NoiseModel
    from .tiling import Tile

# A model is said to fit where the image's noise is at most this many times
# less or more than that of the images it was trained on.
_NOISE_TOLERANCE = 1.5
# Planes on which the noise of a stack is measured: first, middle and last.
_N_NOISE_PLANES = 3


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


class Denoiser:
    """A model that is ready on its device, for one image after another.

    Parameters
    ----------
    checkpoint : Checkpoint
        The model.
    device : DeviceChoice
        Where to compute.
    """

    def __init__(self, checkpoint: Checkpoint, device: DeviceChoice) -> None:
        self.checkpoint = checkpoint
        self.device = device
        self.network = checkpoint.build(device.device)

    def run_network(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network on images of any size.

        Parameters
        ----------
        batch : numpy.ndarray
            (N, channels, Y, X), range [0, 1]. Images whose sides are no
            multiples of the network's stride, or shorter than its image size,
            are mirrored at their end.

        Returns
        -------
        numpy.ndarray
            The same shape.

        Raises
        ------
        DeviceError
            If the device runs out of memory.
        """
        height, width = batch.shape[-2:]
        missing = [(0, self._padded(length) - length) for length in (height, width)]
        padded = np.pad(batch, [(0, 0), (0, 0), *missing], mode="reflect")
        try:
            with torch.inference_mode():
                tensor = torch.from_numpy(padded).to(self.device.device)
                output = run_network(self.network, tensor).cpu().numpy()
        except torch.OutOfMemoryError as error:
            raise DeviceError(
                f"The device {self.device} ran out of memory on a tile of {height} x "
                f"{width} pixels. Use a smaller tile_size, or device='cpu'."
            ) from error
        result: NDArray[np.float32] = output[..., :height, :width]
        return result

    def _padded(self, length: int) -> int:
        """Return the next length of a side that can be computed."""
        stride = self.network.stride
        return max(length + -length % stride, self.network.image_size or 0)


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
    axes, intensity_range, tile_size
        See `denoise`.
    region : tuple of slice, optional
        Rows and columns to denoise, as they come out of the whole plane; None
        means all. Give `intensity_range` with it if several regions are to fit
        together.

    Attributes
    ----------
    result : numpy.ndarray
        Shape and dtype of `image`; a copy of it where no tile is finished.
    axes : str
        The axes that were taken.
    intensity_range : IntensityRange
        The intensities that were mapped to 0 and 1.
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
        intensity_range: tuple[float, float] | IntensityRange | None = None,
        tile_size: int = DEFAULT_TILE_SIZE,
        region: tuple[slice, slice] | None = None,
    ) -> None:
        require_image(image)
        self.axes = resolve_axes(image.shape, axes)
        self.result = image.copy()
        self._source = colour_planes(image, self.axes)
        self._target = colour_planes(self.result, self.axes)
        self.intensity_range = resolve_intensity_range(self._source, intensity_range)
        self._denoiser = denoiser
        self._require_fitting_channels()
        self._tiles = plan_tiles(
            self._source.shape[-3:-1],
            tile_size=tile_size,
            radius=denoiser.network.receptive_field_radius,
            stride=denoiser.network.stride,
            region=region,
        )
        self.planes_done = 0

    def __iter__(self) -> Iterator[Progress]:
        planes = list(np.ndindex(self._source.shape[:-3]))
        total = len(planes) * len(self._tiles)
        done = 0
        for plane in planes:
            for tile in self._tiles:
                self._denoise_tile(self._source[plane], self._target[plane], tile)
                done += 1
                self.planes_done = done // len(self._tiles)
                yield Progress(done, total)

    def misfits(self) -> list[str]:
        """Say, in words for a user, what may make the result not what was meant."""
        return find_misfits(self._source, self._denoiser, self.intensity_range)

    def _require_fitting_channels(self) -> None:
        channels, wanted = self._source.shape[-1], self._denoiser.network.in_channels
        # A grey image is repeated; a grey model takes colours one by one.
        if channels not in (1, wanted) and wanted != 1:
            raise InvalidInputError(
                f"The model {self._denoiser.checkpoint.name!r} is for images with "
                f"{wanted} channels, and this one has {channels}. Choose another model."
            )

    def _denoise_tile(
        self, source: NDArray[Any], target: NDArray[Any], tile: Tile
    ) -> None:
        block = source[tile.read]  # (Y, X, channels)
        unit = self.intensity_range.to_unit(block)
        missing = np.isnan(unit)
        # The middle of the range, so that what is missing has no colour.
        unit[missing] = 0.5
        within = np.clip(unit, 0.0, 1.0)
        # What lies outside the range is not shown to the network, nor lost.
        denoised = self._apply_network(within) + (unit - within)
        denoised[missing] = np.nan
        values = self.intensity_range.from_unit(denoised[tile.keep])
        target[tile.write] = cast_saturating(values, target.dtype)

    def _apply_network(self, unit: NDArray[np.float64]) -> NDArray[np.float64]:
        """Denoise (Y, X, channels) in [0, 1], whatever the network's channels."""
        channels, wanted = unit.shape[-1], self._denoiser.network.in_channels
        batch = unit.astype(np.float32).transpose(2, 0, 1)[np.newaxis]  # (1, C, Y, X)
        if channels == 1:
            batch = np.repeat(batch, wanted, axis=1)
        elif wanted == 1:
            batch = batch.transpose(1, 0, 2, 3)  # each colour by itself
        output = self._denoiser.run_network(batch)
        output = output.reshape(-1, *output.shape[-2:]).transpose(1, 2, 0)
        if channels == 1:
            output = output.mean(axis=-1, keepdims=True)
        return output.astype(np.float64)


def noise_planes(planes: NDArray[Any]) -> NDArray[Any]:
    """Return the planes of a stack on which its noise is measured.

    Parameters
    ----------
    planes : numpy.ndarray
        (..., Y, X, channels), see `colour_planes`.

    Returns
    -------
    numpy.ndarray
        At most three of them, (N, Y, X, channels).
    """
    indices = list(np.ndindex(planes.shape[:-3]))
    chosen = np.linspace(0, len(indices) - 1, _N_NOISE_PLANES).astype(int)
    return np.stack([planes[indices[index]] for index in np.unique(chosen)])


def relative_noise(planes: NDArray[Any], scale: IntensityRange) -> float:
    """Estimate the noise of an image or a stack, relative to its intensity range.

    Parameters
    ----------
    planes : numpy.ndarray
        (..., Y, X, channels), see `colour_planes`; of a stack the first, the
        middle and the last plane are looked at.
    scale : IntensityRange
        Its intensity range.

    Returns
    -------
    float
        Standard deviation as a fraction of the range, see `estimate_noise`;
        NaN where it cannot be estimated.
    """
    estimates = [
        estimate_noise(plane, channel_axis=-1) for plane in noise_planes(planes)
    ]
    usable = [estimate for estimate in estimates if not math.isnan(estimate)]
    return (
        float(np.median(usable)) / scale.width if usable and scale.width else math.nan
    )


def find_misfits(
    planes: NDArray[Any], denoiser: Denoiser, scale: IntensityRange
) -> list[str]:
    """Say, in words for a user, why a model may not fit an image or a stack.

    Parameters
    ----------
    planes : numpy.ndarray
        (..., Y, X, channels), see `colour_planes`.
    denoiser : Denoiser
        The model.
    scale : IntensityRange
        The image's intensity range.

    Returns
    -------
    list of str
        Empty where the model fits.
    """
    found = []
    name, record = denoiser.checkpoint.name, denoiser.checkpoint.record
    if planes.shape[-1] < denoiser.network.in_channels:
        found.append(
            f"The model {name!r} is for colour images and this one is grey: it is "
            "denoised as a colour image of three equal channels, and their mean is "
            "taken."
        )
    if record is not None:
        found += find_noise_misfit(relative_noise(planes, scale), record, name)
    return found


def find_noise_misfit(
    estimate: float,
    record: TrainingRecord,
    name: str,
    *,
    several: bool = False,
) -> list[str]:
    """Compare the noise of images with what the same estimate gave in training.

    Parameters
    ----------
    estimate : float
        See `relative_noise`.
    record : TrainingRecord
        How the model was trained.
    name : str
        The model's name.
    several : bool
        Whether to speak of several images.

    Returns
    -------
    list of str
        One message for a user, or none where the model fits.
    """
    low, typical, high = record.noise_estimate
    if low / _NOISE_TOLERANCE <= estimate <= high * _NOISE_TOLERANCE:
        return []
    if math.isnan(estimate) or math.isnan(typical):
        return []
    looks, its, ones, them = "This image looks", "its", "this one's", "the image"
    if several:
        looks, its, ones, them = "These images look", "their", "theirs", "the images"
    less, consequence = "less", f"It will probably blur {them}"
    if estimate > high:
        less, consequence = "more", "It will probably leave much of the noise"
    return [
        f"{looks} much {less} noisy (estimated sigma {estimate:.1%} of {its} "
        f"intensity range) than what the model {name!r} was trained on "
        f"({typical:.0%}, {record.config.noise}). {consequence}. Use a model that was "
        f"trained for noise like {ones}."
    ]


def denoise(
    image: ArrayLike,
    *,
    model: str | Path | Checkpoint = DEFAULT_MODEL,
    axes: str | None = None,
    intensity_range: tuple[float, float] | None = None,
    device: str = "auto",
    tile_size: int = DEFAULT_TILE_SIZE,
) -> NDArray[Any]:
    """Denoise an image or a stack of images.

    Parameters
    ----------
    image : array_like
        Integers or floating-point numbers, any shape that `axes` explains.
        Never changed. An alpha channel is kept as it is, NaN stays NaN.
    model : str, path or Checkpoint
        A built-in model's name, a checkpoint file, or a loaded checkpoint.
    axes : str, optional
        One letter for each dimension: Y and X, S for colour, and T, Z or C
        for stacks, whose planes are denoised one by one. None means ``"YX"``
        for two dimensions and ``"YXS"`` for (Y, X, 3) and (Y, X, 4).
    intensity_range : tuple of float, optional
        ``(low, high)`` in the image's units: what the network sees as 0 and
        1. None means 0 to 255 for uint8, else the lowest and highest value.
        What lies outside is kept: by how much a value exceeds the range is
        added to the result again.
    device : str
        ``"auto"`` (CUDA, else MPS, else CPU) or one of torch's names.
    tile_size : int
        Rows and columns that are computed at once. Changes the memory that is
        needed, not the result.

    Returns
    -------
    numpy.ndarray
        Shape and dtype of `image`. Integers are rounded and saturated.

    Warns
    -----
    DenoiseAEWarning
        If the model does not fit the image: other noise than it was trained
        on, or a colour model for a grey image.

    Raises
    ------
    InvalidInputError
        If the image, its axes or the range cannot be used.
    CheckpointError
        If the model cannot be loaded.
    DeviceError
        If the device is not there, or runs out of memory.

    Notes
    -----
    An autoencoder trained for one noise level makes images with much less
    noise worse, hence the warning.

    Examples
    --------
    >>> from skimage.data import astronaut
    >>> from napari_denoise_ae import add_noise, denoise, psnr
    >>> clean = astronaut()
    >>> noisy = add_noise(clean, "gaussian:0.5", rng=0)
    >>> denoised = denoise(noisy, model="conv")
    >>> psnr(clean, denoised, data_range=255) > psnr(clean, noisy, data_range=255)
    True
    """
    checkpoint = model if isinstance(model, Checkpoint) else load_checkpoint(model)
    run = Denoising(
        np.asarray(image),
        Denoiser(checkpoint, choose_device(device)),
        axes=axes,
        intensity_range=intensity_range,
        tile_size=tile_size,
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
    intensity_range: tuple[float, float] | IntensityRange | None = None,
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
    planes = colour_planes(noisy, resolve_axes(array.shape, axes))
    scale = resolve_intensity_range(planes, intensity_range)
    if scale.width == 0:
        raise InvalidInputError(
            f"The image is constant ({scale.low:g}), so the range that the noise is a "
            "fraction of is not known. Give it as intensity_range."
        )
    clean = scale.to_unit(planes)
    missing = np.isnan(clean)
    clean[missing] = 0.5  # not every noise can be drawn for NaN
    images = torch.from_numpy(clean.reshape(-1, *clean.shape[-3:]))
    unit = model.apply(images, _seeded_generator(rng), channel_axis=-1).numpy()
    unit = unit.reshape(clean.shape)
    unit[missing] = np.nan
    planes[...] = cast_saturating(scale.from_unit(unit), array.dtype)
    return noisy


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
    real = np.issubdtype(image.dtype, np.integer)
    real = real or np.issubdtype(image.dtype, np.floating)
    if not real:
        hint = " Masks and labels have no noise." if image.dtype == bool else ""
        raise InvalidInputError(
            "An image must be made of integers or floating-point numbers, got "
            f"{image.dtype}.{hint}"
        )
    if image.size == 0:
        raise InvalidInputError(f"The image is empty: its shape is {image.shape}.")
    if np.isinf(image).any():
        raise InvalidInputError(
            "The image has infinite values. Replace them, for example with "
            "numpy.nan, which is left as it is."
        )
    if np.isnan(image).all():
        raise InvalidInputError("The image has nothing but NaN.")
