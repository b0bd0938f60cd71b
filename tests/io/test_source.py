"""Which files are images, and how they are opened."""

from __future__ import annotations

import re

import numpy as np
import pytest
import zarr

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.evaluation.pairs import find_clean_images
from napari_denoise_ae.files.find import find_files
from napari_denoise_ae.io import source
from napari_denoise_ae.io.find import list_images
from napari_denoise_ae.io.images import ImageFile, read_image, write_image
from napari_denoise_ae.io.source import (
    READERS,
    is_image,
    open_image,
    open_volume,
)
from napari_denoise_ae.io.stored import StoredImage

PIXELS = np.arange(60, dtype=np.uint8).reshape(6, 10)


@pytest.fixture
def folder(tmp_path):
    """Images, and files that macOS, Windows and this package leave next to them."""
    for name in ("b.tif", "a.PNG", "c.jpeg"):
        write_image(tmp_path / name, ImageFile(PIXELS, "YX"))
    zarr.create_array(tmp_path / "d.zarr", data=PIXELS)
    for name in ("._b.tif", "._a.PNG", ".writing-0.tif", ".DS_Store", "notes.txt"):
        (tmp_path / name).write_bytes(b"\0\5\26\7")
    (tmp_path / ".e.zarr").mkdir()
    (tmp_path / "f.tif").mkdir()
    return tmp_path


def names(paths):
    return [path.name for path in paths]


IMAGES = ["a.PNG", "b.tif", "c.jpeg", "d.zarr"]


def test_hidden_files_are_skipped(folder, tmp_path):
    assert names(list_images(folder)) == IMAGES
    assert names(find_clean_images(folder)) == IMAGES
    assert names(find_files([folder], tmp_path / "out")) == IMAGES


def test_a_pattern_does_not_match_hidden_files(folder, tmp_path):
    found = find_files([folder / "*"], tmp_path / "out")
    assert names(found) == IMAGES


def test_a_folder_of_hidden_files_contains_no_images(tmp_path):
    (tmp_path / "._a.tif").write_bytes(b"\0\5\26\7")
    expected = re.escape(", ".join(sorted(READERS)))
    with pytest.raises(InvalidInputError, match=f"file types: {expected}"):
        find_clean_images(tmp_path)
    with pytest.raises(InvalidInputError, match=f"no images .*: expected {expected}"):
        find_files([tmp_path], tmp_path / "out")


def test_a_new_format_needs_one_entry(tmp_path, monkeypatch):
    def open_numpy(path):
        return StoredImage(array=np.load(path, mmap_mode="r"), axes="TYX")

    stack = np.stack([PIXELS, PIXELS + 1])
    with (tmp_path / "a.array").open("wb") as file:
        np.save(file, stack)
    assert not is_image(tmp_path / "a.array")
    monkeypatch.setitem(source.READERS, ".array", open_numpy)
    assert names(list_images(tmp_path)) == ["a.array"]
    assert find_files([tmp_path], tmp_path / "out") == [tmp_path / "a.array"]
    read = read_image(tmp_path / "a.array")
    assert read.axes == "TYX"
    np.testing.assert_array_equal(read.pixels, stack)
    volume = open_volume(tmp_path / "a.array")
    part = volume.read((1,), (slice(2, 4), slice(3, 9)))
    np.testing.assert_array_equal(part, stack[1:, 2:4, 3:9])


def test_an_error_of_a_reader_becomes_an_input_error(tmp_path, monkeypatch):
    (tmp_path / "a.npy").write_bytes(b"")
    monkeypatch.setitem(source.READERS, ".npy", lambda path: {}[path])
    with pytest.raises(InvalidInputError, match=r"Cannot read .*a\.npy as a NPY image"):
        open_image(tmp_path / "a.npy")


def test_an_ome_zarr_can_be_read_as_a_whole(folder):
    np.testing.assert_array_equal(read_image(folder / "d.zarr").pixels, PIXELS)
