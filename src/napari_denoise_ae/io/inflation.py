"""Refuse compressed chunks that inflate far beyond their shape.

A few kilobytes can inflate to gigabytes, which zarr or HDF5 would hold in memory before
it checks the shape of the chunk.
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
from zarr.abc.store import RangeByteRequest, SuffixByteRequest
from zarr.codecs import BytesCodec, Crc32cCodec, ShardingCodec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import zarr
    from zarr.abc.store import ByteRequest

# Filters may store wider numbers than the pixels have. Smaller sizes do no harm.
_WIDEST, _HARMLESS = 8, 2**24
# No deflated data inflate by more than this factor.
_MOST_OF_DEFLATE = 1100
# LZF copies at most 264 bytes for 3.
_MOST_OF_LZF = 88
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_MISSING = 2**64 - 1
_PIECE = 2**20


@dataclass(frozen=True, slots=True)
class ChunkLimit:
    """The size to which the chunks of an array may inflate.

    Parameters
    ----------
    codec : str
        The compression; empty if there is none, or an unknown one.
    limit : int
        Largest size of an inflated chunk, in bytes.
    index : ShardIndex or None
        The index of a shard; None without shards.
    """

    codec: str
    limit: int
    index: ShardIndex | None = None

    @classmethod
    def of(cls, array: zarr.Array[Any]) -> ChunkLimit:
        """Return the limit of an array.

        Raises
        ------
        ValueError
            If its chunks are compressed more than once, or something else is done
            after it, so that it is unknown what they inflate to.
        """
        codecs = [
            _name(codec)
            for codec in (*array.filters, *array.compressors)
            # It appends to a chunk, which no decompressor minds.
            if not isinstance(codec, Crc32cCodec)
        ]
        inflating = [name for name in codecs if name in _REQUIRES]
        if inflating not in ([], codecs[-1:]):
            raise ValueError(f"its chunks are compressed by {' and '.join(codecs)}")
        is_nested = isinstance(array.serializer, ShardingCodec)
        if is_nested:
            raise ValueError("its shards are compressed, or contain shards")
        n_bytes = math.prod(array.chunks) * np.dtype(array.dtype).itemsize
        limit = max(_WIDEST * n_bytes, _HARMLESS)
        index = ShardIndex.of(array) if inflating and array.shards else None
        return cls("".join(inflating), limit, index)

    def require(self, content: memoryview, part: ByteRequest | None) -> None:
        """Raise if a chunk, or one in a shard, inflates beyond the limit.

        Parameters
        ----------
        content : memoryview
            The stored bytes.
        part : ByteRequest or None
            Which bytes of the file they are; None if they are all.

        Raises
        ------
        ValueError
            If it does.
        """
        if not self.codec:
            return
        chunks = iter((content,))
        if self.index is not None:
            if part is None:
                chunks = self.index.chunks_of(content)
            elif self.index.is_at(part):
                self.index.require_outside(content)
                return
        for chunk in chunks:
            _REQUIRES[self.codec](chunk, self.limit)


@dataclass(frozen=True, slots=True)
class ShardIndex:
    """Where a shard lists its chunks.

    Parameters
    ----------
    n_chunks : int
        Number of chunks in a shard.
    n_bytes : int
        Length of the index.
    is_first : bool
        Whether it is at the start of the shard.
    """

    n_chunks: int
    n_bytes: int
    is_first: bool

    @classmethod
    def of(cls, array: zarr.Array[Any]) -> ShardIndex:
        """Return the index of the shards of an array.

        Raises
        ------
        ValueError
            If it is not stored as numbers, with or without a checksum.
        """
        metadata: Any = array.metadata
        sharding = metadata.codecs[0]
        codecs = sharding.index_codecs
        kinds = [type(codec) for codec in codecs]
        is_usual = kinds in ([BytesCodec], [BytesCodec, Crc32cCodec])
        if not is_usual or codecs[0].to_dict() != BytesCodec(endian="little").to_dict():
            raise ValueError("the index of its shards is encoded in an unusual way")
        n_chunks = math.prod(array.shards or ()) // max(math.prod(array.chunks), 1)
        # A checksum has four bytes.
        n_bytes = 16 * n_chunks + 4 * (len(codecs) - 1)
        location = getattr(sharding.index_location, "value", sharding.index_location)
        return cls(n_chunks, n_bytes, location == "start")

    def is_at(self, part: ByteRequest) -> bool:
        """Return whether a part of a shard is its index."""
        if self.is_first:
            return part == RangeByteRequest(0, self.n_bytes)
        return isinstance(part, SuffixByteRequest)

    def require_outside(self, content: memoryview) -> None:
        """Raise if the index itself is listed as a chunk."""
        least = self.n_bytes if self.is_first else 0
        if any(offset < least for offset, _ in self._entries(content)):
            raise ValueError("a chunk overlaps the index of its shard")

    def chunks_of(self, content: memoryview) -> Iterator[memoryview]:
        """Yield the chunks of a shard."""
        index = content[: self.n_bytes] if self.is_first else content[-self.n_bytes :]
        for offset, length in self._entries(index):
            yield content[offset : offset + length]

    def _entries(self, index: memoryview) -> list[list[int]]:
        """Return offset and length of each chunk."""
        if len(index) < self.n_bytes:
            return []
        entries = np.frombuffer(index[: 16 * self.n_chunks], "<u8").reshape(-1, 2)
        return [each for each in entries.tolist() if each[0] != _MISSING]


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


def _require_lzf(content: memoryview, limit: int) -> None:
    if _MOST_OF_LZF * len(content) <= limit:
        return
    try:
        imagecodecs.lzf_decode(bytes(content), out=limit)
    except imagecodecs.LzfError:
        # Damaged data raise an error of h5py as well.
        _require(limit + 1, limit)


def _require_header(start: int) -> Callable[[memoryview, int], None]:
    """Return a check of a size of 32 bits in the header."""

    def require(content: memoryview, limit: int) -> None:
        _require(int.from_bytes(content[start : start + 4], "little"), limit)

    return require


def _require_hdf5_header(content: memoryview, limit: int) -> None:
    """Check the size that LZ4 and bitshuffle of HDF5 write before their blocks."""
    _require(int.from_bytes(content[:8], "big"), limit)


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
    "hdf5-bitshuffle": _require_hdf5_header,
    "hdf5-lz4": _require_hdf5_header,
    "lz4": _require_header(0),
    "lzf": _require_lzf,
    "lzma": _require_stream(lzma.LZMADecompressor, math.inf),
    "szip": _require_header(0),
    "zlib": _require_stream(zlib.decompressobj, _MOST_OF_DEFLATE),
    "zstd": _require_zstd,
}
