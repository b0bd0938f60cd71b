from __future__ import annotations

import os
import pickle

import numpy as np
import pytest
import zarr

from napari_denoise_ae.io.zarr_store import RegularFileStore, sizes_of_files


@pytest.fixture
def folder(tmp_path):
    array = zarr.create_array(
        tmp_path / "a.zarr", shape=(4, 4), chunks=(2, 4), dtype="uint8"
    )
    array[:2] = 7
    return tmp_path / "a.zarr"


def opened(folder):
    return zarr.open(RegularFileStore(folder, read_only=True), mode="r")


@pytest.mark.skipif(os.name == "nt", reason="pipes are files of Unix")
def test_a_pipe_is_refused_instead_of_read(folder):
    (folder / "c" / "1").mkdir()
    os.mkfifo(folder / "c" / "1" / "0")
    array = opened(folder)
    np.testing.assert_array_equal(array[:2], 7)
    with pytest.raises(ValueError, match=r"c/1/0 is not a file"):
        array[2:]


def test_missing_chunks_hold_the_fill_value_and_arrays_can_be_pickled(folder):
    array = pickle.loads(pickle.dumps(opened(folder)))
    np.testing.assert_array_equal(array[:], [[7] * 4] * 2 + [[0] * 4] * 2)


def test_sizes_are_those_of_all_files(folder):
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    assert sorted(sizes_of_files(folder)) == sorted(sizes)
