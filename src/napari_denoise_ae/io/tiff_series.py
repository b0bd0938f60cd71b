"""Choose the image of a TIFF that holds several."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..errors import InvalidInputError
from ..image.axes import AXES, stack_axes

if TYPE_CHECKING:
    from pathlib import Path

    import tifffile

# Kinds of series that tifffile makes of pages that nothing describes as one image.
_PLAIN = {"generic", "shaped", "uniform"}
_MOST_LISTED = 8


def choose_series(
    tiff: tifffile.TiffFile, path: Path, number: int | None
) -> tuple[list[tifffile.TiffPageSeries], str]:
    """Choose the series of a TIFF to read.

    Parameters
    ----------
    tiff : tifffile.TiffFile
        The open file.
    path : pathlib.Path
        Its name, for errors.
    number : int, optional
        The series asked for, from 0. None means all of them if they are pages of one
        shape, otherwise the largest.

    Returns
    -------
    series : list of tifffile.TiffPageSeries
        The series, to be joined if there are several.
    note : str
        Explanation of the choice; empty if there was none.

    Raises
    ------
    InvalidInputError
        If there is no series of that number.
    """
    series = list(tiff.series)
    if number is not None:
        if not 0 <= number < len(series):
            raise InvalidInputError(
                f"{path} has no series {number}: it holds {_describe(series)}."
            )
        return [series[number]], ""
    if series and series[0].kind == "lsm":
        # The other one holds thumbnails of its planes.
        return series[:1], ""
    if len(series) == 1 or _are_pages_of_one_shape(series):
        return series, ""
    largest = max(series, key=lambda each: math.prod(each.shape))
    note = (
        f"The file holds {_describe(series)}. Only series {series.index(largest)}, "
        "the largest, is read; choose another one with --series."
    )
    return [largest], note


def joined_axes(series: list[tifffile.TiffPageSeries]) -> tuple[str | None, bool]:
    """Return the axes of joined series, and whether they were assumed.

    Pages of unknown meaning, which tifffile names I, are frames T.

    Returns
    -------
    axes : str or None
        None if the file does not say which axes are Y and X.
    assumed : bool
        Whether the file does not say what its pages are.
    """
    axes = series[0].axes
    if len(series) > 1 and not stack_axes(axes):
        axes = f"I{axes}"
    assumed = "I" in axes and "T" not in axes
    if assumed:
        axes = axes.replace("I", "T")
    if set(axes) <= set(AXES) and len(set(axes)) == len(axes):
        return axes, assumed
    return None, False


def _are_pages_of_one_shape(series: list[tifffile.TiffPageSeries]) -> bool:
    first = series[0]
    stack = stack_axes(first.axes)
    if len(stack) > 1 or not first.axes.startswith(stack):
        return False
    return all(
        each.kind in _PLAIN
        and each.axes == first.axes
        and each.shape[len(stack) :] == first.shape[len(stack) :]
        and each.dtype == first.dtype
        and each.keyframe.photometric == first.keyframe.photometric
        for each in series
    )


def _describe(series: list[tifffile.TiffPageSeries]) -> str:
    listed = [
        f"{number} ({' x '.join(map(str, each.shape))} {each.axes})"
        for number, each in enumerate(series[:_MOST_LISTED])
    ]
    more = "" if len(series) <= _MOST_LISTED else " and more"
    return f"{len(series)} series: {', '.join(listed)}{more}"
