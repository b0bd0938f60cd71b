"""What a path that a user gives refers to."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest
import zarr

from napari_denoise_ae.errors import DenoiseAEWarning, InvalidInputError
from napari_denoise_ae.io.find import (
    images_in_tree,
    is_folder,
    is_pattern,
    list_images,
    matching_images,
)
from napari_denoise_ae.io.folders import signature
from napari_denoise_ae.io.images import ImageFile, write_image


@pytest.fixture
def folder(tmp_path):
    for name in ("b.tif", "a.png", "[1].png"):
        write_image(tmp_path / name, ImageFile(np.zeros((6, 10), np.uint8), "YX"))
    zarr.create_array(tmp_path / "d.zarr", data=np.zeros((6, 10)))
    (tmp_path / "notes.txt").write_text("")
    return tmp_path


def test_an_ome_zarr_image_is_not_a_folder(folder):
    assert is_folder(folder)
    assert not is_folder(folder / "d.zarr")
    assert not is_folder(folder / "a.png")
    assert not is_folder(folder / "missing")
    assert not is_folder(folder / ("x" * 5000))


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(folder):
    assert is_pattern(folder / "*.png")
    assert is_pattern(folder / "[ab].*")
    assert not is_pattern(folder / "[1].png")
    assert not is_pattern(folder / "missing.png")


def test_a_pattern_matches_images_in_order(folder):
    found = matching_images(folder / "*")
    assert [path.name for path in found] == ["[1].png", "a.png", "b.tif", "d.zarr"]
    assert [path.name for path in matching_images(folder / "?.png")] == ["a.png"]


def test_files_that_need_not_be_images_must_be_named(folder):
    for name in ("masks.npy", "weights.H5"):
        (folder / name).write_bytes(b"")
    expected = ["[1].png", "a.png", "b.tif", "d.zarr"]
    for find in (list_images, lambda path: images_in_tree(path, path / "out")):
        with pytest.warns(DenoiseAEWarning, match=r"Skipped masks\.npy and 1 more in"):
            found = find(folder)
        assert [path.name for path in found] == expected
    assert matching_images(folder / "*.npy") == [folder / "masks.npy"]


@pytest.mark.parametrize(
    "find", [list_images, signature, lambda path: images_in_tree(path, path)]
)
def test_a_folder_that_cannot_be_read_is_an_error(find, tmp_path, monkeypatch):
    """Permission is denied by a fake, because root may read anything."""

    def deny(path: object = None) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(os, "listdir", deny)
    monkeypatch.setattr(os, "scandir", deny)
    with pytest.raises(InvalidInputError, match=f"folder {tmp_path}: Permission den"):
        find(tmp_path)
