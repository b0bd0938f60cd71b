"""Axes of an array as letters: ``"YX"``, ``"YXS"``, ``"TZCYX"``.

``Y`` and ``X`` span the image plane. ``S`` holds its samples: red, green, blue and, if
present, alpha; or gray and alpha. All other letters are axes of a stack of planes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError
from .checks import is_integer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

#: The letters that may name an axis.
AXES = "TZCYXS"
# Names of dimensions in Zarr, HDF5 and xarray, lower case.
_NAMES = {
    "T": ("t", "time", "frame"),
    "Z": ("z", "depth"),
    "C": ("c", "channel"),
    "Y": ("y", "row", "height"),
    "X": ("x", "column", "width"),
    "S": ("s", "sample", "rgb"),
}
_COLOR_SAMPLES = (3, 4)
_GRAY_WITH_ALPHA = 2
# The axes besides that of the channels, by the number of dimensions.
_BESIDE_CHANNELS = {3: "YX", 4: "ZYX", 5: "TZYX"}


def resolve_axes(shape: tuple[int, ...], axes: str | None) -> str:
    """Check the axes of an array, or infer them if the shape is unambiguous.

    Parameters
    ----------
    shape : tuple of int
        The array's shape.
    axes : str or None
        One letter of `AXES` for each dimension. None means ``"YX"`` for two
        dimensions and ``"YXS"`` for (Y, X, 3) and (Y, X, 4); the axes of any other
        shape must be given.

    Returns
    -------
    str
        The axes, upper case.

    Raises
    ------
    InvalidInputError
        If the axes are not given and cannot be inferred, or do not fit the shape.

    Examples
    --------
    >>> resolve_axes((512, 512, 3), None)
    'YXS'
    """
    if axes is None:
        return _infer_axes(shape)
    _require_text(axes)
    if len(axes) != len(shape):
        raise InvalidInputError(
            f"axes={axes!r} names {len(axes)} dimensions, but the image has "
            f"{len(shape)}: {shape}."
        )
    resolved = checked_axes(axes)
    samples = (_GRAY_WITH_ALPHA, *_COLOR_SAMPLES)
    if "S" in resolved and shape[resolved.index("S")] not in samples:
        raise InvalidInputError(
            f"The axis S (color) must have 3 or 4 samples, or 2 for gray and alpha, "
            f"got {shape[resolved.index('S')]} in {shape}. Channels that are not "
            "colors are C."
        )
    return resolved


def with_channel_axis(
    shape: tuple[int, ...], axes: str | None, channel_axis: int | None
) -> str | None:
    """Return the axes of an array, from `axes` or from the dimension of the channels.

    Parameters
    ----------
    shape : tuple of int
        The array's shape.
    axes : str or None
        See `resolve_axes`; None if `channel_axis` is given.
    channel_axis : int or None
        The dimension that holds channels, from the end if negative. It is S if it is
        the last and has 3 or 4 elements, else C. The others are Y and X, with Z or T
        and Z before them.

    Returns
    -------
    str or None
        `axes`, unless `channel_axis` is given.

    Raises
    ------
    InvalidInputError
        If both are given, or there is no such dimension.

    Examples
    --------
    >>> with_channel_axis((5, 512, 512), None, 0)
    'CYX'
    """
    if channel_axis is None:
        return axes
    if axes is not None:
        raise InvalidInputError(
            f"Pass axes={axes!r} or channel_axis={channel_axis!r}, but not both."
        )
    n = len(shape)
    if not is_integer(channel_axis) or not -n <= channel_axis < n:
        raise InvalidInputError(
            f"channel_axis must be an integer from {-n} to {n - 1}, one of the {n} "
            f"dimensions of the image, got {channel_axis!r}."
        )
    if n not in _BESIDE_CHANNELS:
        raise InvalidInputError(
            f"With channel_axis, an image must have 3 to 5 dimensions, got shape "
            f"{shape}. Pass axes instead, such as TCYX."
        )
    position = int(channel_axis) % n
    is_color = position == n - 1 and shape[position] in _COLOR_SAMPLES
    others = _BESIDE_CHANNELS[n]
    return f"{others[:position]}{'S' if is_color else 'C'}{others[position:]}"


def axes_of_names(names: Iterable[object]) -> str | None:
    """Return the axes of an array whose dimensions have names, such as ``"time"``.

    Returns
    -------
    str or None
        None if a name is unknown or stands for the axis of another one.
    """
    by_name = {name: letter for letter, known in _NAMES.items() for name in known}
    by_name |= {f"{name}s": letter for name, letter in by_name.items()}
    letters = [by_name.get(str(name).lower(), "") for name in names]
    if not letters or "" in letters or len(set(letters)) < len(letters):
        return None
    return "".join(letters)


def checked_axes(axes: str) -> str:
    """Check axes and return them in upper case; the array is not needed.

    Parameters
    ----------
    axes : str
        One letter of `AXES` for each dimension.

    Raises
    ------
    InvalidInputError
        If a letter is unknown or repeated, or Y or X is missing.
    """
    _require_text(axes)
    letters = axes.upper()
    valid = set(letters) <= set(AXES) and len(set(letters)) == len(letters)
    if not valid or not {"Y", "X"} <= set(letters):
        raise InvalidInputError(
            f"axes must have Y and X and be made of the letters {', '.join(AXES)}, "
            f"each at most once, got {axes!r}."
        )
    return letters


def _require_text(axes: Any) -> None:
    if not isinstance(axes, str):
        raise InvalidInputError(
            f"axes must be a string of one letter for each dimension, got {axes!r}."
        )


def stack_axes(axes: str) -> str:
    """Return the axes of the stack: all axes but Y, X and S, in the same order."""
    return "".join(letter for letter in axes if letter not in "YXS")


def color_planes(array: Any, axes: str) -> Any:
    """View an array as a stack of planes without alpha.

    Parameters
    ----------
    array : array
        A NumPy or dask array.
    axes : str
        Its axes, from `resolve_axes`.

    Returns
    -------
    array
        View of shape (..., Y, X, channels): 3 channels for color, 1 for gray.
    """
    leading = [axes.index(letter) for letter in stack_axes(axes)]
    order = [*leading, axes.index("Y"), axes.index("X")]
    if "S" not in axes:
        return array.transpose(order)[..., np.newaxis]
    samples = axes.index("S")
    n_colors = _count_colors(array.shape[samples])
    return array.transpose([*order, samples])[..., :n_colors]


def count_colors(shape: tuple[int, ...], axes: str | None) -> int:
    """Return the number of colors of an array: 3, or 1 for gray.

    Parameters
    ----------
    shape : tuple of int
        The array's shape.
    axes : str, optional
        See `resolve_axes`.

    Raises
    ------
    InvalidInputError
        If the axes cannot be inferred, or do not fit the shape.
    """
    resolved = resolve_axes(shape, axes)
    return _count_colors(shape[resolved.index("S")]) if "S" in resolved else 1


def _count_colors(n_samples: int) -> int:
    """Return the number of samples that are colors, not alpha."""
    return 1 if n_samples <= _GRAY_WITH_ALPHA else 3


def middle_plane(array: NDArray[Any], axes: str) -> NDArray[Any]:
    """View the middle plane of a stack as (Y, X) or (Y, X, 3), for display."""
    planes = color_planes(array, axes)
    middle = tuple(length // 2 for length in planes.shape[:-3])
    plane: NDArray[Any] = planes[middle]
    return plane if plane.shape[-1] == 3 else plane[..., 0]


def _infer_axes(shape: tuple[int, ...]) -> str:
    if len(shape) == 2:
        return "YX"
    if len(shape) == 3 and shape[2] in _COLOR_SAMPLES:
        return "YXS"
    raise InvalidInputError(
        f"Cannot infer the axes of an image of shape {shape}: expected (Y, X), "
        "(Y, X, 3) or (Y, X, 4). Specify them with axes, such as TYX for a time series "
        "or CYX for channels."
    )
