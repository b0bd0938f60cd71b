"""Data sets in HDF5 files are read on demand."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from command import run
from stored_stacks import MODEL, image_of

from napari_denoise_ae import denoise
from napari_denoise_ae.errors import InvalidInputError, MissingDependencyError
from napari_denoise_ae.io.source import open_volume
from napari_denoise_ae.models.checkpoint_file import save_checkpoint

if TYPE_CHECKING:
    from pathlib import Path

h5py = pytest.importorskip("h5py")
STACK = image_of((3, 48, 64))


@pytest.fixture
def file(tmp_path) -> Path:
    """Two stacks, the first of which names its axes, and other data sets."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as content:
        first = content.create_dataset(
            "data/raw", data=STACK, chunks=(1, 16, 32), compression="gzip"
        )
        for dimension, label in zip(first.dims, ("t", "y", "x"), strict=True):
            dimension.label = label
        first.attrs["element_size_um"] = (1.0, 0.5, 0.25)
        content["again"] = STACK + 1
        content["names"] = np.array([[b"a", b"b"]])
        content["times"] = np.arange(3.0)
    return path


def test_a_data_set_is_read_with_its_metadata(file):
    volume = open_volume(file.parent / "a.h5:/data/raw")
    assert (volume.axes, volume.chunks) == ("TYX", (1, 16, 32))
    assert volume.scale == {"Y": 0.5, "X": 0.25}
    assert (volume.units["X"], volume.compression) == ("micrometer", "deflate")
    part = volume.read((2,), (slice(3, 9), slice(0, 64)))
    np.testing.assert_array_equal(part[0], STACK[2, 3:9])
    again = open_volume(file.parent / "a.h5:/again", "ZYX")
    np.testing.assert_array_equal(again.read_part((slice(None),) * 3), STACK + 1)


def test_what_cannot_be_read_is_said(file, monkeypatch):
    held = r"/again \(3 x 48 x 64 uint16\), /data/raw \(3 x 48 x 64 uint16\)"
    with pytest.raises(InvalidInputError, match=f"which data set.*{held}.*a.h5:/again"):
        open_volume(file)
    for name in ("a.h5:/nothing", "a.h5:/data"):
        with pytest.raises(InvalidInputError, match=f"no data set.*{held}"):
            open_volume(file.parent / name)
    with pytest.raises(InvalidInputError, match="must be integer or floating"):
        open_volume(file.parent / "a.h5:/names", "YX")
    (file.parent / "b.h5").write_bytes(b"no HDF5")
    with pytest.raises(InvalidInputError, match=r"Cannot read .*b\.h5 as a H5 image"):
        open_volume(file.parent / "b.h5")
    with pytest.raises(InvalidInputError, match="does not exist"):
        open_volume(file.parent / "c.h5:/data")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingDependencyError, match=r"napari-denoise-ae\[hdf5\]"):
        open_volume(file)


def test_a_compression_that_h5py_lacks_is_said(tmp_path):
    settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    settings.set_chunk((16, 16))
    settings.set_filter(299, h5py.h5z.FLAG_OPTIONAL, ())
    with h5py.File(tmp_path / "a.h5", "w") as content:
        space = h5py.h5s.create_simple((32, 32))
        kind = h5py.h5t.NATIVE_UINT16
        h5py.h5d.create(content.id, b"a", kind, space, dcpl=settings)
    with pytest.raises(MissingDependencyError, match=r"number 299.*hdf5plugin"):
        open_volume(tmp_path / "a.h5")


def test_the_command_reads_a_data_set_part_by_part(file):
    folder = file.parent
    save_checkpoint(MODEL, folder / "gray.pt")
    (folder / "out").mkdir()
    source = folder / "a.h5:/data/raw"
    for name in ("out", "b.zarr"):
        assert run("denoise", source, folder / name, "--model", folder / "gray.pt") == 0
    expected = denoise(STACK, model=MODEL, axes="TYX")
    result = tifffile.imread(folder / "out" / "a_data_raw.tif")
    np.testing.assert_array_equal(result, expected)
    pixels = open_volume(folder / "b.zarr").read_part((slice(None),) * 3)
    np.testing.assert_array_equal(pixels, expected)
