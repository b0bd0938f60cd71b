"""A source that changes while it is denoised gives no result."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image
from stored_stacks import image_of, run, write_zarr

from napari_denoise_ae.denoising.denoiser import Denoiser
from napari_denoise_ae.io.zarr_result import result_state

IMAGE = image_of((2, 32, 32))


def write_source(path) -> None:
    if path.suffix == ".png":
        Image.fromarray((IMAGE[0] // 16).astype(np.uint8)).save(path)
    elif path.suffix == ".tif":
        tifffile.imwrite(path, IMAGE, metadata={"axes": "TYX"})
    else:
        write_zarr(path, IMAGE, "TYX", chunks=(1, 32, 32))


def change(path) -> None:
    if path.is_dir():
        zarr.open_array(path / "full")[:] = 0
    else:
        # Appended, because another thread may read the file meanwhile.
        with path.open("ab") as file:
            file.write(b"\0")


def vanish(path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.mark.parametrize("happens", [change, vanish])
@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("in.tif", "out.tif"),
        ("in.tif", "out.zarr"),
        ("in.png", "out.png"),
        ("in.zarr", "out.zarr"),
    ],
)
def test_a_source_that_changes_gives_no_result(
    name, result, happens, gray, tmp_path, monkeypatch, capsys
):
    source = tmp_path / name
    write_source(source)
    compute = Denoiser.run_network

    def changed(*arguments, **options):
        if source.exists():
            happens(source)
        return compute(*arguments, **options)

    monkeypatch.setattr(Denoiser, "run_network", changed)
    assert run("denoise", source, tmp_path / result, "--model", gray) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith(f"error: {source}")
    left = [path for path in tmp_path.iterdir() if path != source]
    if happens is change:
        assert left == []
    for path in left:
        # It can be resumed if the source comes back as it was.
        assert path.suffix == ".zarr"
        assert not result_state(path)["finished"]
