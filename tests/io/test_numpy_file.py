"""Arrays in NumPy's format are read on demand."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import tifffile
from command import run
from stored_stacks import MODEL, image_of

from napari_denoise_ae import denoise
from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.io.source import open_volume
from napari_denoise_ae.models.checkpoint_file import save_checkpoint


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["uint8", ">u2", "float32"])
def test_an_array_is_read_part_by_part(order, dtype, tmp_path):
    stack = np.asarray(image_of((5, 300, 400), "uint8").astype(dtype), order=order)
    np.save(tmp_path / "a.npy", stack)
    tracemalloc.start()
    volume = open_volume(tmp_path / "a.npy", "TYX")
    part = volume.read((3,), (slice(10, 20), slice(30, 50)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_array_equal(part[0], stack[3, 10:20, 30:50])
    assert volume.dtype == np.dtype(dtype).newbyteorder("=")
    assert peak < stack.nbytes / 4


def test_nothing_is_unpickled(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(InvalidInputError, match=r"Cannot read .*a\.npy"):
        open_volume(tmp_path / "a.npy")
    np.save(tmp_path / "b.npy", np.zeros((20, 20)))
    content = (tmp_path / "b.npy").read_bytes()
    (tmp_path / "b.npy").write_bytes(content[:-8])
    with pytest.raises(InvalidInputError, match="damaged, incomplete"):
        open_volume(tmp_path / "b.npy")


def test_a_folder_gets_a_tiff(tmp_path):
    save_checkpoint(MODEL, tmp_path / "gray.pt")
    image = image_of((40, 50), "uint16")
    np.save(tmp_path / "a.npy", image)
    (tmp_path / "out").mkdir()
    command = ["denoise", tmp_path / "a.npy", tmp_path / "out"]
    assert run(*command, "--model", tmp_path / "gray.pt") == 0
    result = tifffile.imread(tmp_path / "out" / "a.tif")
    np.testing.assert_array_equal(result, denoise(image, model=MODEL))
