"""A chunk in an HDF5 file that inflates far beyond its shape is refused."""

from __future__ import annotations

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


def test_chunks_of_unknown_size_are_refused(tmp_path, monkeypatch):
    settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    settings.set_chunk(SHAPE)
    settings.set_deflate(4)
    settings.set_deflate(4)
    with h5py.File(tmp_path / "a.h5", "w") as content:
        space = h5py.h5s.create_simple(SHAPE)
        kind = h5py.h5t.NATIVE_UINT16
        h5py.h5d.create(content.id, b"a", kind, space, dcpl=settings)
    with pytest.raises(InvalidInputError, match="compressed by deflate and deflate"):
        open_volume(tmp_path / "a.h5")
    monkeypatch.setenv("NAPARI_DENOISE_AE_SIZE_LIMIT", "off")
    assert open_volume(tmp_path / "a.h5").shape == SHAPE
