"""Networks, noises and readers that other packages add, by their entry points.

The entry points of a group are listed once. One of them is imported when its name is
used, or when all of them are listed. A name in a file can import nothing else.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import TYPE_CHECKING, Any

from .errors import DenoiseAEWarning, InvalidInputError, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from importlib.metadata import EntryPoint

#: Groups of entry points.
NETWORKS, NOISES, READERS = (
    f"napari_denoise_ae.{name}" for name in ("networks", "noises", "readers")
)


@cache
def added(group: str) -> Mapping[str, EntryPoint]:
    """Return the entry points of a group by their names; nothing is imported."""
    # Kept out of the start of the command.
    from importlib.metadata import entry_points

    found = sorted(entry_points(group=group), key=lambda each: each.value)
    # Where two packages use the same name, the first one counts.
    return {each.name: each for each in reversed(found)}


@cache
def load(group: str, name: object, is_usable: Callable[[str, Any], bool]) -> Any | None:
    """Import what a package adds.

    Parameters
    ----------
    group : str
        One of the groups.
    name : str
        Name of the entry point. An object of another type has no entry point.
    is_usable : callable
        Takes the name and the imported object; returns whether the group may hold it.

    Returns
    -------
    object or None
        None if no package adds such a name, or it cannot be used.

    Warns
    -----
    DenoiseAEWarning
        If it cannot be used, the first time.
    """
    point = added(group).get(name) if isinstance(name, str) else None
    if point is None or not isinstance(name, str):
        return None
    try:
        loaded = point.load()
        is_valid = is_usable(name, loaded)
        reason = "" if is_valid else f"{point.value} is not a valid {_kind(group)}"
    # Another package may raise anything.
    except Exception as error:  # noqa: BLE001
        reason = _reason(error)
    if not reason:
        return loaded
    warnings.warn(
        f"Ignored the {title(group, name)}: {reason}. Update or uninstall the package.",
        DenoiseAEWarning,
        stacklevel=2,
    )
    return None


def title(group: str, name: str) -> str:
    """Return how an entry point is called in messages: its kind, name and package."""
    point = added(group)[name]
    package = point.dist.name if point.dist is not None else point.module
    return f"{_kind(group)} {name!r} of the package {package}"


def is_own(part: object) -> bool:
    """Return whether the class of a network or noise belongs to this package."""
    return type(part).__module__.partition(".")[0] == __name__.partition(".")[0]


def failure(kind: str, part: object, problem: Exception | str) -> InvalidInputError:
    """Return the error for a network or noise of another package that fails in use.

    Parameters
    ----------
    kind : str
        What it is, for the message.
    part : object
        The network or noise, or its class.
    problem : Exception or str
        What it raised, or what is wrong with its result.
    """
    cls = part if isinstance(part, type) else type(part)
    reason = problem if isinstance(problem, str) else _reason(problem)
    return InvalidInputError(
        f"The {kind} {cls.__module__}:{cls.__qualname__} failed: {reason}. Update the "
        "package that it belongs to, or report this to its authors."
    )


def _kind(group: str) -> str:
    return group.rpartition(".")[2].removesuffix("s")


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {one_line(error, 200)}".rstrip(".: ")
