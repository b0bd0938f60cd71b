"""Addresses and data sets in files survive as paths."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_denoise_ae.io.location import (
    absolute,
    file_of,
    is_remote,
    split_hdf5,
    url_of,
)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://host/a b/c.zarr", "https://host/a b/c.zarr"),
        ("HTTP://host:8000/c.zarr/0", "http://host:8000/c.zarr/0"),
        ("s3://bucket/c.zarr?versionId=1", "s3://bucket/c.zarr?versionId=1"),
    ],
)
def test_an_address_keeps_its_slashes(given, expected):
    path = Path(given)
    assert is_remote(path)
    assert url_of(path) == expected
    assert absolute(path) == path


@pytest.mark.parametrize("given", ["a.zarr", "/https/a.zarr", "./s3:/a", "c:/a.tif"])
def test_a_file_is_no_address(given):
    assert not is_remote(Path("x") / given)


@pytest.mark.parametrize(
    ("given", "file", "inside"),
    [
        ("a.h5:/b/c", "a.h5", "/b/c"),
        ("d/A.HDF5:/b", "d/A.HDF5", "/b"),
        ("a.h5", "a.h5", ""),
        ("a.tif:/b", "a.tif:/b", ""),
    ],
)
def test_a_data_set_is_split_from_its_file(given, file, inside):
    assert split_hdf5(Path(given)) == (Path(file), inside)
    assert file_of(Path(given)) == Path(file)
