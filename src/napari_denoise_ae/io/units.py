"""Convert units of length and time between OME-Zarr, OME-TIFF and ImageJ.

The package uses OME-Zarr's names of units everywhere, such as ``micrometer``. The
tables here translate OME-TIFF's symbols and ImageJ's names to them, and back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of length or time.

    Parameters
    ----------
    symbol : str
        Its name in OME-XML.
    size : float
        Its size in meters or seconds.
    """

    symbol: str
    size: float


# Prefixes with their symbols and powers of ten; OME-Zarr has no decameter.
_PREFIXES = {
    "yotta": ("Y", 24), "zetta": ("Z", 21), "exa": ("E", 18), "peta": ("P", 15),
    "tera": ("T", 12), "giga": ("G", 9), "mega": ("M", 6), "kilo": ("k", 3),
    "hecto": ("h", 2), "": ("", 0), "deci": ("d", -1), "centi": ("c", -2),
    "milli": ("m", -3), "micro": ("µ", -6), "nano": ("n", -9), "pico": ("p", -12),
    "femto": ("f", -15), "atto": ("a", -18), "zepto": ("z", -21), "yocto": ("y", -24),
}  # fmt: skip


def _with_prefixes(word: str, symbol: str) -> dict[str, Unit]:
    return {
        prefix + word: Unit(letter + symbol, float(f"1e{power}"))
        for prefix, (letter, power) in _PREFIXES.items()
    }


#: All units of length and of time in OME-Zarr, by name.
LENGTHS = {
    **_with_prefixes("meter", "m"),
    "angstrom": Unit("Å", 1e-10),
    "inch": Unit("in", 0.0254),
    "foot": Unit("ft", 0.3048),
    "yard": Unit("yd", 0.9144),
    "mile": Unit("mi", 1609.344),
    "parsec": Unit("pc", 3.0856775814913673e16),
}
TIMES = {
    **_with_prefixes("second", "s"),
    "minute": Unit("min", 60.0),
    "hour": Unit("h", 3600.0),
    "day": Unit("d", 86400.0),
}
_UNITS = LENGTHS | TIMES

# Units that only OME-XML has, as multiples of the units above.
_ONLY_OME = {
    "dam": (10.0, "meter"),
    "thou": (25.4, "micrometer"),
    "li": (1 / 12, "inch"),
    "ua": (149597870700.0, "meter"),
    "ly": (9460730472580800.0, "meter"),
    "pt": (1 / 72, "inch"),
    "das": (10.0, "second"),
}
# ImageJ's own names where they differ from the symbols.
_IMAGEJ = {"micrometer": "micron", "angstrom": "A", "inch": "inch"}

# Symbols are case-sensitive (mm, Mm); words are not.
_SYMBOLS = {unit.symbol: word for word, unit in _UNITS.items()} | {
    "um": "micrometer",
    "us": "microsecond",
    "A": "angstrom",
}
_WORDS = {
    **{word: word for word in _UNITS},
    **{f"{word}s": word for word in _UNITS},
    "micron": "micrometer",
    "microns": "micrometer",
    "inches": "inch",
    "feet": "foot",
    "sec": "second",
    "msec": "millisecond",
    "usec": "microsecond",
    "hr": "hour",
}


def known_unit(text: str) -> str | None:
    """Return OME-Zarr's name for a unit written by another program.

    Parameters
    ----------
    text : str
        A symbol or a name, such as ``"µm"`` or ``"Microns"``.

    Returns
    -------
    str or None
        None if it is not a unit of length or time, such as pixels.

    Examples
    --------
    >>> known_unit("µm"), known_unit("Microns"), known_unit("pixel")
    ('micrometer', 'micrometer', None)
    """
    # ImageJ escapes \u00b5; some programs write the Greek letter mu instead.
    plain = re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), text).strip()
    plain = plain.replace("\u03bc", "\u00b5").replace("\u212b", "Å")
    american = plain.lower().replace("metre", "meter")  # codespell:ignore metre
    return _SYMBOLS.get(plain) or _WORDS.get(american)


def read_distance(distance: float, text: str) -> tuple[float, str] | None:
    """Return a distance and OME-Zarr's name of its unit.

    Parameters
    ----------
    distance : float
        Pixel spacing or time interval, in the unit `text`.
    text : str
        Unit as written in OME-XML or by ImageJ.

    Returns
    -------
    tuple of float and str, or None
        The distance, converted if OME-Zarr lacks the unit, and the unit; None if the
        text is not a unit of length or time.
    """
    factor, word = _ONLY_OME.get(text, (1.0, known_unit(text)))
    return None if word is None else (factor * distance, word)


def convert(distance: float, unit: str, target: str) -> float:
    """Convert a distance to another unit of the same kind."""
    if unit == target:
        return distance
    return distance * (_UNITS[unit].size / _UNITS[target].size)


def imagej_name(unit: str) -> str:
    """Return ImageJ's name of a unit of length."""
    return _IMAGEJ.get(unit, LENGTHS[unit].symbol)


def as_ascii(value: Any) -> Any:
    """Escape non-ASCII characters of a text as ImageJ does; return others as is."""
    if not isinstance(value, str):
        return value
    return "".join(
        letter if letter.isascii() else f"\\u{ord(letter):04x}" for letter in value
    )
