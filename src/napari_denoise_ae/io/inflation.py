"""Refuse compressed chunks that inflate far beyond their shape.

A few kilobytes can inflate to gigabytes, which zarr would hold before it looks at the
shape of the chunk.
"""

from __future__ import annotations

import bz2
import lzma
import math
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import zarr

# Filters may store wider numbers than the pixels have. Smaller sizes do no harm.
_WIDEST, _HARMLESS = 8, 2**24
# No deflated data inflate by more than this factor.
_MOST_OF_DEFLATE = 1100
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_MISSING = 2**64 - 1
_PIECE = 2**20


@dataclass(frozen=True, slots=True)
class ChunkLimit:
    """The size to which the chunks of an array may inflate.

    Parameters
    ----------
    codec : str
        The compression; empty if there is none that is known.
    limit : int
        Most bytes of a chunk.
    n_inner : int
        Number of chunks in a shard; 0 without shards.
    index_first : bool
        Whether the index of a shard is at its start.
    """

    codec: str
    limit: int
    n_inner: int = 0
    index_first: bool = False

    @classmethod
    def of(cls, array: zarr.Array[Any]) -> ChunkLimit:
        """Return the limit of an array.

        Raises
        ------
        ValueError
            If its chunks are compressed more than once.
        """
        codecs = [_name(codec) for codec in (*array.filters, *array.compressors)]
        inflating = [name for name in codecs if name in _REQUIRES]
        if len(inflating) > 1:
            raise ValueError(f"its chunks are compressed by {' and '.join(inflating)}")
        n_bytes = math.prod(array.chunks) * np.dtype(array.dtype).itemsize
        limit = max(_WIDEST * n_bytes, _HARMLESS)
        if array.shards is None:
            return cls("".join(inflating), limit)
        n_inner = math.prod(array.shards) // max(math.prod(array.chunks), 1)
        metadata: Any = array.metadata
        location = getattr(metadata.codecs[0], "index_location", "end")
        index_first = str(getattr(location, "value", location)) == "start"
        return cls("".join(inflating), limit, n_inner, index_first)

    def require(self, content: memoryview, *, is_part: bool) -> None:
        """Raise if a chunk, or one in a shard, inflates beyond the limit.

        Parameters
        ----------
        content : memoryview
            The stored bytes.
        is_part : bool
            Whether they are a part of a file, such as a chunk of a shard.

        Raises
        ------
        ValueError
            If it does.
        """
        if not self.codec:
            return
        if self.n_inner and not is_part:
            chunks = self._in_shard(content)
        else:
            chunks = iter((content,))
        for chunk in chunks:
            _REQUIRES[self.codec](chunk, self.limit)

    def _in_shard(self, content: memoryview) -> Iterator[memoryview]:
        """Yield the chunks that the index of a shard lists."""
        n_bytes = 16 * self.n_inner
        # The checksum of an index has four bytes.
        start = 0 if self.index_first else len(content) - n_bytes - 4
        if start < 0 or len(content) < n_bytes:
            return
        index = np.frombuffer(content[start : start + n_bytes], "<u8")
        for offset, length in index.reshape(-1, 2).tolist():
            if offset != _MISSING:
                yield content[offset : offset + length]


def _name(codec: Any) -> str:
    """Return the name of a codec of zarr 2 or 3."""
    plain = codec.to_dict() if hasattr(codec, "to_dict") else codec.get_config()
    name = str(plain.get("name") or plain.get("id"))
    return name.removeprefix("numcodecs.")


def _require(n_bytes: int, limit: int) -> None:
    if n_bytes > limit:
        raise ValueError(f"a chunk inflates to more than {limit:,} bytes")


def _require_zstd(content: memoryview, limit: int) -> None:
    if content[:4] != _ZSTD_MAGIC or len(content) < 6:
        return
    # RFC 8878, section 3.1.1.1: the descriptor says which fields follow.
    descriptor = content[4]
    is_single = bool(descriptor & 0x20)
    width = (1 if is_single else 0, 2, 4, 8)[descriptor >> 6]
    start = 5 + (not is_single) + (0, 1, 2, 4)[descriptor & 3]
    if width:
        size = int.from_bytes(content[start : start + width], "little")
        _require(size + 256 * (width == 2), limit)
        return
    try:
        imagecodecs.zstd_decode(bytes(content), out=limit)
    except imagecodecs.ZstdError:
        # Damaged data raise an error of zarr as well.
        _require(limit + 1, limit)


def _require_header(start: int) -> Callable[[memoryview, int], None]:
    """Return a check of a size of 32 bits in the header."""

    def require(content: memoryview, limit: int) -> None:
        _require(int.from_bytes(content[start : start + 4], "little"), limit)

    return require


def _require_stream(
    start: Callable[[], Any], most: float
) -> Callable[[memoryview, int], None]:
    """Return a check that inflates piece by piece, unless the data are few."""

    def require(content: memoryview, limit: int) -> None:
        if most * len(content) <= limit:
            return
        n_bytes, left = 0, bytes(content)
        try:
            while left:
                stream, given = start(), left
                while not stream.eof:
                    n_piece = len(stream.decompress(given, _PIECE))
                    given = getattr(stream, "unconsumed_tail", b"")
                    n_bytes += n_piece
                    _require(n_bytes, limit)
                    if not n_piece and not given:
                        return
                left = stream.unused_data
        except (OSError, EOFError, lzma.LZMAError, zlib.error):
            # Damaged data raise an error of zarr as well.
            return

    return require


#: For each compression a function that raises if bytes inflate beyond a limit.
_REQUIRES: dict[str, Callable[[memoryview, int], None]] = {
    "blosc": _require_header(4),
    "bz2": _require_stream(bz2.BZ2Decompressor, math.inf),
    "gzip": _require_stream(lambda: zlib.decompressobj(wbits=31), _MOST_OF_DEFLATE),
    "lz4": _require_header(0),
    "lzma": _require_stream(lzma.LZMADecompressor, math.inf),
    "zlib": _require_stream(zlib.decompressobj, _MOST_OF_DEFLATE),
    "zstd": _require_zstd,
}
