"""Find the axes of a layer: from names, metadata and units, else from the shape."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any

from ...errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Recognized axis labels.
_NAMES = {
    "T": ("t", "time", "times", "frame", "frames"),
    "Z": ("z", "depth", "depths", "plane", "planes"),
    "C": ("c", "ch", "channel", "channels"),
    "Y": ("y", "row", "rows", "height"),
    "X": ("x", "col", "column", "columns", "width"),
}
_LETTERS = {name: letter for letter, names in _NAMES.items() for name in names}
#: Singular and plural of the planes along an axis.
PLANE_NAMES = {
    "T": ("frame", "frames"),
    "Z": ("depth", "depths"),
    "C": ("channel", "channels"),
}
# Guessed for unnamed axes before Y and X, in this order.
_LEADING = "TZC"
# Where readers store the axes in the metadata of a layer.
_KEYS = ("axes", "dims")
_BY_UNIT = {"[time]": "T", "[length]": "Z"}
# Lengths of axes that may be channels.
_FEWEST_CHANNELS, _MOST_CHANNELS = 2, 4


@dataclass(frozen=True, slots=True)
class Axes:
    """The axes of a layer's data.

    Parameters
    ----------
    letters : str
        One letter for each dimension; see `denoise`.
    guessed : str
        The letters that are guessed, because neither names nor metadata say them.
    """

    letters: str
    guessed: str = ""

    @property
    def n_stacked(self) -> int:
        """Number of axes before Y and X."""
        return self.letters.index("Y")


def possible_axes(axes: Axes) -> list[str]:
    """Return what the axes of a layer could be, with the same Y, X and S."""
    planes = axes.letters[axes.n_stacked :]
    return ["".join(each) + planes for each in permutations(_LEADING, axes.n_stacked)]


def find_axes(
    labels: Sequence[str],
    name: str,
    *,
    rgb: bool,
    shape: Sequence[int] = (),
    units: Sequence[Any] = (),
    metadata: Mapping[str, Any] | None = None,
) -> Axes:
    """Find the axes of a layer.

    Parameters
    ----------
    labels : sequence of str
        The axis labels of the layer, without the color axis.
    name : str
        The layer's name, for messages.
    rgb : bool
        Whether the layer has a color axis.
    shape : sequence of int, optional
        The length of each axis, to guess what labels, metadata and units do not say.
    units : sequence of pint.Unit, optional
        The unit of each axis: times are T, and lengths Z.
    metadata : mapping, optional
        The metadata of the layer, in which readers may have stored the axes.

    Returns
    -------
    Axes
        The axes. Of several unknown axes, the only one of 2 to 4 planes is taken as C
        if the layer has no color axis; the others are T, Z and C, in this order.

    Raises
    ------
    InvalidInputError
        If there are too many axes, Y and X are not the last two, or two axes are
        the same.
    """
    if not 0 <= len(labels) - 2 <= len(_LEADING):
        raise InvalidInputError(
            f"The layer {name!r} has {len(labels)} dimensions; 2 to "
            f"{len(_LEADING) + 2} can be denoised."
        )
    known = _named(labels, name)
    for clues in (_stored_axes(metadata or {}, len(labels), rgb=rgb), _by_unit(units)):
        for number, letter in enumerate(clues[: len(known)]):
            if not known[number] and letter in _LEADING and letter not in known:
                known[number] = letter
    # Colors are not channels at the same time.
    letters = _fill(known, () if rgb else shape)
    guessed = "".join(
        letter for letter, name in zip(letters, known, strict=True) if not name
    )
    return Axes("".join(letters) + ("YXS" if rgb else "YX"), guessed)


def _named(labels: Sequence[str], name: str) -> list[str]:
    """Return the letters that the labels say before Y and X, empty where they do not.

    The parameters are those of `find_axes`.
    """
    known = [_letter(label) for label in labels]
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
    return known[:-2]


def _letter(label: Any) -> str:
    name = label.get("name", "") if isinstance(label, dict) else label
    return _LETTERS.get(str(name).strip().lower(), "")


def _stored_axes(metadata: Mapping[str, Any], ndim: int, *, rgb: bool) -> list[str]:
    """Return the letters before Y and X in the metadata; none if they do not fit."""
    for key in _KEYS:
        stored = metadata.get(key)
        if isinstance(stored, str | list | tuple) and len(stored) == ndim + rgb:
            letters = [_letter(each) for each in stored[:ndim]]
            if letters[-2:] == ["Y", "X"]:
                return letters[:-2]
    return []


def _by_unit(units: Sequence[Any]) -> list[str]:
    kinds = (list(getattr(unit, "dimensionality", {})) for unit in units[:-2])
    return [_BY_UNIT.get(kind[0], "") if len(kind) == 1 else "" for kind in kinds]


def _fill(known: Sequence[str], shape: Sequence[int]) -> list[str]:
    """Guess the unknown letters before Y and X."""
    free = [letter for letter in _LEADING if letter not in known]
    unknown = [number for number, letter in enumerate(known) if not letter]
    letters = list(known)
    short = [number for number in unknown if may_be_channels(number, shape)]
    if "C" in free and len(unknown) > 1 and len(short) == 1:
        letters[short[0]] = "C"
        free.remove("C")
    return [letter or free.pop(0) for letter in letters]


def may_be_channels(axis: int, shape: Sequence[int]) -> bool:
    """Return whether an axis is as short as channels are."""
    return len(shape) > axis and _FEWEST_CHANNELS <= shape[axis] <= _MOST_CHANNELS


def describe_guess(axes: Axes, shape: Sequence[int]) -> str:
    """Describe which axes are guessed; empty if none is.

    It is a warning where the guess decides what is a channel.

    Parameters
    ----------
    axes : Axes
        The axes.
    shape : sequence of int
        The length of each axis.
    """
    if not axes.guessed:
        return ""
    for letter in axes.guessed:
        number = axes.letters.index(letter)
        axis = f"axis {number + 1}, of length {shape[number]},"
        if letter == "C":
            return f"⚠ Guessed: {axis} is taken as channels."
        has_colors = bool(set("CS") & set(axes.letters))
        if not has_colors and may_be_channels(number, shape):
            frames = PLANE_NAMES[letter][1]
            return f"⚠ Guessed: {axis} is taken as {frames}. Is it channels?"
    numbers = [str(axes.letters.index(letter) + 1) for letter in axes.guessed]
    if len(numbers) == 1:
        return f"Guessed: axis {numbers[0]} has no name."
    return f"Guessed: axes {' and '.join(numbers)} have no names."
