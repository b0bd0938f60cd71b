"""TIFF files with one defect each: in a tag, in OME-XML, or in ImageJ's metadata."""

from __future__ import annotations

import io
import struct
import xml.etree.ElementTree as ET
import zlib
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
from hostile_cases import Case, flipped, written
from stored_stacks import image_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_GRAY = image_of((24, 20))
_COLOR = image_of((24, 20, 3), "uint8")
_STACK = image_of((3, 24, 20))
_RAMP = np.stack([np.arange(256, dtype=np.uint16) * 257] * 3)
_SCALED: dict[str, Any] = {"resolution": (4, 4), "resolutionunit": "CENTIMETER"}

# Arguments of `tifffile.imwrite`, by kind.
_KINDS: dict[str, tuple[NDArray[Any], dict[str, Any]]] = {
    "gray": (_GRAY, {"metadata": None, **_SCALED}),
    "pages": (_STACK, {"photometric": "minisblack", "metadata": {"axes": "ZYX"}}),
    "color": (_COLOR, {"photometric": "rgb", "compression": "deflate", **_SCALED}),
    "tiles": (_GRAY, {"tile": (16, 16), "compression": "lzw", "predictor": True}),
    "palette": (_GRAY.astype("uint8"), {"photometric": "palette", "colormap": _RAMP}),
    "white is zero": (_GRAY.astype("uint8"), {"photometric": "miniswhite"}),
    "one bit": (_GRAY > 2000, {"photometric": "minisblack"}),
    "big": (_GRAY, {"bigtiff": True, **_SCALED}),
    "EXIF": (_COLOR, {"extratags": [(271, "s", 0, "a camera", True)]}),
    "ImageJ": (_STACK, {"imagej": True, **_SCALED}),
    "OME": (_STACK, {"ome": True, "metadata": {"axes": "ZYX"}}),
}

_RESOLUTION = {"XResolution", "YResolution", "ResolutionUnit"}
_ODD_TYPES = (0, 1, 2, 3, 5, 7, 12, 16, 99)
_ODD_COUNTS = (0, 1, 2, 1000, 0x7FFFFFFF, 0xFFFFFFFF)
_ODD_VALUES = (0, 1, 2, 3, 5, 6, 8, 9, 77, 300, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
_ODD_TEXTS = (
    *("", "x", "-1", "0", "1.5", "nan", "inf", "1e400", "99999999999999", "9" * 5000),
    *("XYZCT", "XXYZC", "&#956;", "uint64", "complex", "&lt;"),
)


@cache
def sound_tiff(kind: str) -> bytes:
    """Return a sound file of a kind in `_KINDS`."""
    pixels, options = _KINDS[kind]
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, **options)
    return buffer.getvalue()


def tag_cases(kind: str) -> Iterator[Case]:
    """Yield a file for each tag of its pages and each odd type, count or value."""
    content = sound_tiff(kind)
    with tifffile.TiffFile(io.BytesIO(content)) as tiff:
        big = tiff.is_bigtiff
        places = [(tag.name, tag.offset) for page in tiff.pages for tag in page.tags]
    count, value = (("<Q", 4), ("<Q", 12)) if big else (("<I", 4), ("<I", 8))
    fields = {
        "type": ("<H", 2, _ODD_TYPES),
        "count": (*count, _ODD_COUNTS),
        "value": (*value, _ODD_VALUES),
        "code": ("<H", 0, (0, 700, 0xFFFF)),
    }
    for name, offset in places:
        for field, (form, start, odd) in fields.items():
            for number in odd:
                changed = bytearray(content)
                struct.pack_into(form, changed, offset + start, number)
                yield Case(
                    f"tiff {kind}: {name} {field} {number}",
                    written("hostile.tif", bytes(changed)),
                    is_readable=field == "value" and name in _RESOLUTION,
                )
    for n in range(40):
        yield Case(
            f"tiff {kind}: flipped bytes {n}",
            written("hostile.tif", flipped(content, n)),
        )


def described(text: str, pixels: NDArray[Any] = _STACK) -> bytes:
    """Return a TIFF with this description."""
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer,
        pixels,
        description=text.encode(),
        metadata=None,
        photometric="minisblack",
    )
    return buffer.getvalue()


_OME = """<?xml version="1.0" encoding="UTF-8"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:a">
<Image ID="Image:0" Name="a"><AcquisitionDate>2020-01-01T00:00:00</AcquisitionDate>
<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="20" SizeY="24"
 SizeZ="3" SizeC="1" SizeT="1" PhysicalSizeX="0.5" PhysicalSizeXUnit="mm"
 PhysicalSizeY="0.5" PhysicalSizeZ="2" TimeIncrement="3" TimeIncrementUnit="s"
 BigEndian="false" Interleaved="false" SignificantBits="16">
<Channel ID="Channel:0" Name="a" Color="16711935" SamplesPerPixel="1"/>
<TiffData IFD="0" PlaneCount="3" FirstZ="0" FirstC="0" FirstT="0"/>
</Pixels></Image></OME>"""


# Attributes of OME-XML and keys of ImageJ that say nothing of where the pixels are.
_DISPENSABLE = {
    *("PhysicalSizeX", "PhysicalSizeXUnit", "PhysicalSizeY", "PhysicalSizeZ", "Color"),
    *("TimeIncrement", "TimeIncrementUnit", "Name", "unit", "spacing", "finterval"),
    *("fps", "min", "max", "loop", "xorigin", "yunit", "Info"),
}


def ome_cases() -> Iterator[Case]:
    """Yield an OME-TIFF for each defect of its OME-XML."""
    for title, text in _changed_xml():
        yield Case(
            f"tiff OME-XML: {title}",
            written("hostile.ome.tif", described(text)),
            is_readable=not _DISPENSABLE.isdisjoint(title.split()),
        )


def _changed_xml() -> Iterator[tuple[str, str]]:
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    n_elements = len(list(ET.fromstring(_OME).iter()))
    for number in range(n_elements):
        # Elements are changed in place: parse anew for each defect.
        names = list(list(ET.fromstring(_OME).iter())[number].attrib)
        for name in names:
            for odd in (None, *_ODD_TEXTS):
                root = ET.fromstring(_OME)
                element = list(root.iter())[number]
                element.set(name, odd or "")
                if odd is None:
                    del element.attrib[name]
                tag = element.tag.rpartition("}")[2]
                yield f"{tag} {name} {odd!r:.30}", head + ET.tostring(root, "unicode")
        for title in ("twice", "missing", "text"):
            yield f"element {number} {title}", head + _changed_element(number, title)
    for end in range(5, len(_OME), 60):
        yield f"ends after {end}", _OME[:end]
    for n in range(40):
        changed = flipped(_OME.encode(), n).decode("latin-1")
        yield f"flipped bytes {n}", changed
    yield "nested", "<?xml version='1.0'?>" + "<OME>" * 20_000 + "</OME>" * 20_000
    entities = "".join(
        f"<!ENTITY a{n} '{f'&a{n - 1};' * 10 if n else 'x'}'>" for n in range(10)
    )
    yield "entities", f"<?xml version='1.0'?><!DOCTYPE OME [{entities}]><OME>&a9;</OME>"


def _changed_element(number: int, title: str) -> str:
    root = ET.fromstring(_OME)
    element = list(root.iter())[number]
    parent = next((each for each in root.iter() if element in each), None)
    if title == "text":
        element.text = "x"
    elif parent is not None and title == "twice":
        parent.append(element)
    elif parent is not None:
        parent.remove(element)
    return ET.tostring(root, "unicode")


_IMAGEJ = {
    "ImageJ": "1.53t", "images": "3", "channels": "1", "slices": "3", "frames": "1",
    "hyperstack": "true", "mode": "grayscale", "unit": "micron", "spacing": "2.0",
    "finterval": "3.0", "fps": "0.3", "min": "0.0", "max": "4000.0", "loop": "false",
    "xorigin": "0", "yunit": "micron", "Info": "text",
}  # fmt: skip


def imagej_cases() -> Iterator[Case]:
    """Yield a TIFF of ImageJ for each key of its description and each odd value."""
    for key in _IMAGEJ:
        for odd in _ODD_TEXTS:
            text = "\n".join(f"{k}={v}" for k, v in (_IMAGEJ | {key: odd}).items())
            yield Case(
                f"tiff ImageJ: {key}={odd:.30}",
                written("hostile.tif", described(text)),
                is_readable=key in _DISPENSABLE,
            )


def claim_cases() -> Iterator[Case]:
    """Yield files that claim, or inflate to, far more than they hold."""
    for compression in ("deflate", "lzw", "zstd"):
        side = 30_000 if compression == "deflate" else 20_000
        buffer = io.BytesIO()
        tile = np.zeros((2000, 2000), np.uint8)
        tifffile.imwrite(
            buffer,
            (tile for _ in range((side // 2000) ** 2)),
            shape=(side, side),
            dtype=np.uint8,
            tile=(2000, 2000),
            compression=compression,
        )
        yield Case(
            f"tiff claim: {side} x {side} {compression}",
            written("hostile.tif", buffer.getvalue()),
        )
    bomb = zlib.compress(bytes(500_000_000), 1)
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, _GRAY, metadata=None)
    content = bytearray(buffer.getvalue())
    with tifffile.TiffFile(io.BytesIO(content)) as tiff:
        tags = tiff.pages.first.tags
        places = {name: tags[name].valueoffset for name in _STRIP}
    values = (8, len(content), len(bomb))
    for name, value in zip(_STRIP, values, strict=True):
        struct.pack_into("<I", content, places[name], value)
    yield Case(
        "tiff claim: a strip that inflates",
        written("hostile.tif", bytes(content) + bomb),
    )


_STRIP = ("Compression", "StripOffsets", "StripByteCounts")


def tiff_cases() -> Iterator[Case]:
    """Yield all cases of this file but those that take memory to make."""
    for kind in _KINDS:
        yield from tag_cases(kind)
    yield from ome_cases()
    yield from imagej_cases()
