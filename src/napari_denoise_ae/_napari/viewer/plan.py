"""Describe in words what denoising will do with a layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...errors import InvalidInputError
from ...image.tiling import LARGEST_PLANE

if TYPE_CHECKING:
    from collections.abc import Sequence

# Recognized axis labels.
_NAMES = {
    "T": ("t", "time", "times", "frame", "frames"),
    "Z": ("z", "depth", "depths", "plane", "planes"),
    "C": ("c", "ch", "channel", "channels"),
    "Y": ("y", "row", "rows", "height"),
    "X": ("x", "col", "column", "columns", "width"),
}
_LETTERS = {name: letter for letter, names in _NAMES.items() for name in names}
# Singular and plural of the planes along an axis.
_PLANE_NAMES = {
    "T": ("frame", "frames"),
    "Z": ("depth", "depths"),
    "C": ("channel", "channels"),
}
# Assumed for unnamed axes before Y and X, in this order.
_LEADING = "TZC"


@dataclass(frozen=True, slots=True)
class Axes:
    """The axes of a layer's data.

    Parameters
    ----------
    letters : str
        One letter for each dimension; see `denoise`.
    assumed : str
        The letters that are assumed because the layer does not name the axis.
    """

    letters: str
    assumed: str

    @property
    def n_stacked(self) -> int:
        """Number of axes before Y and X."""
        return self.letters.index("Y")


def find_axes(labels: Sequence[str], name: str, *, rgb: bool) -> Axes:
    """Infer the axes of a layer from its axis labels.

    Parameters
    ----------
    labels : sequence of str
        The axis labels of the layer, without the color axis.
    name : str
        The layer's name, for messages.
    rgb : bool
        Whether the layer has a color axis.

    Returns
    -------
    Axes
        The axes. Unnamed axes are taken as T, Z and C, in this order.

    Raises
    ------
    InvalidInputError
        If there are too many axes, Y and X are not the last two, or two axes are
        the same.
    """
    n_stacked = len(labels) - 2
    if not 0 <= n_stacked <= len(_LEADING):
        raise InvalidInputError(
            f"The layer {name!r} has {len(labels)} dimensions; 2 to "
            f"{len(_LEADING) + 2} can be denoised."
        )
    known = [_LETTERS.get(str(label).strip().lower(), "") for label in labels]
    found = ", ".join(map(str, labels))
    misplaced = {"Y", "X"} & set(known[:-2]) or {"T", "Z", "C"} & set(known[-2:])
    if misplaced:
        raise InvalidInputError(
            f"The axes of the layer {name!r} are {found}, but y and x must be the last "
            "two. Transpose the data, or correct its axis labels."
        )
    named = [letter for letter in known[:-2] if letter]
    if len(set(named)) < len(named):
        raise InvalidInputError(
            f"The axes of the layer {name!r} are {found}: two of them are the same. "
            "Correct its axis labels."
        )
    free = [letter for letter in _LEADING if letter not in named]
    leading = [letter or free.pop(0) for letter in known[:-2]]
    assumed = "".join(
        letter for letter, name in zip(leading, known, strict=False) if not name
    )
    return Axes("".join(leading) + ("YXS" if rgb else "YX"), assumed)


def describe_plan(
    axes: Axes, shape: Sequence[int], measured: str, range_of: str = "stack"
) -> str:
    """Describe which images are denoised.

    Parameters
    ----------
    axes : Axes
        The axes.
    shape : sequence of int
        The length of each axis.
    measured : str
        The property measured for each channel or image, such as "noise level".
    range_of : str
        ``"stack"`` or ``"image"``; see `denoise`.

    Returns
    -------
    str
        For example "50 frames x 2 channels, each 512 x 512 image denoised
        separately."
    """
    n_stacked = axes.n_stacked
    height, width = shape[n_stacked : n_stacked + 2]
    image = f"{height} x {width} {'color ' * ('S' in axes.letters)}image"
    if n_stacked == 0:
        return f"One {image}."
    counts = " x ".join(
        f"{length} {_PLANE_NAMES[letter][length != 1]}"
        for letter, length in zip(axes.letters, shape[:n_stacked], strict=False)
    )
    sentences = [f"{counts}, each {image} denoised separately."]
    if range_of == "image" or "C" in axes.letters:
        unit = "image" if range_of == "image" else "channel"
        sentences.append(f"Each {unit} has its own {measured}.")
    return " ".join(sentences)


def describe_result(axes: Axes, shape: Sequence[int], n_levels: int) -> str:
    """Describe how the result of a layer is stored.

    Parameters
    ----------
    axes, shape
        See `describe_plan`.
    n_levels : int
        Number of levels of a lazy layer; 0 for a layer in memory.
    """
    if n_levels == 0:
        return "in memory"
    lazy = "lazy, computed where you look"
    if n_levels > 1:
        return f"{lazy}; {n_levels} levels, denoised separately"
    if max(shape[axes.n_stacked : axes.n_stacked + 2]) > LARGEST_PLANE:
        return f"{lazy}; a pyramid, because its images are large"
    return lazy


def describe_assumed(axes: Axes) -> str:
    """Describe which axes are assumed; empty if all are named."""
    if not axes.assumed:
        return ""
    numbers = [axes.letters.index(letter) + 1 for letter in axes.assumed]
    listed = ", ".join(map(str, numbers))
    taken = ", ".join(_PLANE_NAMES[letter][1] for letter in axes.assumed)
    axis, have, are = "Axis", "has no name", "is"
    if len(numbers) > 1:
        axis, have, are = "Axes", "have no names", "are"
    return f"{axis} {listed} {have} and {are} taken as {taken} (set axis labels)."
