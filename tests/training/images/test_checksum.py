"""Images are identified by checksums, and changes are noticed."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import zarr
from collections_of import arrays, numbered, write

from napari_denoise_ae.errors import DatasetError
from napari_denoise_ae.training.images import checksum as checksum_module
from napari_denoise_ae.training.images.checksum import (
    ChangeWatch,
    checksum,
    describe,
)
from napari_denoise_ae.training.images.open import open_images


def checksum_of(array, axes=None):
    return checksum(open_images(array, axes=axes).images[0])


def test_the_checksum_does_not_depend_on_where_the_pixels_are(tmp_path):
    array = numbered((3, 90, 100))
    expected = checksum_of(array, "TYX")
    assert len(expected) == 64
    for given in (
        write(tmp_path / "a.tif", array),
        da.from_array(array, chunks=40),
        zarr.array(array, chunks=(2, 50, 50)),
        array.astype(">u4"),
    ):
        assert checksum_of(given, "TYX") == expected


def test_the_checksum_is_the_same_on_every_machine():
    assert checksum_of(numbered((70, 80))).startswith("49bd0758126d838f")


def test_shape_dtype_axes_and_pixels_count():
    array = numbered((4, 9, 9))
    other = array.copy()
    other[2, 4, 4] += 1
    found = {
        checksum_of(array, "TYX"),
        checksum_of(array, "ZYX"),
        checksum_of(array.astype(np.int32), "TYX"),
        checksum_of(array.reshape(2, 2, 9, 9), "TZYX"),
        checksum_of(other, "TYX"),
    }
    assert len(found) == 5


def test_padding_does_not_count():
    images = arrays((10, 40))
    padded = images.at_least(16)
    assert checksum(padded.images[0]) == checksum(images.images[0])


def test_few_chunks_of_a_large_image_are_read():
    read = []

    def record(block, block_id):
        read.append(block_id)
        return block

    large = da.zeros((50, 2000, 2000), chunks=(1, 500, 500), dtype=np.uint8)
    recorded = large.map_blocks(record, dtype=np.uint8, meta=np.empty((0, 0, 0)))
    checksum_of(recorded, "TYX")
    assert 16 <= len(set(read)) <= 64
    assert len({plane for plane, _, _ in read}) == 16


def test_a_description_has_name_checksum_and_facts(folder):
    images = open_images(folder)
    name, sha256, facts = describe(images)
    assert name == "photos (3 images)"
    assert describe(open_images([folder]))[0] == name
    assert len(sha256) == 64
    first = checksum(images.images[0])
    assert facts[0] == f"a.png (24 x 60, YX, gray), uint8, SHA-256 {first}"
    assert len(facts) == 3
    assert describe(open_images([folder / "a.png", folder / "b.tif"]))[0] == "2 images"
    assert describe(open_images(folder / "*.tif"))[1] != sha256


# --- changes ----------------------------------------------------------------


def test_unchanged_files_and_arrays_pass(folder):
    images = open_images([folder, numbered((20, 20))])
    ChangeWatch(images).check()


def test_a_changed_file_is_named(folder):
    watch = ChangeWatch(open_images(folder))
    write(folder / "b.tif", numbered((9, 9)))
    with pytest.raises(DatasetError, match=r"b\.tif has changed since training"):
        watch.check()


def test_a_removed_file_is_named(folder):
    watch = ChangeWatch(open_images(folder))
    (folder / "c.jpg").unlink()
    with pytest.raises(DatasetError, match=r"c\.jpg any more: "):
        watch.check()


def test_a_changed_chunk_of_a_zarr_is_noticed(tmp_path):
    path = tmp_path / "a.zarr"
    stored = zarr.create_array(path, data=numbered((20, 20)), chunks=(10, 10))
    watch = ChangeWatch(open_images(path))
    watch.check()
    stored[15, 15] = 0
    with pytest.raises(DatasetError, match=r"a\.zarr has changed"):
        watch.check()


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_one_of_many_chunks_that_changes_is_noticed(tmp_path, monkeypatch, zarr_format):
    monkeypatch.setattr(checksum_module, "_MOST_FILES", 5)
    path = tmp_path / "a.zarr"
    stored = zarr.create_array(
        path, data=numbered((60, 60)), chunks=(10, 10), zarr_format=zarr_format
    )
    watch = ChangeWatch(open_images(path, axes="YX"))
    assert len(watch._signatures) < 20
    watch.check()
    stored[25, 35] = 0
    with pytest.raises(DatasetError, match=r"a\.zarr has changed"):
        watch.check()


def test_few_files_and_folders_of_a_large_zarr_are_looked_at(tmp_path, monkeypatch):
    path = tmp_path / "a.zarr"
    zarr.create_array(path, data=numbered((40, 40)), chunks=(1, 1))
    watch = ChangeWatch(open_images(path))
    looked_at = []
    signature = checksum_module._signature
    monkeypatch.setattr(
        checksum_module, "_signature", lambda p: looked_at.append(p) or signature(p)
    )
    watch.check()
    assert len(looked_at) < 600
