"""Read EXIF data from a TIFF, and write them into one.

In a TIFF, EXIF data are tags of the first page, and directories of their own, to which
two of the tags point.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, Any

import tifffile
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from .picture_metadata import without_prefix

if TYPE_CHECKING:
    from pathlib import Path

# Make, model, artist, copyright.
_TEXTS = (271, 272, 315, 33432)
# Pointers to EXIF data and to the position.
_DIRECTORIES = (34665, 34853)
# tifffile writes no pointers. It writes these tags, which sort in the same way.
_PLACEHOLDERS = {34665: 34664, 34853: 34852}
# A directory within EXIF data, which few programs read.
_INTEROPERABILITY = 40965
_BIG = 43


def read_tiff_exif(path: Path, page: tifffile.TiffPage) -> bytes:
    """Return the EXIF data of a TIFF, without prefix; empty if there are none."""
    if not any(tag in page.tags for tag in _TEXTS + _DIRECTORIES):
        return b""
    exif = Image.Exif()
    with path.open("rb") as file:
        head = file.read(8)
        if head[2] == _BIG or head[3] == _BIG:
            head += file.read(8)
        first = ImageFileDirectory_v2(head)
        file.seek(first.next)
        first.load(file)
        for tag in _TEXTS:
            if tag in first:
                exif[tag] = first[tag]
        for tag in _DIRECTORIES:
            if tag in first:
                directory = ImageFileDirectory_v2(head, group=tag)
                file.seek(first[tag])
                directory.load(file)
                exif.get_ifd(tag).update(directory)
    return without_prefix(exif.tobytes())


def exif_tags(exif: bytes, *, big: bool) -> list[tuple[int, str, int, Any, bool]]:
    """Return EXIF data as the argument `extratags` of `tifffile.imwrite`.

    `append_exif` turns the placeholders among them into pointers. A BigTIFF gets none,
    because pointers are 32 bits long.
    """
    if not exif:
        return []
    content = _load(exif)
    texts = [(tag, "s", 0, str(content[tag]), True) for tag in _TEXTS if tag in content]
    pointers = [tag for tag in _DIRECTORIES if content.get_ifd(tag) and not big]
    return texts + [(_PLACEHOLDERS[tag], "I", 1, 0, True) for tag in pointers]


def append_exif(path: Path, exif: bytes) -> None:
    """Append the directories of EXIF data to a TIFF that has `exif_tags`."""
    if not exif:
        return
    content = _load(exif)
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tags = tiff.pages.first.tags
        head = b"II*\0" if tiff.byteorder == "<" else b"MM\0*"
        for tag in _DIRECTORIES:
            if _PLACEHOLDERS[tag] not in tags:
                continue
            directory = ImageFileDirectory_v2(head + bytes(4), group=tag)
            for key, value in content.get_ifd(tag).items():
                if key != _INTEROPERABILITY:
                    directory[key] = value
            file = tiff.filehandle
            file.seek(0, os.SEEK_END)
            padding = file.tell() % 2
            offset = file.tell() + padding
            file.write(bytes(padding) + directory.tobytes(offset))
            pointer = tags[_PLACEHOLDERS[tag]]
            pointer.overwrite(offset)
            file.seek(pointer.offset)
            file.write(struct.pack(f"{tiff.byteorder}H", tag))


def _load(exif: bytes) -> Image.Exif:
    content = Image.Exif()
    content.load(exif)
    return content
