"""Pixel sizes and time intervals in the metadata of OME-TIFF and ImageJ."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import tifffile

from .tiff_instruments import instrument_distances
from .units import LENGTHS, TIMES, convert, imagej_name, read_distance

if TYPE_CHECKING:
    from collections.abc import Mapping

# Keys of ImageJ's metadata that describe the pixel size, the display and the rest.
# Labels, ranges and lookup tables are kept for the selected planes and channels.
_IMAGEJ_KEYS = (
    *("unit", "yunit", "zunit", "tunit", "spacing", "finterval", "fps", "loop"),
    *("xorigin", "yorigin", "zorigin", "mode", "min", "max", "Info"),
    *("ROI", "Overlays", "Properties"),
)
# TIFF stores pixels per unit as a fraction of two 32-bit integers.
_FEWEST_PER_UNIT, _MOST_PER_UNIT = 1e-6, 4e9

_NO_UNIT = tifffile.RESUNIT.NONE
_TIFF_UNITS = {
    tifffile.RESUNIT.INCH: "inch",
    tifffile.RESUNIT.CENTIMETER: "cm",
    tifffile.RESUNIT.MILLIMETER: "mm",
    tifffile.RESUNIT.MICROMETER: "um",
}
# Units of pictures, and those of TIFF's own tags.
_OF_PICTURES = {"meter", "centimeter", "inch"}

#: Pixel spacing and its unit (OME-Zarr's name), by axis.
Calibration = tuple[dict[str, float], dict[str, str]]


def tiff_calibration(
    tiff: tifffile.TiffFile, series: tifffile.TiffPageSeries
) -> dict[str, Any]:
    """Return the pixel size of a TIFF, as arguments of `tifffile.imwrite`."""
    page = series.keyframe
    calibration: dict[str, Any] = {}
    if tiff.ome_metadata is not None or instrument_distances(tiff) is not None:
        # Their metadata state it.
        return calibration
    has_tags = "XResolution" in page.tags and "YResolution" in page.tags
    # tifffile writes these where no resolution is known.
    is_default = page.resolution == (1.0, 1.0) and page.resolutionunit == _NO_UNIT
    if has_tags and not is_default:
        calibration["resolution"] = page.resolution
        calibration["resolutionunit"] = tifffile.RESUNIT(page.resolutionunit)
    imagej = tiff.imagej_metadata or {}
    metadata = {key: imagej[key] for key in _IMAGEJ_KEYS if key in imagej}
    if metadata:
        calibration["metadata"] = metadata
    return calibration


def tiff_scale(tiff: tifffile.TiffFile, series: tifffile.TiffPageSeries) -> Calibration:
    """Return the pixel spacing in the metadata of a TIFF."""
    if tiff.ome_metadata is not None:
        return _known(_ome_distances(tiff.ome_metadata, tiff.series.index(series)))
    distances = instrument_distances(tiff)
    if distances is None:
        distances = _imagej_distances(tiff, series)
    return _known(distances)


def ome_calibration(
    scale: Mapping[str, float], units: Mapping[str, str]
) -> dict[str, Any]:
    """Return the pixel spacing as attributes of OME-XML.

    Axes whose unit OME-XML lacks are omitted: without a unit, readers would assume
    micrometers or seconds.
    """
    metadata: dict[str, Any] = {}
    for letter, (key, _) in _OME_KEYS.items():
        unit = (TIMES if letter == "T" else LENGTHS).get(units.get(letter, ""))
        if unit is not None and scale[letter] > 0:
            metadata |= {key: scale[letter], f"{key}Unit": unit.symbol}
    return metadata


def imagej_calibration(
    scale: Mapping[str, float], units: Mapping[str, str]
) -> dict[str, Any]:
    """Return the pixel spacing for ImageJ, as arguments of `tifffile.imwrite`.

    Lengths are in the unit of X (micrometers if a TIFF cannot store that), times in
    seconds. The result is empty if the pixel size is unknown.
    """
    known = {letter: scale[letter] for letter in "XY" if units.get(letter) in LENGTHS}
    if len(known) < 2 or min(known.values()) <= 0:
        return {}
    for unit in (units["X"], "micrometer"):
        per_unit = [1 / convert(known[letter], units[letter], unit) for letter in "XY"]
        if all(_FEWEST_PER_UNIT <= n <= _MOST_PER_UNIT for n in per_unit):
            break
    else:
        return {}
    metadata: dict[str, Any] = {"unit": imagej_name(unit)}
    if units.get("Z") in LENGTHS:
        metadata["spacing"] = convert(scale["Z"], units["Z"], unit)
    if units.get("T") in TIMES:
        metadata["finterval"] = convert(scale["T"], units["T"], "second")
    return {"resolution": tuple(per_unit), "metadata": metadata}


def pixel_density(
    scale: Mapping[str, float], units: Mapping[str, str]
) -> tuple[float, float] | None:
    """Return the pixels per meter along X and Y; None if they are unknown."""
    known = {letter: scale[letter] for letter in "XY" if units.get(letter) in LENGTHS}
    if len(known) < 2 or min(known.values()) <= 0:
        return None
    across, down = (1 / convert(known[axis], units[axis], "meter") for axis in "XY")
    return across, down


def plain_resolution(density: tuple[float, float] | None) -> dict[str, Any]:
    """Return pixels per meter as arguments of `tifffile.imwrite` for any TIFF."""
    if density is None:
        return {}
    across, down = (number * 0.01 for number in density)
    fits = all(_FEWEST_PER_UNIT <= n <= _MOST_PER_UNIT for n in (across, down))
    known = {"resolution": (across, down), "resolutionunit": "CENTIMETER"}
    return known if fits else {}


def picture_calibration(
    scale: Mapping[str, float], units: Mapping[str, str]
) -> dict[str, Any]:
    """Return the pixel size of a picture, as arguments of `tifffile.imwrite`.

    The result is empty if the pixels have other units than those of pictures: such
    images are measured in the units that ImageJ's metadata name.
    """
    density = pixel_density(scale, units)
    if density is None or not set(units.values()) <= _OF_PICTURES:
        return {}
    if "inch" not in units.values():
        return plain_resolution(density)
    across, down = (number * 0.0254 for number in density)
    return {"resolution": (across, down), "resolutionunit": "INCH"}


def _known(distances: dict[str, tuple[float, str]]) -> Calibration:
    """Return the distances with a known unit of length or time."""
    scale, units = {}, {}
    for letter, (distance, text) in distances.items():
        if not math.isfinite(distance):
            raise ValueError(f"the pixel spacing along {letter} is {distance}")
        # Programs write 0 where they know none.
        if distance <= 0:
            continue
        if (read := read_distance(distance, text)) is not None:
            scale[letter], units[letter] = read
    return scale, units


# OME-XML's attributes and their default units.
_OME_KEYS = {
    "X": ("PhysicalSizeX", "µm"),
    "Y": ("PhysicalSizeY", "µm"),
    "Z": ("PhysicalSizeZ", "µm"),
    "T": ("TimeIncrement", "s"),
}


def _ome_distances(xml: str, number: int) -> dict[str, tuple[float, str]]:
    images = tifffile.xml2dict(xml).get("OME", {}).get("Image", {})
    images = images if isinstance(images, list) else [images]
    image = images[min(number, len(images) - 1)]
    pixels = image.get("Pixels", {})
    return {
        letter: (float(pixels[key]), str(pixels.get(f"{key}Unit", default)))
        for letter, (key, default) in _OME_KEYS.items()
        if key in pixels
    }


def _imagej_distances(
    tiff: tifffile.TiffFile, series: tifffile.TiffPageSeries
) -> dict[str, tuple[float, str]]:
    imagej = tiff.imagej_metadata or {}
    unit = str(imagej.get("unit", ""))
    page = series.keyframe
    if not tiff.is_imagej:
        unit = _TIFF_UNITS.get(tifffile.RESUNIT(page.resolutionunit), "")
    columns, rows = page.resolution
    distances = {}
    if columns and rows:
        distances["X"] = 1 / columns, unit
        distances["Y"] = 1 / rows, str(imagej.get("yunit", unit))
    if "spacing" in imagej:
        # ImageJ ignores the sign of a negative spacing, too.
        distances["Z"] = abs(float(imagej["spacing"])), str(imagej.get("zunit", unit))
    if imagej.get("finterval"):
        interval = float(imagej["finterval"])
        distances["T"] = interval, str(imagej.get("tunit", "sec"))
    return distances
