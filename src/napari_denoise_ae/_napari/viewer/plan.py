"""What will be done with a layer, in words, before it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...errors import InvalidInputError
from ...image.tiling import LARGEST_PLANE

if TYPE_CHECKING:
    from collections.abc import Sequence

# What axes may be called in a layer.
_NAMES = {
    "T": ("t", "time", "times", "frame", "frames"),
    "Z": ("z", "depth", "depths", "plane", "planes"),
    "C": ("c", "ch", "channel", "channels"),
    "Y": ("y", "row", "rows", "height"),
    "X": ("x", "col", "column", "columns", "width"),
}
_LETTERS = {name: letter for letter, names in _NAMES.items() for name in names}
# What the planes along an axis are: one of them, and several.
_COUNTED = {
    "T": ("frame", "frames"),
    "Z": ("depth", "depths"),
    "C": ("channel", "channels"),
}
# For the axes before Y and X that have no name.
_LEADING = "TZC"


@dataclass(frozen=True, slots=True)
class Axes:
    """The axes of a layer's data.

    Parameters
    ----------
    letters : str
        One letter for each dimension, those of stacks first; see `denoise`.
    assumed : str
        Those of them that the layer does not name.
    """

    letters: str
    assumed: str

    @property
    def n_stacked(self) -> int:
        """How many axes come before Y and X."""
        return self.letters.index("Y")


def find_axes(labels: Sequence[str], name: str, *, rgb: bool) -> Axes:
    """Return what the axes of a layer are.

    Parameters
    ----------
    labels : sequence of str
        What the layer calls its axes, without that of colors.
    name : str
        The layer's name, for messages.
    rgb : bool
        Whether it has colors, too.

    Returns
    -------
    Axes
        Axes that have no name are taken as T, Z and C, in this order.

    Raises
    ------
    InvalidInputError
        If there are too many, Y and X are not the last, or two are the same.
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
            f"The axes of the layer {name!r} are {found}: those of the image, y and x, "
            "must be the last two. Transpose the data, or correct its axis labels."
        )
    named = [letter for letter in known[:-2] if letter]
    if len(set(named)) < len(named):
        raise InvalidInputError(
            f"The axes of the layer {name!r} are {found}: two of them mean the same. "
            "Correct its axis labels."
        )
    free = [letter for letter in _LEADING if letter not in named]
    leading = [letter or free.pop(0) for letter in known[:-2]]
    assumed = "".join(
        letter for letter, name in zip(leading, known, strict=False) if not name
    )
    return Axes("".join(leading) + ("YXS" if rgb else "YX"), assumed)


def describe_plan(
    axes: Axes, shape: Sequence[int], own: str, range_of: str = "stack"
) -> str:
    """Return a sentence or two: what is denoised by itself, and what is assumed.

    Parameters
    ----------
    axes : Axes
        The axes.
    shape : sequence of int
        The lengths of all of them.
    own : str
        What each channel has of its own, such as "a noise level".
    range_of : str
        See `denoise`.

    Returns
    -------
    str
        For example "50 frames x 2 channels, each 512 x 512 image by itself."
    """
    n_stacked = axes.n_stacked
    height, width = shape[n_stacked : n_stacked + 2]
    image = f"{height} x {width} {'color ' * ('S' in axes.letters)}image"
    if n_stacked == 0:
        return f"One {image}."
    counts = " x ".join(
        f"{length} {_COUNTED[letter][length != 1]}"
        for letter, length in zip(axes.letters, shape[:n_stacked], strict=False)
    )
    said = [f"{counts}, each {image} by itself."]
    if axes.assumed:
        said.append(_describe_assumed(axes))
    if range_of == "image" or "C" in axes.letters:
        who = "image" if range_of == "image" else "channel"
        said.append(f"Each {who} has {own} of its own.")
    return " ".join(said)


def describe_result(axes: Axes, shape: Sequence[int], n_levels: int) -> str:
    """Say how the result of a layer is kept.

    Parameters
    ----------
    axes, shape
        See `describe_plan`.
    n_levels : int
        The levels of a lazy layer; 0 for one that is in memory.
    """
    if n_levels == 0:
        return "in memory"
    lazily = "lazy, what you look at is computed"
    if n_levels > 1:
        return f"{lazily}; {n_levels} levels, each by itself"
    if max(shape[axes.n_stacked : axes.n_stacked + 2]) > LARGEST_PLANE:
        return f"{lazily}; a pyramid, since its images are large"
    return lazily


def _describe_assumed(axes: Axes) -> str:
    which = [axes.letters.index(letter) + 1 for letter in axes.assumed]
    numbers = ", ".join(map(str, which))
    taken = ", ".join(_COUNTED[letter][1] for letter in axes.assumed)
    axis, have, are = "Axis", "has no name", "is"
    if len(which) > 1:
        axis, have, are = "Axes", "have no names", "are"
    return f"{axis} {numbers} {have} and {are} taken as {taken} (set axis labels)."
