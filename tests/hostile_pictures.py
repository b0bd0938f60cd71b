"""PNG, JPEG and WebP files with one defect each."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from hostile_cases import Case, flipped, written
from PIL import Image
from stored_stacks import image_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_COLOR = Image.fromarray(image_of((24, 20, 3), "uint8"))
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SUFFIX = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp", "animated PNG": ".png"}


@cache
def sound_picture(kind: str) -> bytes:
    """Return a sound picture with a color profile, EXIF data and a pixel size."""
    exif = Image.Exif()
    exif[271] = "a camera"
    options: dict[str, object] = {"exif": exif, "icc_profile": b"profile" * 20}
    if kind != "WEBP":
        options["dpi"] = (300, 300)
    if kind == "animated PNG":
        options |= {"save_all": True, "append_images": [_COLOR.rotate(180)]}
    buffer = io.BytesIO()
    _COLOR.save(buffer, format=kind.rpartition(" ")[2], **options)
    return buffer.getvalue()


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """Return a chunk of a PNG with a valid checksum."""
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def png_chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    """Return the chunks of a PNG."""
    found, start = [], len(_SIGNATURE)
    while start < len(content):
        length, kind = struct.unpack(">I4s", content[start : start + 8])
        found.append((kind, content[start + 8 : start + 8 + length]))
        start += 12 + length
    return found


def as_png(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """Return chunks as a PNG."""
    return _SIGNATURE + b"".join(png_chunk(*chunk) for chunk in chunks)


def chunk_cases(kind: str) -> Iterator[Case]:
    """Yield a PNG for each chunk and each defect of it, with valid checksums."""
    chunks = png_chunks(sound_picture(kind))
    for number, (name, content) in enumerate(chunks):
        odd = {
            "empty": b"",
            "short": content[:2],
            "long": content + bytes(300),
            "ones": b"\xff" * len(content),
            "zeros": bytes(len(content)),
            **{f"flipped {n}": flipped(content or b"\0", n) for n in range(12)},
        }
        lists = {title: [(name, changed)] for title, changed in odd.items()}
        lists |= {"missing": [], "twice": [(name, content)] * 2}
        for title, instead in lists.items():
            changed = as_png([*chunks[:number], *instead, *chunks[number + 1 :]])
            yield Case(
                f"{kind}: {name.decode()} {number} {title}",
                written("hostile.png", changed),
            )
    yield from _odd_headers(kind, chunks)


def _odd_headers(kind: str, chunks: list[tuple[bytes, bytes]]) -> Iterator[Case]:
    for width in (0, 1, 20, 2000, 2**31 - 1, 2**32 - 1):
        for depth, color in ((8, 2), (16, 0), (1, 3), (1, 0), (7, 9), (8, 6), (255, 4)):
            header = struct.pack(">IIBB", width, 24, depth, color) + chunks[0][1][10:]
            yield Case(
                f"{kind}: header {width} {depth} {color}",
                written("hostile.png", as_png([(b"IHDR", header), *chunks[1:]])),
            )


def byte_cases(kind: str) -> Iterator[Case]:
    """Yield a picture for each way of changing or cutting its bytes."""
    content, name = sound_picture(kind), f"hostile{_SUFFIX[kind]}"
    for n in range(300):
        yield Case(f"{kind}: flipped bytes {n}", written(name, flipped(content, n)))
    for end in range(0, len(content), 30):
        yield Case(f"{kind}: ends after {end}", written(name, content[:end]))


def large_png(side: int) -> bytes:
    """Return a PNG of zeros, `side` x `side`, about a thousandth of that in bytes."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(side + 1)) for _ in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", packed + packer.flush()), (b"IEND", b"")]
    return as_png(chunks)


def bomb_cases() -> Iterator[Case]:
    """Yield files that claim, or inflate to, far more than they hold."""
    yield Case("PNG claim: 30000 x 30000", written("hostile.png", large_png(30_000)))
    chunks = png_chunks(sound_picture("PNG"))
    packed = zlib.compress(bytes(900_000_000), 9)
    profile = (b"iCCP", b"a\0\0" + packed)
    kept = [chunk for chunk in chunks[1:] if chunk[0] != b"iCCP"]
    yield Case(
        "PNG claim: a profile that inflates",
        written("hostile.png", as_png([chunks[0], profile, *kept])),
    )
    for kind, side in (("JPEG", 20_000), ("WEBP", 16_383)):
        buffer = io.BytesIO()
        picture = np.zeros((side, side), np.uint8)
        Image.fromarray(picture).convert("RGB" if kind == "WEBP" else "L").save(
            buffer, format=kind, quality=1
        )
        yield Case(
            f"{kind} claim: {side} x {side}",
            written(f"hostile{_SUFFIX[kind]}", buffer.getvalue()),
        )


def picture_cases() -> Iterator[Case]:
    """Yield all cases of this file but those that take memory to make."""
    for kind in _SUFFIX:
        yield from byte_cases(kind)
    for kind in ("PNG", "animated PNG"):
        yield from chunk_cases(kind)
