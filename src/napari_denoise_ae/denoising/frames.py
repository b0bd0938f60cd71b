"""Average neighboring frames where nothing moves, before the network denoises them.

Neighboring frames of a time series, or neighboring slices of a volume, show nearly the
same scene with other noise. Each pixel of a frame is averaged with those of its
neighbors. The weight of a neighbor decreases where its denoised pixels differ from
those of the frame, and decreases faster where its noisy pixels differ by more than
noise, so what moves is not blurred. The network denoises the average, and is told its
noise level pixel by pixel.

Three passes lead to the result of a frame. The first denoises each frame alone. The
second denoises the average of the frames that look alike in the first. The third
averages again, comparing the neighbors with the result of the second pass.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError
from ..image.tiling import round_up
from ..noise.normalization import NoiseScaling
from ..noise.outliers import REACH
from .network_input import prepare_input

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ..image.intensity import IntensityRange
    from ..image.tiling import Region
    from ..models.networks.base import DenoisingNetwork
    from .denoiser import Denoiser
    from .network_input import NetworkInput

    Guide = NDArray[np.float32]

#: Number of times that the network sees each frame.
N_PASSES = 3
# Denoised frames are compared in squares of this side, in pixels.
_WINDOW = 3
# The next frame has half the weight of the center where their mean squared difference
# is this multiple of the noise variance, where nothing moves and where something does;
# frames n steps away, at 1/n of it.
_STILL, _MOVING = 0.3, 0.05
#: The weights depend on the noise, so an average keeps more of it than it would with
#: independent weights, by this factor.
KEPT_NOISE = 1.2
# Denoising removes faint texture, so noisy frames show whether something moves: the
# means of their difference in boxes of this side...
_BOX = 5
# ...vary in squares of this side as those of noise do, unless something moves. Half of
# both must lie within the halo, see `find_frames_halo`.
_WIDE_WINDOW = 25
# The limit is half way from still to moving where they vary more by this fraction.
_EXCESS = 0.4


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Neighborhood:
    """A part of a frame and the same part of its neighbors.

    Parameters
    ----------
    blocks : sequence of numpy.ndarray
        Pixels of the frames, each (Y, X, channels), in their order.
    guides : sequence of numpy.ndarray
        Results of `first_pass` for them.
    scales : sequence of IntensityRange
        The scalings of the frames.
    center : int
        Index of the frame that is denoised.
    """

    blocks: Sequence[NDArray[Any]]
    guides: Sequence[Guide]
    scales: Sequence[IntensityRange]
    center: int

    def part(self, region: Region) -> Neighborhood:
        """Return some of the rows and columns."""
        return replace(
            self,
            blocks=[block[region] for block in self.blocks],
            guides=[guide[region] for guide in self.guides],
        )

    @property
    def block(self) -> NDArray[Any]:
        """Pixels of the frame that is denoised."""
        return self.blocks[self.center]

    @property
    def scale(self) -> IntensityRange:
        """Scaling of the frame that is denoised; its neighbors are mapped by it."""
        return self.scales[self.center]


def frame_axis(axes: str) -> str:
    """Return the axis along which frames are neighbors: T, or Z without T.

    Parameters
    ----------
    axes : str
        The axes of an image.

    Raises
    ------
    InvalidInputError
        If there is neither.
    """
    for letter in "TZ":
        if letter in axes:
            return letter
    raise InvalidInputError(
        "frames needs an axis T or Z along which to average, but the axes of the image "
        f"are {axes}. Omit frames, or give the axes of the image."
    )


def neighbors(index: int, length: int, radius: int) -> range:
    """Return the indices of a frame and its neighbors, `length` frames in all."""
    return range(max(index - radius, 0), min(index + radius + 1, length))


def find_frames_halo(network: DenoisingNetwork) -> int:
    """Return the width of the halo of each pass, in pixels; see `find_halo`."""
    reach = REACH + _BOX // 2 + _WIDE_WINDOW // 2
    return round_up(network.receptive_field_radius + reach, network.stride)


def first_pass(block: NDArray[Any], scale: IntensityRange, denoiser: Denoiser) -> Guide:
    """Denoise a part of a frame, (Y, X, channels), alone, on the network's scale."""
    full = _at_full_strength(scale)
    unit: NDArray[np.float64] = prepare_input(block, full).unit
    if not scale.noise_level:
        return unit.astype(np.float32)
    return denoiser.apply_network(unit, full.noise_inputs).astype(np.float32)


def second_pass(near: Neighborhood, denoiser: Denoiser) -> Guide:
    """Denoise a part of a frame with the help of its neighbors, for the third pass."""
    if not near.scale.noise_level:
        return near.guides[near.center]
    full = _at_full_strength(near.scale)
    _, denoised = _denoise_average(near, near.guides[near.center], full, denoiser)
    return denoised.astype(np.float32)


def third_pass(
    near: Neighborhood, guide: Guide, denoiser: Denoiser, keep: Region
) -> tuple[NDArray[np.float64], NDArray[np.bool_] | None]:
    """Denoise a part of a frame with the help of its neighbors.

    Parameters
    ----------
    near : Neighborhood
        The frame and its neighbors.
    guide : numpy.ndarray
        The result of `second_pass`.
    denoiser : Denoiser
        The model.
    keep : tuple of slice
        Rows and columns of the part without its halo.

    Returns
    -------
    values : numpy.ndarray
        The kept rows and columns in the image's units, (Y, X, channels).
    kept : numpy.ndarray or None
        Same shape, True for pixels that keep their value; None if none do.
    """
    if not near.scale.noise_level:
        block = near.block[keep]
        return block.astype(np.float64), np.ones(block.shape, dtype=bool)
    shown, denoised = _denoise_average(near, guide, near.scale, denoiser)
    return shown.part(keep).restore(denoised[keep], near.scale)


def _denoise_average(
    near: Neighborhood, guide: Guide, scale: IntensityRange, denoiser: Denoiser
) -> tuple[NetworkInput, NDArray[np.float64]]:
    """Return the input of the frame, and the network's output for the average."""
    shown, unit, level = _average(near, guide)
    noise = [each * level for each in scale.noise_inputs]
    return shown, denoiser.apply_network(unit, noise)


def _average(
    near: Neighborhood, guide: Guide
) -> tuple[NetworkInput, NDArray[np.float64], NDArray[np.float64]]:
    """Average the frames where they resemble a guide of the center.

    Returns
    -------
    shown : NetworkInput
        The frame itself.
    unit : numpy.ndarray
        The average, (Y, X, channels), on the network's scale.
    level : numpy.ndarray
        Its noise level as a fraction of that of the frame, (Y, X).
    """
    shown, scale = prepare_input(near.block, near.scale), _at_full_strength(near.scale)
    weighted = np.zeros(shown.unit.shape)
    total, squares = np.zeros((2, *shown.unit.shape[:2]))
    for number, block in enumerate(near.blocks):
        if number == near.center:
            each, weight = shown, np.ones(total.shape)
        else:
            each = prepare_input(block, near.scale)
            difference = _difference(guide, _guide_of(near, number), scale)
            motion = _motion(shown, each, scale)
            limit = _MOVING + (_STILL - _MOVING) / (1.0 + (motion / _EXCESS) ** 2)
            distance = abs(number - near.center)
            weight = 1.0 / (1.0 + distance * difference / limit)
        # One weight for all colors, because the network is told one level.
        weight[each.filled.any(axis=-1)] = 0.0
        weighted += weight[..., np.newaxis] * each.unit
        total += weight
        squares += weight**2
    known = total > 0.0
    total = np.where(known, total, 1.0)
    average = weighted / total[..., np.newaxis]
    unit = np.where(known[..., np.newaxis], average, shown.unit)
    level = np.minimum(KEPT_NOISE * np.sqrt(squares) / total, 1.0)
    return shown, unit, np.where(known, level, 1.0)


def _difference(
    guide: Guide, other: NDArray[Any], scale: IntensityRange
) -> NDArray[np.float64]:
    """Return the mean squared difference of denoised frames, (Y, X), in variances."""
    from scipy.ndimage import uniform_filter

    squares = np.square(guide.astype(np.float64) - other).mean(axis=-1)
    level = scale.noise_inputs[0]
    difference: NDArray[np.float64] = uniform_filter(squares, _WINDOW, mode="nearest")
    return difference / level**2


def _motion(
    shown: NetworkInput, other: NetworkInput, scale: IntensityRange
) -> NDArray[np.float64]:
    """Return by which fraction, (Y, X), noisy frames differ more than noise does."""
    from scipy.ndimage import uniform_filter

    difference = np.where(shown.filled | other.filled, 0.0, shown.unit - other.unit)
    means = uniform_filter(difference, (_BOX, _BOX, 1), mode="reflect")
    squares = np.square(means).mean(axis=-1)
    level, *along = scale.noise_inputs
    expected = 2.0 * level**2
    for product in along:
        expected *= _variance_of_mean(product / level)
    found: NDArray[np.float64] = uniform_filter(squares, _WIDE_WINDOW, mode="nearest")
    return np.maximum(found / expected - 1.0, 0.0)


def _variance_of_mean(correlation: float) -> float:
    """Return the variance of the mean of a row of a box, relative to that of a pixel.

    Noise whose neighbors have this correlation is taken for blurred by a Gaussian.
    """
    lags = np.arange(1 - _BOX, _BOX)
    weights = (_BOX - np.abs(lags)) / _BOX**2
    return float(np.sum(weights * np.power(correlation, lags**2)))


def _guide_of(near: Neighborhood, number: int) -> NDArray[Any]:
    """Return the guide of a neighbor on the scale of the center."""
    guide, own = near.guides[number], near.scales[number]
    if own == near.scale:
        return guide
    mapped: NDArray[np.float64] = near.scale.normalize(own.denormalize(guide))
    return mapped


def _at_full_strength(scale: IntensityRange) -> IntensityRange:
    """Return a scaling at strength 1: frames are compared without noise."""
    return replace(scale, strength=1.0) if isinstance(scale, NoiseScaling) else scale
