"""Networks, noises and readers that other packages add, by their entry points.

The entry points of a group are listed once. One of them is imported when its name is
used, or when all of them are listed. A name in a file can import nothing else.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import TYPE_CHECKING, Any

from .errors import DenoiseAEWarning, one_line

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
    kind = group.rpartition(".")[2].removesuffix("s")
    try:
        loaded = point.load()
        reason = (
            "" if is_usable(name, loaded) else f"{point.value} is not a valid {kind}"
        )
    # Another package may raise anything.
    except Exception as error:  # noqa: BLE001
        reason = f"{type(error).__name__}: {one_line(error, 200).rstrip('.')}"
    if not reason:
        return loaded
    package = point.dist.name if point.dist is not None else point.module
    warnings.warn(
        f"Ignored the {kind} {name!r} of the package {package}: {reason}. Update or "
        "uninstall the package.",
        DenoiseAEWarning,
        stacklevel=2,
    )
    return None
