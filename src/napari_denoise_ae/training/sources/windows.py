"""Windows of the training and the validation parts of images."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ...denoising.options import DenoiseOptions
from ...image.tiling import region_shape, relative_region
from ...noise.normalization import NoiseScaling
from ..guard import KeptOut
from ..images.positions import Position

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...image.tiling import Region
    from ..images.collection import ImageCollection
    from ..images.patches import PatchReader
    from ..images.split import Part
    from .measured import MeasuredImages
    from .patches import PatchPlan

    Window = tuple[Part, int, Region]

# Models are compared on at most this many pixels, with surroundings of this width.
_MOST_PIXELS, _MARGIN = 2**18, 32
# Rows and columns of a window are at most so many, unless patches need more.
_LONGEST = 256


def kept_out_images(
    plan: PatchPlan, measured: MeasuredImages, reader: PatchReader
) -> list[KeptOut]:
    """Return windows of the validation parts, chosen at random.

    Parameters
    ----------
    plan : PatchPlan
        The parts.
    measured : MeasuredImages
        Their noise.
    reader : PatchReader
        Reads them.
    """
    windows = all_windows(plan.images, plan.val, plan.val_side)
    rng = np.random.default_rng(0)
    chosen = choose_windows(plan.images, windows, _MOST_PIXELS, rng)
    return [_kept_out(plan.images, position, measured, reader) for position in chosen]


def _kept_out(
    images: ImageCollection,
    position: Position,
    measured: MeasuredImages,
    reader: PatchReader,
) -> KeptOut:
    """Return a window with its surroundings."""
    scale = measured.scale_of(position)
    options = DenoiseOptions()
    if not isinstance(scale, NoiseScaling):
        options = DenoiseOptions(intensity_range=(scale.low, scale.high))
    shape = images.images[position.image].plane_shape
    rows, columns = (
        slice(max(span.start - _MARGIN, 0), min(span.stop + _MARGIN, length))
        for span, length in zip(position.region, shape, strict=True)
    )
    pixels = reader.read(replace(position, region=(rows, columns)))
    inner = relative_region(position.region, (rows, columns))
    return KeptOut(pixels, measured.noise_of(position), options, inner)


def all_windows(
    images: ImageCollection, parts: Sequence[Part], side: int
) -> list[Window]:
    """Return windows that together cover parts of images.

    Parameters
    ----------
    images : ImageCollection
        The images.
    parts : sequence of Part
        The parts, each at least as large as a patch.
    side : int
        Rows and columns of a patch; windows are at least as large.

    Returns
    -------
    list of tuple
        For each window its part, the number of its plane, and its region.
    """
    longest = max(_LONGEST, 2 * side)
    return [
        (part, plane, (rows, columns))
        for part in parts
        for plane in range(images.images[part.image].n_planes)
        for rows in _cut(part.region[0], longest)
        for columns in _cut(part.region[1], longest)
    ]


def choose_windows(
    images: ImageCollection,
    windows: Sequence[Window],
    most_pixels: int,
    rng: np.random.Generator,
) -> list[Position]:
    """Return the positions of random windows, at least one, in their order.

    Parameters
    ----------
    images : ImageCollection
        The images.
    windows : sequence
        See `all_windows`.
    most_pixels : int
        Number of pixels of all chosen windows, at most.
    rng : numpy.random.Generator
        Source of random numbers.
    """
    chosen: list[int] = []
    n_pixels = 0
    for number in rng.permutation(len(windows)).tolist():
        n_pixels += math.prod(region_shape(windows[number][2]))
        if chosen and n_pixels > most_pixels:
            break
        chosen.append(number)
    return [_position(images, *windows[number]) for number in sorted(chosen)]


def _position(
    images: ImageCollection, part: Part, number: int, region: Region
) -> Position:
    return Position(part.image, images.images[part.image].plane_at(number), region)


def _cut(span: slice, longest: int) -> list[slice]:
    """Cut rows or columns into as few parts of about equal length as possible."""
    length = span.stop - span.start
    n_parts = -(-length // longest)
    edges = [span.start + length * each // n_parts for each in range(n_parts + 1)]
    return [slice(*each) for each in pairwise(edges)]
