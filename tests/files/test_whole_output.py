"""Files denoised in memory have the same metadata as streamed files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from PIL import Image
from synthetic import random_checkpoint

from napari_denoise_ae import denoise
from napari_denoise_ae.cli.main import main
from napari_denoise_ae.io.source import open_volume
from napari_denoise_ae.models.checkpoint_file import save_checkpoint

if TYPE_CHECKING:
    from pathlib import Path

# The command prints warnings; pytest would turn them into errors.
pytestmark = pytest.mark.filterwarnings(
    "default::napari_denoise_ae.errors.DenoiseAEWarning"
)

METADATA = {
    "axes": "TCYX",
    "PhysicalSizeX": 0.1,
    "PhysicalSizeXUnit": "µm",
    "PhysicalSizeY": 0.2,
    "PhysicalSizeYUnit": "µm",
    "TimeIncrement": 3.0,
    "TimeIncrementUnit": "s",
}
# Options with which a file is denoised in memory.
OPTIONS = {
    "figure": ["--figure", "figure.png"],
    "reference": ["--reference", "in.ome.tif"],
    "noise": ["--add-noise", "gaussian:0.1"],
}


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """An OME-TIFF and a model, in the current folder."""
    save_checkpoint(random_checkpoint(in_channels=1), tmp_path / "gray.pt")
    tifffile.imwrite(tmp_path / "in.ome.tif", image(), metadata=METADATA)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def image() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, 4000, (2, 3, 40, 50), dtype=np.uint16)


def run(source: str, target: str, *more: str) -> None:
    assert main(["denoise", source, target, "--model", "gray.pt", *more]) == 0


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_a_name_that_ends_in_ome_tif_gives_an_ome_tiff(options, folder):
    run("in.ome.tif", "out.ome.tif", *options)
    with tifffile.TiffFile("out.ome.tif") as tiff:
        assert tiff.is_ome
        assert "denoised with gray.pt" in tiff.ome_metadata
    written, given = (
        open_volume(folder / name) for name in ("out.ome.tif", "in.ome.tif")
    )
    assert (written.axes, written.shape) == ("TCYX", image().shape)
    assert written.scale == given.scale
    assert written.units == given.units
    if "--add-noise" in options:
        assert open_volume(folder / "out_noisy.ome.tif").scale == given.scale


@pytest.mark.parametrize("name", ["out.ome.tif", "out.tif"])
def test_streaming_and_memory_give_the_same_file(name, folder):
    run("in.ome.tif", f"streamed-{name}")
    run("in.ome.tif", f"whole-{name}", "--figure", "figure.png")
    files = [folder / f"{way}-{name}" for way in ("streamed", "whole")]
    streamed, whole = (open_volume(file) for file in files)
    assert (streamed.axes, streamed.dtype) == (whole.axes, whole.dtype)
    assert (streamed.scale, streamed.units) == (whole.scale, whole.units)
    assert streamed.calibration == whole.calibration
    np.testing.assert_allclose(*(tifffile.imread(file) for file in files), atol=1)


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("out.tif", []),
        ("out.ome.tif", []),
        ("out.ome.zarr", []),
        ("out.tif", ["--reference", "in.ome.tif"]),
        ("out.ome.tif", ["--add-noise", "gaussian:0.1"]),
    ],
)
def test_float32_files_equal_the_float32_result_in_memory(name, more, folder, capsys):
    run("in.ome.tif", name, "--dtype", "float32", *more)
    source = tifffile.imread("out_noisy.ome.tif") if "--add-noise" in more else image()
    assert source.dtype == np.uint16
    ranges = [(c.min(), c.max()) for c in image().swapaxes(0, 1)]
    expected = denoise(
        source, model="gray.pt", axes="TCYX", intensity_range=ranges, dtype="float32"
    )
    written = np.asarray(open_volume(folder / name).read_part((slice(None),) * 4))
    assert written.dtype == np.float32
    np.testing.assert_allclose(written, expected, rtol=1e-4, atol=1e-2)
    assert f"denoised   {name}, float32" in capsys.readouterr().out
    if not name.endswith(".zarr"):
        with tifffile.TiffFile(name) as tiff:
            told = (tiff.imagej_metadata or {}).get("Info", tiff.pages[0].description)
            assert "dtype='float32'" in told


def test_a_png_can_become_a_float32_tiff(tmp_path):
    photo = np.random.default_rng(0).integers(0, 256, (40, 50, 4), dtype=np.uint8)
    Image.fromarray(photo).save(tmp_path / "in.png")
    given = [str(tmp_path / "in.png"), str(tmp_path / "out.tif"), "--dtype", "float32"]
    assert main(["denoise", *given]) == 0
    written = tifffile.imread(tmp_path / "out.tif")
    np.testing.assert_array_equal(written, denoise(photo, dtype="float32"))
    np.testing.assert_array_equal(written[..., 3], photo[..., 3])


def test_a_photograph_becomes_an_ome_tiff(tmp_path):
    photo = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    Image.fromarray(photo).save(tmp_path / "in.png")
    target = tmp_path / "out.ome.tif"
    assert main(["denoise", str(tmp_path / "in.png"), str(target)]) == 0
    with tifffile.TiffFile(target) as tiff:
        assert tiff.is_ome
        assert tiff.series[0].axes == "YXS"
        np.testing.assert_array_equal(tiff.asarray(), denoise(photo))


def test_an_ome_tiff_keeps_planar_colors(tmp_path):
    photo = np.random.default_rng(0).integers(0, 256, (3, 40, 50), dtype=np.uint8)
    tifffile.imwrite(
        tmp_path / "in.tif", photo, photometric="rgb", planarconfig="separate"
    )
    target = tmp_path / "out.ome.tif"
    assert main(["denoise", str(tmp_path / "in.tif"), str(target)]) == 0
    with tifffile.TiffFile(target) as tiff:
        assert tiff.is_ome
        assert tiff.series[0].axes == "SYX"
        np.testing.assert_array_equal(tiff.asarray(), denoise(photo, axes="SYX"))


@pytest.mark.parametrize("options", [[], ["--figure", "figure.png"]])
def test_a_dtype_that_ome_tiff_cannot_store_is_rejected_before_denoising(
    options, folder, capsys
):
    half = image().astype("float16")
    tifffile.imwrite("in.tif", half, photometric="minisblack", metadata=METADATA)
    command = ["denoise", "in.tif", "out.ome.tif", "--model", "gray.pt", *options]
    assert main(command) == 2
    assert "OME-TIFF cannot store an image of float16" in capsys.readouterr().err
    assert not (folder / "out.ome.tif").exists()
