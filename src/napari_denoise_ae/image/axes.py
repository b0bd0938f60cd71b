"""What the axes of an array mean: ``"YX"``, ``"YXS"``, ``"TZCYX"``.

``Y`` and ``X`` are the image plane, ``S`` its color samples (red, green,
blue and perhaps alpha), every other letter a stack of planes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: The letters that may name an axis.
AXES = "TZCYXS"
_COLOR_SAMPLES = (3, 4)


def resolve_axes(shape: tuple[int, ...], axes: str | None) -> str:
    """Return the axes of an array, and refuse to guess where it is not plain.

    Parameters
    ----------
    shape : tuple of int
        The array's shape.
    axes : str or None
        One letter of `AXES` for each dimension. None means ``"YX"`` for two
        dimensions and ``"YXS"`` for (Y, X, 3) and (Y, X, 4); anything else
        has to be given.

    Returns
    -------
    str
        The axes, upper case.

    Raises
    ------
    InvalidInputError
        If the axes are not given and not plain, or do not fit the shape.

    Examples
    --------
    >>> resolve_axes((512, 512, 3), None)
    'YXS'
    """
    if axes is None:
        return _plain_axes(shape)
    if len(axes) != len(shape):
        raise InvalidInputError(
            f"axes={axes!r} names {len(axes)} dimensions, but the image has "
            f"{len(shape)}: {shape}."
        )
    resolved = checked_axes(axes)
    if "S" in resolved and shape[resolved.index("S")] not in _COLOR_SAMPLES:
        raise InvalidInputError(
            f"The axis S (color) must have 3 or 4 samples, got "
            f"{shape[resolved.index('S')]} in {shape}. Channels that are not "
            "colors are C."
        )
    return resolved


def checked_axes(axes: str) -> str:
    """Return axes in upper case, without an array to compare them with.

    Parameters
    ----------
    axes : str
        One letter of `AXES` for each dimension.

    Raises
    ------
    InvalidInputError
        If they are not such letters, each at most once, with Y and X.
    """
    if not isinstance(axes, str):
        raise InvalidInputError(
            f"axes must be a string of one letter for each dimension, got {axes!r}."
        )
    letters = axes.upper()
    valid = set(letters) <= set(AXES) and len(set(letters)) == len(letters)
    if not valid or not {"Y", "X"} <= set(letters):
        raise InvalidInputError(
            f"axes must have Y and X and be made of the letters {', '.join(AXES)}, "
            f"each at most once, got {axes!r}."
        )
    return letters


def stack_axes(axes: str) -> str:
    """Return the axes of a stack: all but Y, X and S, in their order."""
    return "".join(letter for letter in axes if letter not in "YXS")


def color_planes(array: Any, axes: str) -> Any:
    """View an array as a stack of planes without alpha.

    Parameters
    ----------
    array : array
        The array, NumPy's or dask's.
    axes : str
        Its axes, from `resolve_axes`.

    Returns
    -------
    array
        The same memory as (..., Y, X, channels), with 3 channels for color
        planes and 1 for gray ones.
    """
    leading = [axes.index(letter) for letter in stack_axes(axes)]
    order = [*leading, axes.index("Y"), axes.index("X")]
    if "S" not in axes:
        return array.transpose(order)[..., np.newaxis]
    return array.transpose([*order, axes.index("S")])[..., :3]


def count_colors(shape: tuple[int, ...], axes: str | None) -> int:
    """Return how many colors the planes of an array have: 3, or 1 for gray.

    Parameters
    ----------
    shape : tuple of int
        The array's shape.
    axes : str, optional
        See `resolve_axes`.

    Raises
    ------
    InvalidInputError
        If the axes do not fit the shape.
    """
    return 3 if "S" in resolve_axes(shape, axes) else 1


def middle_plane(array: NDArray[Any], axes: str) -> NDArray[Any]:
    """View the middle plane of a stack as (Y, X) or (Y, X, 3), to be drawn."""
    planes = color_planes(array, axes)
    middle = tuple(length // 2 for length in planes.shape[:-3])
    plane: NDArray[Any] = planes[middle]
    return plane if plane.shape[-1] == 3 else plane[..., 0]


def _plain_axes(shape: tuple[int, ...]) -> str:
    if len(shape) == 2:
        return "YX"
    if len(shape) == 3 and shape[2] in _COLOR_SAMPLES:
        return "YXS"
    raise InvalidInputError(
        f"It is not plain what the axes of an image of shape {shape} are: expected "
        "(Y, X), (Y, X, 3) or (Y, X, 4). Say it with axes: TYX for a time series, CYX "
        "for channels."
    )
