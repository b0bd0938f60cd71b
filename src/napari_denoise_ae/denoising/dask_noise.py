"""The noise estimate as a node of a dask graph."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from ..image.intensity import IntensityRanges
from ..noise.normalization import (
    fit_curves,
    group_planes,
    measure_scaling,
    with_strength,
)
from ..noise.windows import noise_windows_of
from .compatibility import find_noise_misfits, noise_levels
from .dask_stack import LazyPlanes, require_known_ranges, stack_planes

if TYPE_CHECKING:
    from dask.delayed import Delayed

    from ..image.intensity import GivenRange
    from ..noise.setting import NoiseSetting


def noise_node(
    image: Any,
    *,
    axes: str | None = None,
    intensity_range: GivenRange | None = None,
    range_of: str = "stack",
) -> tuple[Delayed, IntensityRanges]:
    """Return the noise of a lazy array as one node, to be computed or shared.

    Parameters
    ----------
    image, axes, intensity_range, range_of
        See `denoise_lazily`.

    Returns
    -------
    dask.delayed.Delayed
        What `noise_levels` gives; reads a few windows and nothing else.
    IntensityRanges
        The intensity ranges that the levels are relative to.
    """
    from dask.delayed import delayed

    stack, resolved, _ = stack_planes(image, axes)
    planes = LazyPlanes(stack, resolved)
    ranges = require_known_ranges(planes, resolved, intensity_range, range_of=range_of)
    windows = noise_windows_of(planes, ranges)
    return delayed(noise_levels)(windows, ranges), ranges


def found_nodes(
    image: Any, setting: NoiseSetting, *, axes: str | None = None
) -> tuple[Delayed, Delayed, Delayed]:
    """Return what is found of the noise of a lazy array as nodes, to be computed.

    They read a few windows and nothing else.

    Parameters
    ----------
    image, axes
        See `denoise_lazily`.
    setting : NoiseSetting
        What is known of the noise.

    Returns
    -------
    scaling : dask.delayed.Delayed
        What `measure_scaling` gives.
    fits : dask.delayed.Delayed
        What `fit_curves` gives.
    misfits : dask.delayed.Delayed
        What `find_noise_misfits` gives.
    """
    from dask.delayed import delayed

    stack, resolved, _ = stack_planes(image, axes)
    planes = LazyPlanes(stack, resolved)
    groups = group_planes(planes, resolved, "stack")
    windows = noise_windows_of(planes, groups)
    scaling = scaling_node(planes, resolved, "stack", setting.at_full_strength)
    misfits = delayed(find_noise_misfits)(windows, scaling, setting)
    return scaling, delayed(fit_curves)(windows), misfits


def scaling_node(
    planes: LazyPlanes, axes: str, range_of: str, setting: NoiseSetting
) -> Delayed:
    """Return the noise scaling of a lazy stack as one node, shared by all blocks."""
    from dask.base import tokenize
    from dask.delayed import delayed

    groups = group_planes(planes, axes, range_of)
    windows = noise_windows_of(planes, groups)
    token = tokenize(windows, groups, setting)
    node: Delayed = delayed(_measure_once)(
        windows, groups, setting, token, dask_key_name=f"{_SCALING}{token}"
    )
    return node


# How the key of such a node begins; the rest is its token.
_SCALING = "noise-scaling-"
# What was measured in this process, the latest last, so that looking at one
# part after another does not read the windows each time.
_MEASURED: OrderedDict[str, IntensityRanges] = OrderedDict()
_MOST_MEASURED = 64


def _measure_once(
    windows: Any, groups: IntensityRanges, setting: NoiseSetting, token: str
) -> IntensityRanges:
    ranges = measure_scaling(windows, groups, setting)
    _MEASURED[token] = ranges
    while len(_MEASURED) > _MOST_MEASURED:
        _MEASURED.popitem(last=False)
    return ranges


def known_scaling(ranges: IntensityRanges | Delayed) -> IntensityRanges | Delayed:
    """Return what a node has given before, if it has."""
    if isinstance(ranges, IntensityRanges):
        return ranges
    return _MEASURED.get(ranges.key.removeprefix(_SCALING), ranges)


def at_strength(
    ranges: IntensityRanges | Delayed, strength: float
) -> IntensityRanges | Delayed:
    """Return scalings at a strength; what is measured does not depend on it."""
    from dask.delayed import delayed

    if strength == 1.0:
        return ranges
    if isinstance(ranges, IntensityRanges):
        return with_strength(ranges, strength)
    node: Delayed = delayed(with_strength, pure=True)(ranges, strength)
    return node
