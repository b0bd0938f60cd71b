"""A chunk in an HDF5 file that inflates far beyond its shape is refused."""

from __future__ import annotations

import bz2
import zlib

import imagecodecs
import numpy as np
import pytest
from stored_stacks import image_of

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.io.source import open_volume

h5py = pytest.importorskip("h5py")
SHAPE = (64, 80)
IMAGE = image_of(SHAPE)
ALL = (slice(None),) * 2
BOMBS = {
    "gzip": zlib.compress(bytes(2**24), 9),
    "lzf": imagecodecs.lzf_encode(bytes(2**22)),
}


@pytest.mark.parametrize("codec", BOMBS)
def test_a_chunk_may_not_inflate_far_beyond_its_shape(codec, tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as content:
        data = content.create_dataset(
            "a", data=IMAGE, chunks=(32, 40), compression=codec, shuffle=True
        )
        data.id.write_direct_chunk((32, 40), BOMBS[codec])
    volume = open_volume(path)
    part = (slice(0, 32), slice(30, 80))
    np.testing.assert_array_equal(volume.read_part(part), IMAGE[part])
    with pytest.raises(InvalidInputError, match="inflates to more than 70,656 bytes"):
        volume.read_part((slice(40, 41), slice(79, 80)))


@pytest.mark.parametrize("codec", BOMBS)
def test_sound_chunks_are_read(codec, tmp_path):
    """Compressed ones, incompressible ones, with a checksum, and missing ones."""
    image = np.zeros(SHAPE, np.uint16)
    image[:32] = np.random.default_rng(0).integers(0, 2**16, (32, 80))
    image[32:, :40] = 7
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as content:
        data = content.create_dataset(
            *("a", SHAPE, image.dtype),
            chunks=(32, 30),
            compression=codec,
            fletcher32=True,
        )
        data[:, :60] = image[:, :60]
        data[:32, 60:] = image[:32, 60:]
    for part in (ALL, (slice(31, 50), slice(59, 80))):
        found = open_volume(path).read_part(part)
        np.testing.assert_array_equal(found, image[part])


def create(path, *filters):
    """Create a data set with filters, each a number with its parameters."""
    settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    settings.set_chunk(SHAPE)
    for number, *parameters in filters:
        settings.set_filter(number, h5py.h5z.FLAG_OPTIONAL, tuple(parameters))
    content = h5py.File(path, "w")
    space = h5py.h5s.create_simple(SHAPE)
    return h5py.h5d.create(
        content.id, b"a", h5py.h5t.NATIVE_UINT16, space, dcpl=settings
    )


SIZE = 2**31
# Chunks that claim `SIZE`, as the filters of hdf5plugin write them, and their filters.
CLAIMS = {
    "blosc": (b"\2\1\1\2" + SIZE.to_bytes(4, "little"), (32001, 2, 2, 2, 10240)),
    "lz4": (SIZE.to_bytes(8, "big"), (32004,)),
    "bitshuffle": (SIZE.to_bytes(8, "big"), (32008, 0, 3, 2, 0, 2)),
    "bzip2": (bz2.compress(bytes(2**22)), (307, 9)),
    "zstd": (imagecodecs.zstd_encode(bytes(2**22)), (32015,)),
    "szip": (SIZE.to_bytes(4, "little"), (4, 4, 8)),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_chunks_of_other_compressions_are_limited(name, tmp_path, monkeypatch):
    monkeypatch.setattr(h5py.h5z, "filter_avail", lambda _: True)
    content, applied = CLAIMS[name]
    data = create(tmp_path / "a.h5", applied)
    data.write_direct_chunk((0, 0), content + bytes(16))
    h5py.h5i.get_file_id(data).close()
    volume = open_volume(tmp_path / "a.h5")
    with pytest.raises(InvalidInputError, match="inflates to more than 86,016 bytes"):
        volume.read_part(ALL)


def test_packed_chunks_are_read_unless_they_claim_too_much(tmp_path):
    """The size that they claim is a parameter of the filter."""
    with h5py.File(tmp_path / "a.h5", "w") as content:
        content.create_dataset("a", data=IMAGE, chunks=SHAPE, scaleoffset=0)
    np.testing.assert_array_equal(open_volume(tmp_path / "a.h5").read_part(ALL), IMAGE)
    content = (tmp_path / "a.h5").read_bytes()
    stated, claimed = (
        np.array([2, 0, n_pixels], "<u4").tobytes() for n_pixels in (IMAGE.size, SIZE)
    )
    assert content.count(stated) == 1
    (tmp_path / "b.h5").write_bytes(content.replace(stated, claimed))
    with pytest.raises(InvalidInputError, match="inflates to more than 86,016 bytes"):
        open_volume(tmp_path / "b.h5")


@pytest.mark.parametrize(
    ("filters", "reason"),
    [
        ([(1, 4), (1, 4)], "compressed by deflate and deflate"),
        ([(32013, 1)], r"unknown how far .* number 32013, inflates.*SIZE_LIMIT"),
    ],
    ids=["twice", "unknown"],
)
def test_chunks_of_unknown_size_are_refused(filters, reason, tmp_path, monkeypatch):
    monkeypatch.setattr(h5py.h5z, "filter_avail", lambda _: True)
    create(tmp_path / "a.h5", *filters)
    with pytest.raises(InvalidInputError, match=reason):
        open_volume(tmp_path / "a.h5")
    monkeypatch.setenv("NAPARI_DENOISE_AE_SIZE_LIMIT", "off")
    assert open_volume(tmp_path / "a.h5").shape == SHAPE
