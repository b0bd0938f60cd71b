"""Units of length and time in OME and ImageJ metadata."""

from __future__ import annotations

# OME's units, by the names that are written in an OME-TIFF or for ImageJ.
OME_UNITS = {"micrometer": "µm", "nanometer": "nm", "millimeter": "mm", "second": "s"}
IMAGEJ_UNITS = {"micrometer": "micron", "nanometer": "nm", "millimeter": "mm"}
# OME's names of units, by those that microscopes write.
KNOWN_UNITS = {
    "µm": "micrometer",
    "um": "micrometer",
    "\\u00b5m": "micrometer",
    "micron": "micrometer",
    "microns": "micrometer",
    "nm": "nanometer",
    "mm": "millimeter",
    "s": "second",
    "sec": "second",
    "ms": "millisecond",
    "min": "minute",
}
