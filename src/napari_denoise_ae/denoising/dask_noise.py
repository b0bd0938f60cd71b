"""The noise estimate as a node of a dask graph."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from itertools import chain
from typing import TYPE_CHECKING, Any

from ..errors import DenoiseAEWarning
from ..image.checks import require_finite
from ..image.intensity import IntensityRanges
from ..image.ranges import known_ranges
from ..noise.scaling import measure_ranges, with_setting
from ..noise.setting import NoiseSetting
from ..noise.windows import read_noise_windows
from .compatibility import noise_levels
from .dask_stack import DaskPlanes, unknown_ranges
from .model_ranges import ranges_without_scan
from .noise_checks import check_noise
from .options import DenoiseOptions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dask.delayed import Delayed

    from ..image.intensity_rule import IntensityRule
    from ..models.checkpoint import Checkpoint


def noise_node(
    image: Any, options: DenoiseOptions | None = None
) -> tuple[Delayed, IntensityRanges]:
    """Return the noise of a lazy array as one node, to be computed or shared.

    Parameters
    ----------
    image, options
        See `denoise_lazily`.

    Returns
    -------
    dask.delayed.Delayed
        What `noise_levels` gives; reads a few windows and nothing else.
    IntensityRanges
        The intensity ranges that the levels are relative to.
    """
    from dask.delayed import delayed

    options = options or DenoiseOptions()
    planes = DaskPlanes.of(image, options.axes)
    ranges = known_ranges(planes, options.intensity_range, range_of=options.range_of)
    if ranges is None:
        raise unknown_ranges(planes.dtype)
    windows = list(read_noise_windows(planes, ranges))
    return delayed(noise_levels)(windows, ranges), ranges


def find_lazy_ranges(
    planes: DaskPlanes, checkpoint: Checkpoint, options: DenoiseOptions
) -> IntensityRanges | Delayed:
    """Return how a model sees a lazy stack.

    Parameters
    ----------
    planes : DaskPlanes
        The stack.
    checkpoint, options
        See `denoise_lazily`.

    Returns
    -------
    IntensityRanges or dask.delayed.Delayed
        Noise scalings are one node, shared by all blocks, and are those at
        default strength; see `with_set_values`.

    Raises
    ------
    InvalidInputError
        If the intensity ranges are needed, not given, and the dtype does not
        tell them.
    """
    found = ranges_without_scan(planes, checkpoint, options, _measure_in_node)
    if found is None:
        raise unknown_ranges(planes.dtype)
    return found


def _measure_in_node(
    windows: Iterable[Any],
    groups: IntensityRanges,
    how: NoiseSetting | IntensityRule,
) -> Delayed:
    from dask.base import tokenize
    from dask.delayed import delayed

    windows, how = list(windows), how.for_measuring
    token = tokenize(windows, groups, how)
    node: Delayed = delayed(_measure_once)(
        windows, groups, how, token, dask_key_name=f"{_SCALING}{token}"
    )
    return node


# How the key of such a node begins; the rest is its token.
_SCALING = "noise-scaling-"
# What was measured in this process, the latest last, so that looking at one
# part after another does not read the windows each time.
_MEASURED: OrderedDict[str, IntensityRanges] = OrderedDict()
_MOST_MEASURED = 64


def _measure_once(
    windows: Any,
    groups: IntensityRanges,
    how: NoiseSetting | IntensityRule,
    token: str,
) -> IntensityRanges:
    for window in chain.from_iterable(chain.from_iterable(windows)):
        require_finite(window)
    ranges = measure_ranges(windows, groups, how)
    if isinstance(how, NoiseSetting):
        for message in check_noise(how, ranges, windows):
            warnings.warn(message, DenoiseAEWarning, stacklevel=2)
    _MEASURED[token] = ranges
    while len(_MEASURED) > _MOST_MEASURED:
        _MEASURED.popitem(last=False)
    return ranges


def known_scaling(ranges: IntensityRanges | Delayed) -> IntensityRanges | Delayed:
    """Return what a node has given before, if it has."""
    if isinstance(ranges, IntensityRanges):
        return ranges
    return _MEASURED.get(ranges.key.removeprefix(_SCALING), ranges)


def with_set_values(
    ranges: IntensityRanges | Delayed, noise: NoiseSetting
) -> IntensityRanges | Delayed:
    """Return scalings with what is set, which measuring does not depend on."""
    from dask.delayed import delayed

    if noise.for_measuring == noise:
        return ranges
    if isinstance(ranges, IntensityRanges):
        return with_setting(ranges, noise)
    node: Delayed = delayed(with_setting, pure=True)(ranges, noise)
    return node


def as_node(ranges: IntensityRanges | Delayed) -> Delayed:
    """Return known ranges as a node of a graph; a node unchanged."""
    from dask.base import tokenize
    from dask.delayed import delayed

    if not isinstance(ranges, IntensityRanges):
        return ranges
    node: Delayed = delayed(ranges, name=f"ranges-{tokenize(ranges)}", traverse=False)
    return node
