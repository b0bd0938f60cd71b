"""The processing that a bioimage.io package declares before and after its network."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ...image.intensity_rule import MEAN, PERCENTILES, UNCHANGED, IntensityRule
from .interface import Step, import_error

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    #: A name of the specification, and its arguments.
    Process = tuple[str, Mapping[str, Any]]

_EPS = 1e-6
_MEAN_RULE, _RANGE_RULE = "zero_mean_unit_variance", "scale_range"


def parse_before(
    processes: Sequence[Process], data_range: tuple[float, float], axes: str, name: str
) -> tuple[IntensityRule | None, tuple[Step, ...]]:
    """Return how intensities are normalized before the network.

    Parameters
    ----------
    processes : sequence of tuple
        The declared steps, in order.
    data_range : tuple of float
        The declared range of the network's input. If it is finite and no steps are
        declared, the intensity range of an image is mapped to it.
    axes : str
        Axes over which statistics are computed together, see `Interface`.
    name : str
        Name of the package, for error messages.

    Returns
    -------
    rule : IntensityRule or None
        See `DenoisingNetwork.intensity_rule`.
    steps : tuple of Step
        Further steps, pixel by pixel.

    Raises
    ------
    CheckpointError
        If a step is of another kind.
    """
    steps = [each for each in processes if not _is_float_dtype(each)]
    if not steps and all(math.isfinite(limit) for limit in data_range):
        low, high = data_range
        if high <= low:
            raise import_error(name, "the range of its input is empty")
        return None, (Step("linear", high - low, low),)
    rule: IntensityRule | None = None
    if steps:
        rule = _statistics(steps[0], axes, name)
    parsed = [_step(each, "before", name) for each in steps[rule is not None :]]
    return rule or IntensityRule(UNCHANGED), tuple(parsed)


def parse_after(
    processes: Sequence[Process], rule: IntensityRule | None, name: str
) -> tuple[tuple[Step, ...], bool]:
    """Return the steps after the network, and whether those before it are undone.

    A linear step leads back to the intensities of the image. Without one, the steps
    before the network are undone.

    Parameters
    ----------
    processes : sequence of tuple
        The declared steps, in order.
    rule : IntensityRule or None
        The result of `parse_before`.
    name : str
        Name of the package, for error messages.

    Raises
    ------
    CheckpointError
        If a step is of another kind.
    """
    steps = [
        _step(each, "after", name) for each in processes if not _is_float_dtype(each)
    ]
    is_linear = any(each.name == "linear" for each in steps)
    if is_linear and (rule is None or rule.kind != UNCHANGED):
        raise import_error(
            name,
            "scale_linear after the network cannot follow a normalization that depends "
            "on the image",
        )
    return tuple(steps), not is_linear


def _is_float_dtype(process: Process) -> bool:
    kind, arguments = process
    return kind == "ensure_dtype" and str(arguments.get("dtype")).startswith("float")


def _statistics(process: Process, axes: str, name: str) -> IntensityRule | None:
    """Return the rule of a step that measures the image; None for another step."""
    kind, arguments = process
    is_fixed = arguments.get("mode") == "fixed"
    if kind not in (_MEAN_RULE, _RANGE_RULE) or is_fixed:
        return None
    if arguments.get("reference_tensor") is not None:
        raise import_error(name, f"{kind} must not refer to another tensor")
    given = arguments.get("axes")
    over = axes if given is None else "".join(str(each)[:1] for each in given)
    if not set(axes) <= {*over, "b"}:
        raise import_error(
            name,
            f"{kind} must normalize Y, X and all channels together, but its axes are "
            f"{given}",
        )
    eps = number(arguments.get("eps", _EPS), name)
    if kind == _MEAN_RULE:
        return IntensityRule(MEAN, eps=eps)
    low = number(arguments.get("min_percentile", 0.0), name)
    high = number(arguments.get("max_percentile", 100.0), name)
    if not 0.0 <= low < high <= 100.0:
        raise import_error(
            name,
            f"its percentiles must increase and be from 0 to 100, got {low:g} and "
            f"{high:g}",
        )
    return IntensityRule(PERCENTILES, low, high, eps)


def _step(process: Process, where: str, name: str) -> Step:
    kind, arguments = process
    if kind == "clip" and not any("percentile" in key for key in arguments):
        low, high = arguments.get("min"), arguments.get("max")
        return Step(
            "clip",
            -math.inf if low is None else number(low, name),
            math.inf if high is None else number(high, name),
        )
    if kind == "scale_linear":
        gain = number(arguments.get("gain", 1.0), name)
        return _linear(gain, number(arguments.get("offset", 0.0), name), name)
    is_fixed = kind == "fixed_zero_mean_unit_variance" or (
        kind == _MEAN_RULE and arguments.get("mode") == "fixed"
    )
    if is_fixed and where == "before":
        mean = number(arguments.get("mean"), name)
        std = number(arguments.get("std"), name)
        if std > 0.0:
            return _linear(1.0 / std, -mean / std, name)
    raise import_error(name, f"the step {kind} is not supported {where} the network")


def _linear(gain: float, offset: float, name: str) -> Step:
    if not gain:
        raise import_error(name, "scale_linear has a gain of 0")
    return Step("linear", gain, offset)


def number(value: Any, name: str) -> float:
    """Return a finite number, or the one that all entries of a list are equal to.

    Raises
    ------
    CheckpointError
        If it is something else.
    """
    entries = value if isinstance(value, list) and value else [value]
    is_number = all(type(each) in (int, float) for each in entries)
    if not is_number or not math.isfinite(entries[0]):
        raise import_error(name, "a number in its processing is missing or invalid")
    if any(each != entries[0] for each in entries):
        raise import_error(name, "its processing must be the same for all channels")
    return float(entries[0])
