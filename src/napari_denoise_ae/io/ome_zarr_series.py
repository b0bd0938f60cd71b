"""Choose the image of an OME-Zarr that holds several, as bioformats2raw writes them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInputError
from .location import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import zarr

_LAYOUT = "bioformats2raw.layout"
_MOST_LISTED = 8


def image_names(group: zarr.Group) -> list[str]:
    """Return the names of the images in a group, in order; none if it is an image."""
    content = _content(group)
    if _LAYOUT not in content or "multiscales" in content:
        return []
    listing = group.get("OME")
    listed = () if listing is None else _content(listing).get("series", ())
    names = [str(name) for name in listed]
    number = 0
    # Without a list, they are numbered. A server may be unable to list them.
    while not listed and str(number) in group:
        names.append(str(number))
        number += 1
    return names


def choose_image(
    path: Any, series: int | None, shapes: Sequence[tuple[int, ...]]
) -> tuple[int, str]:
    """Choose one of several images.

    Parameters
    ----------
    path : pathlib.Path
        The OME-Zarr, for errors.
    series : int or None
        The number of the image that is asked for. None means the largest.
    shapes : sequence of tuple of int
        The shape of each image.

    Returns
    -------
    number : int
        The number of the image.
    note : str
        Explanation of the choice; empty if there was none.

    Raises
    ------
    InvalidInputError
        If there is no image of that number.
    """
    listed = ", ".join(
        f"{number} ({' x '.join(map(str, shape))})"
        for number, shape in enumerate(shapes[:_MOST_LISTED])
    )
    more = " and more" if len(shapes) > _MOST_LISTED else ""
    held = f"{len(shapes)} image{'s' * (len(shapes) != 1)}: {listed}{more}"
    if series is not None:
        if not 0 <= series < len(shapes):
            raise InvalidInputError(
                f"{shown(path)} has no series {series}: it holds {held}."
            )
        return series, ""
    largest = max(range(len(shapes)), key=lambda number: math.prod(shapes[number]))
    note = (
        f"The file holds {held}. Only image {largest}, the largest, is read; choose "
        "another one with --series."
    )
    return largest, note if len(shapes) > 1 else ""


def _content(group: Any) -> Mapping[str, Any]:
    attributes = dict(group.attrs)
    content = attributes.get("ome", attributes)
    return content if isinstance(content, dict) else {}
