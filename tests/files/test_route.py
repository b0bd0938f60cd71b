"""A run denoises one file step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image
from synthetic import make_record, random_checkpoint

from napari_denoise_ae import denoise
from napari_denoise_ae.denoising.options import DenoiseOptions
from napari_denoise_ae.files.job import FileJob
from napari_denoise_ae.files.route import FileDenoising
from napari_denoise_ae.files.steps import (
    CHUNK,
    PART,
    TILE,
    FileProgress,
    FileRemark,
)
from napari_denoise_ae.io.source import open_volume
from napari_denoise_ae.models.checkpoint_file import save_checkpoint

if TYPE_CHECKING:
    from pathlib import Path

MODEL = random_checkpoint(in_channels=1)


@pytest.fixture
def folder(tmp_path) -> Path:
    """An image in three formats, and a model."""
    save_checkpoint(MODEL, tmp_path / "gray.pt")
    write_tiff(tmp_path / "in.tif", image())
    Image.fromarray(image()[0]).save(tmp_path / "in.png")
    chunks = (1, 128, 128)
    zarr.create_array(tmp_path / "in.zarr", data=image(), chunks=chunks)
    return tmp_path


def write_tiff(path: Path, stack: np.ndarray) -> None:
    tifffile.imwrite(path, stack, photometric="minisblack", metadata={"axes": "TYX"})


def image() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (3, 150, 140), dtype=np.uint8)


def job_of(folder: Path, source: str, target: str, **more: object) -> FileJob:
    axes = "TYX" if source == "in.zarr" else None
    given = {
        "model": str(folder / "gray.pt"),
        "options": DenoiseOptions(axes=axes, tile_size=64),
        **more,
    }
    return FileJob(input=folder / source, output=folder / target, **given)


@pytest.mark.parametrize(
    ("names", "units", "total"),
    [
        (("in.png", "out.png"), {TILE}, 9),
        (("in.tif", "out.tif"), {TILE}, 3),
        (("in.zarr", "out.zarr"), {CHUNK}, 12),
    ],
)
def test_a_run_yields_its_progress_and_holds_the_result(names, units, total, folder):
    run = FileDenoising(job_of(folder, *names))
    with pytest.raises(RuntimeError, match="not finished"):
        _ = run.result
    steps = list(run)
    assert {step.unit for step in steps} == units
    assert {step.input for step in steps} == {folder / names[0]}
    assert [(step.done, step.total) for step in steps] == [
        (n + 1, total) for n in range(total)
    ]
    assert run.result.lines()[-1] == f"denoised   {folder / names[1]}"


def test_the_scan_for_the_intensity_range_has_its_own_unit(folder):
    write_tiff(folder / "in.tif", image().astype("uint16"))
    steps = list(FileDenoising(job_of(folder, "in.tif", "out.tif")))
    assert [step.unit for step in steps] == [PART] * 3 + [TILE] * 3


@pytest.mark.parametrize("names", [("in.png", "out.png"), ("in.tif", "out.tif")])
def test_warnings_come_before_denoising(names, folder):
    save_checkpoint(random_checkpoint(record=make_record()), folder / "rgb.pt")
    job = job_of(folder, *names, model=str(folder / "rgb.pt"))
    first, *rest = FileDenoising(job)
    assert isinstance(first, FileRemark)
    assert "is gray" in first.text
    assert isinstance(rest[-1], FileProgress)


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize(
    ("names", "more"),
    [
        (("in.png", "out.png"), {"add_noise": "gaussian:0.1"}),
        (("in.tif", "out.tif"), {}),
        (("in.tif", "out.ome.tif"), {"figure": "f.png"}),
    ],
)
def test_a_stopped_run_leaves_no_files(names, more, last, folder):
    if "figure" in more:
        more = {"figure": folder / "f.png"}
    job = job_of(folder, *names, **more)
    before = sorted(folder.iterdir())
    steps = iter(FileDenoising(job))
    step = next(steps)
    while last and step.done < step.total:
        step = next(steps)
    steps.close()
    assert sorted(folder.iterdir()) == before


def test_a_stopped_ome_zarr_keeps_its_chunks_and_is_resumed(folder):
    job = job_of(folder, "in.zarr", "out.zarr")
    steps = iter(FileDenoising(job))
    for _ in range(5):
        next(steps)
    steps.close()
    run = FileDenoising(job)
    assert len(list(run)) == 12
    assert (run.result.n_kept, run.result.n_chunks) == (5, 12)
    result = np.asarray(zarr.open_group(folder / "out.zarr", mode="r")["0"])
    expected = denoise(image(), model=MODEL, axes="TYX")
    assert np.abs(result.astype(int) - expected).max() <= 1


def remarks_of(source: Path, target: Path, **more: object) -> list[str]:
    """Denoise with strength 0, which keeps the pixels; return what a user is told."""
    options = DenoiseOptions(strength=0.0)
    run = FileDenoising(
        FileJob(input=source, output=target, model="auto", options=options, **more)
    )
    return [step.text for step in run if isinstance(step, FileRemark)]


@pytest.mark.parametrize("name", ["out.tif", "out.png"])
def test_a_palette_tiff_is_denoised_in_its_colors(tmp_path, name):
    y, x = np.mgrid[:40, :48]
    photo = np.stack([6 * y, 5 * x, 200 - 4 * y], axis=-1).astype(np.uint8)
    picture = Image.fromarray(photo).quantize(256)
    picture.save(tmp_path / "in.tif")
    remarks_of(tmp_path / "in.tif", tmp_path / name)
    with Image.open(tmp_path / name) as written:
        np.testing.assert_array_equal(np.asarray(written), picture.convert("RGB"))


@pytest.mark.parametrize("name", ["out.tif", "out.png", "out.zarr"])
def test_a_color_map_is_kept_or_its_loss_is_said(tmp_path, name):
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)
    colors = np.stack([0 * ramp, ramp, 0 * ramp])
    tifffile.imwrite(
        tmp_path / "in.tif", image()[0], photometric="palette", colormap=colors
    )
    said = remarks_of(tmp_path / "in.tif", tmp_path / name)
    written = open_volume(tmp_path / name)
    np.testing.assert_array_equal(written.array[...], image()[0])
    if name == "out.tif":
        np.testing.assert_array_equal(written.picture.color_map, colors)
    if name == "out.zarr":
        assert written.channels[0].color == "00FF00"
    assert any("colors" in text for text in said) == (name == "out.png")


def test_every_page_of_a_tiff_is_denoised(tmp_path):
    for number, page in enumerate(image()):
        tifffile.imwrite(tmp_path / "in.tif", page, append=number > 0)
    said = remarks_of(tmp_path / "in.tif", tmp_path / "out.tif")
    assert "frames T" in said[0]
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out.tif"), image())


@pytest.mark.parametrize("series", [None, 0])
def test_the_largest_or_the_given_series_is_denoised(tmp_path, series):
    images = [image()[0, :64, :64], image()[1]]
    for number, page in enumerate(images):
        tifffile.imwrite(tmp_path / "in.tif", page, append=number > 0)
    said = remarks_of(tmp_path / "in.tif", tmp_path / "out.tif", series=series)
    assert any("--series" in text for text in said) == (series is None)
    expected = images[1 if series is None else series]
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out.tif"), expected)
