"""A chunk that inflates far beyond its shape is refused before it does."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tracemalloc
import zlib

import google_crc32c
import numcodecs
import numpy as np
import pytest
import zarr
from stored_stacks import image_of

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.io.source import open_volume

SHAPE = (64, 80)
IMAGE = image_of(SHAPE)
ZEROS = bytes(2**26)
ALL = (slice(None),) * 2


def zstd_of_unknown_size() -> bytes:
    """Return 64 MiB of zeros in Zstandard, without the size in the header."""
    # A frame of blocks that repeat one byte 131,072 times; the last one is marked.
    blocks = [
        (2**17 << 3 | 1 << 1 | (n == 511)).to_bytes(3, "little") for n in range(512)
    ]
    return b"\x28\xb5\x2f\xfd\x00\x58" + b"".join(block + b"\0" for block in blocks)


BOMBS = {
    "zstd": numcodecs.Zstd().encode(ZEROS),
    "zstd of unknown size": zstd_of_unknown_size(),
    "gzip": gzip.compress(ZEROS),
    "gzip in members": gzip.compress(ZEROS[: 2**24 - 9]) * 2,
    "blosc": numcodecs.Blosc().encode(ZEROS),
    "zlib": zlib.compress(ZEROS),
    "bz2": bz2.compress(ZEROS),
    "lzma": lzma.compress(ZEROS),
    "lz4": numcodecs.LZ4().encode(ZEROS),
}


CODECS = {
    "zstd": zarr.codecs.ZstdCodec(),
    "gzip": zarr.codecs.GzipCodec(),
    "blosc": zarr.codecs.BloscCodec(typesize=2),
}
BYTES = zarr.codecs.BytesCodec()
INDEX = [BYTES, zarr.codecs.Crc32cCodec()]


@pytest.mark.parametrize(
    ("name", "version"),
    [(name, 2) for name in BOMBS]
    + [(name, 3) for name in BOMBS if name.partition(" ")[0] in CODECS],
)
def test_a_chunk_may_not_inflate_far_beyond_its_shape(name, version, tmp_path):
    codec = name.partition(" ")[0]
    compressor = CODECS[codec] if version == 3 else numcodecs.get_codec({"id": codec})
    path = tmp_path / "a.zarr"
    zarr.create_array(path, data=IMAGE, compressors=compressor, zarr_format=version)
    chunk = path / ("0.0" if version == 2 else "c/0/0")
    np.testing.assert_array_equal(open_volume(path).read_part(ALL), IMAGE)
    chunk.write_bytes(BOMBS[name])
    volume = open_volume(path)
    tracemalloc.start()
    with pytest.raises(InvalidInputError, match="inflates to more than 16,777,216 byt"):
        volume.read_part(ALL)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**25


@pytest.mark.parametrize("place", ["start", "end"])
@pytest.mark.parametrize("part", [ALL, (slice(32, 64), slice(40, 80))])
def test_a_chunk_of_a_shard_is_limited_too(part, place, tmp_path):
    codecs = [zarr.codecs.BytesCodec(), zarr.codecs.ZstdCodec()]
    sharding = zarr.codecs.ShardingCodec(
        chunk_shape=(32, 40), codecs=codecs, index_location=place
    )
    path = tmp_path / "a.zarr"
    array = zarr.create(
        SHAPE, chunks=SHAPE, dtype=IMAGE.dtype, codecs=[sharding], store=path
    )
    array[:] = IMAGE
    np.testing.assert_array_equal(open_volume(path).read_part(part), IMAGE[part])
    # The last chunk of the shard becomes a bomb at the end of the chunks.
    content, n_bytes = (path / "c/0/0").read_bytes(), 4 * 16 + 4
    at_end = place == "end"
    chunks = content[:-n_bytes] if at_end else content[n_bytes:]
    index = content[-n_bytes:] if at_end else content[:n_bytes]
    entries = np.frombuffer(index[:-4], "<u8").reshape(4, 2).copy()
    entries[3] = len(chunks) + (0 if at_end else n_bytes), len(BOMBS["zstd"])
    chunks += BOMBS["zstd"]
    index = entries.tobytes()
    index += google_crc32c.value(index).to_bytes(4, "little")
    (path / "c/0/0").write_bytes(chunks + index if at_end else index + chunks)
    with pytest.raises(InvalidInputError, match="inflates to more than"):
        open_volume(path).read_part(part)


@pytest.mark.parametrize("place", ["start", "end"])
@pytest.mark.parametrize("index", [INDEX, INDEX[:1]])
def test_the_index_of_a_shard_is_no_chunk(index, place, tmp_path):
    """The first chunk is missing, so that the index begins with a large number."""
    sharding = zarr.codecs.ShardingCodec(
        chunk_shape=(32, 40),
        codecs=[BYTES, CODECS["blosc"]],
        index_codecs=index,
        index_location=place,
    )
    path = tmp_path / "a.zarr"
    array = zarr.create(SHAPE, chunks=SHAPE, dtype="u2", codecs=[sharding], store=path)
    image = np.zeros(SHAPE, np.uint16)
    image[32:] = 7
    array[:] = image
    for part in (ALL, (slice(20, 50), slice(10, 30))):
        found = open_volume(path).read_part(part)
        np.testing.assert_array_equal(found, image[part])


def test_an_index_that_is_a_chunk_is_refused(tmp_path):
    sharding = zarr.codecs.ShardingCodec(
        chunk_shape=(32, 40), codecs=[BYTES, CODECS["gzip"]], index_location="start"
    )
    path = tmp_path / "a.zarr"
    array = zarr.create(
        SHAPE, chunks=SHAPE, dtype=IMAGE.dtype, codecs=[sharding], store=path
    )
    array[:] = IMAGE
    content = (path / "c/0/0").read_bytes()
    index = np.array([[0, 68]] * 4, "<u8").tobytes()
    index += google_crc32c.value(index).to_bytes(4, "little")
    (path / "c/0/0").write_bytes(index + content[len(index) :])
    with pytest.raises(InvalidInputError, match="overlaps the index of its shard"):
        open_volume(path).read_part((slice(20, 50), slice(10, 30)))


SHARDS = zarr.codecs.ShardingCodec(chunk_shape=(16, 16), codecs=[BYTES, CODECS["gzip"]])
UNKNOWN = {
    "compressed by gzip and zstd": {"compressors": [CODECS["gzip"], CODECS["zstd"]]},
    "compressed by gzip and base64": {
        "filters": [numcodecs.GZip()],
        "compressors": numcodecs.Base64(),
        "zarr_format": 2,
    },
    "compressed, or contain shards": {
        "serializer": SHARDS,
        "compressors": CODECS["gzip"],
    },
    "its shards are compressed, or contain": {
        "serializer": SHARDS,
        "compressors": None,
        "shards": SHAPE,
    },
    "index of its shards is encoded": {
        "serializer": zarr.codecs.ShardingCodec(
            chunk_shape=(32, 80),
            codecs=[BYTES, CODECS["gzip"]],
            index_codecs=[zarr.codecs.BytesCodec(endian="big")],
        ),
        "compressors": None,
    },
}


@pytest.mark.parametrize("message", UNKNOWN)
@pytest.mark.filterwarnings("ignore:Combining a `sharding_indexed` codec")
def test_chunks_of_unknown_size_are_refused(message, tmp_path, monkeypatch):
    zarr.create_array(
        tmp_path / "a.zarr",
        shape=SHAPE,
        chunks=(32, 80),
        dtype="u2",
        **UNKNOWN[message],
    )
    with pytest.raises(InvalidInputError, match=message):
        open_volume(tmp_path / "a.zarr")
    monkeypatch.setenv("NAPARI_DENOISE_AE_SIZE_LIMIT", "off")
    assert open_volume(tmp_path / "a.zarr").shape == SHAPE
