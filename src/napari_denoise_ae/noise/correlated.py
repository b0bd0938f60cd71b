"""Measure noise that neighboring pixels share, where every few pixels are white."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError
from .correlation import measure_correlation, sublattices
from .curve import fit_noise_curve
from .noise_estimate import GAUSSIAN
from .patches import patches_of_channels
from .setting import AUTO
from .sigma import level_of_quietest
from .white import measure_white, stabilize
from .windows import HIGH, LOW

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .clipping import Bounds
    from .correlation import FlatRegions
    from .noise_estimate import NoiseEstimate
    from .setting import NoiseSetting

# Weaker correlated noise than this fraction of the image's spread is not told from
# the fine structure of a clean photograph.
_LEAST_CORRELATED = 0.04
# Structure is absent from flat regions. Noise is not: most of its variance is there.
_LEAST_FLAT_VARIANCE = 0.45
# Noise whose correlation along both axes exceeds this is not told from structure.
_LONGEST_CORRELATION = 0.93
# Correlated noise grows with the intensity from here on, see `LEAST_GROWTH`, if every
# second pixel is measured. Structure in bright regions looks like a growth of 1.4.
_LEAST_CORRELATED_GROWTH = 1.5
#: Distance of the pixels that are compared if the noise is said to be correlated.
LEAST_STRIDE = 2


def measure_correlated(
    planes: list[Any], stride: int, bounds: Bounds, setting: NoiseSetting
) -> NoiseEstimate | None:
    """Measure noise on a sub-lattice on which it is white; None if it is not noise."""
    if stride == 1:
        return None
    parts = [sublattices(windows, stride) for windows in planes]
    if setting.noise_type == AUTO and not _grows_clearly(planes):
        setting = replace(setting, noise_type=GAUSSIAN)
    rough = measure_white(parts, setting)
    level = 1.0 if rough.curve is not None else rough.sigma
    if level == 0.0:
        return None
    # Textured images have few smooth patches on a coarse lattice.
    on_lattice = stabilize(list(chain.from_iterable(parts)), rough)
    share = level_of_quietest(patches_of_channels(on_lattice)) / level
    noise = rough.scaled(min(share, 1.0))
    windows = stabilize(list(chain.from_iterable(planes)), noise)
    level = 1.0 if noise.curve is not None else noise.sigma
    if setting.correlation is not None:
        return replace(noise, correlation=setting.correlation)
    raw = chain.from_iterable(planes)
    clipped = [(window == bounds[0]) | (window == bounds[1]) for window in raw]
    flat = measure_correlation(windows, level, clipped)
    if flat is None or _is_structure(flat, level, windows):
        return None
    return replace(noise, correlation=flat.correlation)


def _grows_clearly(planes: list[Any]) -> bool:
    """Return whether correlated noise grows with the intensity at every second pixel.

    Coarser sub-lattices, on which it is white and is measured, mistake more of the
    structure for noise, and bright regions often have more of it.
    """
    windows = sublattices(list(chain.from_iterable(planes)), LEAST_STRIDE)
    try:
        return fit_noise_curve(windows).growth >= _LEAST_CORRELATED_GROWTH
    except InvalidInputError:
        return False


def _is_structure(
    flat: FlatRegions, level: float, windows: list[NDArray[np.float64]]
) -> bool:
    """Return whether what looks like noise of a level is fine structure."""
    values = np.concatenate([window[np.isfinite(window)] for window in windows])
    low, high = np.percentile(values, (LOW, HIGH))
    return bool(
        flat.variance < _LEAST_FLAT_VARIANCE
        or min(flat.correlation) > _LONGEST_CORRELATION
        or level < _LEAST_CORRELATED * (high - low)
    )
