"""Pairs of a noisy and a clean image, to score methods on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError
from ..image.axes import color_planes, middle_plane, resolve_axes
from ..image.checks import require_image
from ..image.ranges import resolve_intensity_range
from ..io.find import list_images
from ..io.images import read_image
from ..io.source import readable_suffixes
from ..noise.add import add_noise

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ..image.intensity import IntensityRange
    from ..io.images import ImageFile

_SMALLEST_SIDE = 16


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """A noisy image and the clean image it is scored against.

    Parameters
    ----------
    noisy, clean : numpy.ndarray
        (Y, X, channels), float64, of equal shape.
    input_range : IntensityRange
        Intensities that methods get as 0 and 1.
    data_range : IntensityRange
        Data range of PSNR and SSIM.
    clip : bool
        Whether to clip results to `data_range` before scoring, as is the
        convention for noise added to photographs.
    """

    noisy: NDArray[np.float64]
    clean: NDArray[np.float64]
    input_range: IntensityRange
    data_range: IntensityRange
    clip: bool


def noisy_pairs(
    images: Sequence[NDArray[Any]], noise: str, *, seed: int, limit: int | None = None
) -> list[Pair]:
    """Add noise to clean images, in floating point and without rounding.

    Parameters
    ----------
    images : sequence of numpy.ndarray
        (Y, X), (Y, X, 3), or (Y, X, 4); alpha is ignored.
    noise : str
        Noise to add, see `add_noise`.
    seed : int
        Random seed. The noise of image i is drawn with ``seed + i``.
    limit : int, optional
        Number of images, from the first on. None means all.

    Returns
    -------
    list of Pair
        One pair per image.

    Raises
    ------
    InvalidInputError
        If the noise or the limit is invalid, or an image is smaller than 16 x 16
        pixels, constant, or contains NaN.
    """
    if limit is not None and limit < 1:
        raise InvalidInputError(f"limit must be at least 1 image, got {limit}.")
    if len(images) == 0:
        raise InvalidInputError("Expected at least one image to evaluate on, got none.")
    pairs = []
    for index, image in enumerate(images[:limit]):
        _require_complete(image)
        planes = color_planes(image, resolve_axes(image.shape, None))
        scale = resolve_intensity_range(planes)
        clean = planes.astype(np.float64)
        noisy = add_noise(
            clean,
            noise,
            rng=seed + index,
            axes=plane_axes(clean),
            intensity_range=scale,
        )
        pairs.append(Pair(noisy, clean, scale, scale, clip=True))
    _require_usable(pairs)
    return pairs


def real_pairs(
    noisy: NDArray[Any],
    reference: NDArray[Any],
    data_range: tuple[float, float] | None,
) -> list[Pair]:
    """Pair noisy images with their reference, without adjusting their intensities.

    Parameters
    ----------
    noisy : numpy.ndarray
        Image with the shape of `reference`, or a stack of repeated acquisitions.
    reference : numpy.ndarray
        (Y, X), (Y, X, 3), or (Y, X, 4); alpha is ignored.
    data_range : tuple of float, optional
        ``(low, high)`` in the images' units. None means 0 to 255 for uint8,
        otherwise the lowest and highest value of `reference`.

    Returns
    -------
    list of Pair
        One pair per noisy image.

    Raises
    ------
    InvalidInputError
        If the shapes do not match, or an image is smaller than 16 x 16 pixels,
        constant, or contains NaN.
    """
    axes = "YXS" if reference.ndim == 3 and reference.shape[-1] in (3, 4) else "YX"
    if reference.ndim != len(axes) or reference.shape not in (
        noisy.shape,
        noisy.shape[1:],
    ):
        raise InvalidInputError(
            "The reference must be one image, (Y, X) or (Y, X, 3), and the noisy image "
            "must have the same shape or be a stack of such images; got a reference "
            f"of shape {reference.shape} and a noisy image of shape {noisy.shape}."
        )
    _require_complete(noisy)
    _require_complete(reference)
    clean = color_planes(reference, axes).astype(np.float64)
    scale = resolve_intensity_range(color_planes(reference, axes), data_range)
    pairs = []
    for repeat in noisy if noisy.ndim > reference.ndim else [noisy]:
        # As in real use, methods know nothing about the reference.
        planes = color_planes(repeat, axes)
        input_range = resolve_intensity_range(planes)
        pairs.append(
            Pair(planes.astype(np.float64), clean, input_range, scale, clip=False)
        )
    _require_usable(pairs)
    return pairs


def find_clean_images(folder: Path) -> list[Path]:
    """Return the images in a folder, sorted by name.

    Raises
    ------
    InvalidInputError
        If the folder does not exist or contains no images.
    """
    if not folder.is_dir():
        raise InvalidInputError(f"{folder} is not a folder.")
    paths = list_images(folder)
    if not paths:
        raise InvalidInputError(
            f"{folder} contains no images. Supported file types: "
            f"{', '.join(readable_suffixes())}."
        )
    return paths


def read_clean_image(path: Path) -> ImageFile:
    """Read an image whose pixels are (Y, X) or (Y, X, 3).

    Raises
    ------
    InvalidInputError
        If the file cannot be read, or contains a stack.
    """
    image = read_image(path)
    axes = resolve_axes(image.pixels.shape, image.axes)
    if not set(axes) <= set("YXS"):
        raise InvalidInputError(
            f"{path} is a stack (axes {axes}, shape {image.pixels.shape}); "
            "expected single images."
        )
    return replace(image, pixels=middle_plane(image.pixels, axes))


def plane_axes(plane: NDArray[Any]) -> str:
    """Return the axes of a (Y, X, channels) image: colors if it has 3 channels."""
    return "YXS" if plane.shape[-1] == 3 else "YXC"


def _require_complete(image: NDArray[Any]) -> None:
    require_image(image)
    if np.isnan(image).any():
        raise InvalidInputError(
            "The image contains NaN and cannot be scored. Crop it to a region "
            "without NaN."
        )


def _require_usable(pairs: Sequence[Pair]) -> None:
    for pair in pairs:
        if min(pair.clean.shape[:2]) < _SMALLEST_SIDE:
            raise InvalidInputError(
                f"Images to evaluate on must be at least {_SMALLEST_SIDE} pixels wide "
                f"and high, got shape {pair.clean.shape[:2]}."
            )
        if pair.data_range.width == 0:
            raise InvalidInputError(
                "The clean image is constant, so it has no data range."
            )
