"""The command denoises several files into a folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from batches import MODEL, image, outcomes, run
from synthetic import random_checkpoint

from napari_denoise_ae import denoise
from napari_denoise_ae.files import batch, loaded_models
from napari_denoise_ae.models.checkpoint import Checkpoint
from napari_denoise_ae.models.checkpoint_file import save_checkpoint

if TYPE_CHECKING:
    from napari_denoise_ae.files.job import FileJob
    from napari_denoise_ae.files.loaded_models import LoadedModels
    from napari_denoise_ae.files.route import FileDenoising


def test_a_folder_is_denoised_into_another(folder, capsys):
    assert run(folder, folder) == 0
    assert outcomes(capsys) == ["done"] * 4
    out = folder.parent / "out"
    names = {path.name for path in out.iterdir() if not path.name.startswith(".")}
    assert names == {"0.tif", "1.tif", "2.png", "3.zarr"}
    expected = denoise(image(1), model=MODEL)
    np.testing.assert_array_equal(tifffile.imread(out / "1.tif"), expected)


def test_unchanged_results_are_skipped(folder, capsys):
    run(folder, folder)
    outcomes(capsys)
    changed = folder / "1.tif"
    tifffile.imwrite(changed, image(7))
    os.utime(changed, (1, 1))
    (folder.parent / "out" / "2.png").unlink()
    assert run(folder, folder) == 0
    assert outcomes(capsys) == ["skipped", "done", "done", "skipped"]
    result = tifffile.imread(folder.parent / "out" / "1.tif")
    np.testing.assert_array_equal(result, denoise(image(7), model=MODEL))
    # Other settings give other results.
    assert run(folder, folder, "--intensity-range", "0,100") == 0
    assert outcomes(capsys) == ["done"] * 4


def test_another_dtype_replaces_recorded_results(folder, capsys):
    files = folder / "[01].tif"
    assert run(folder, files) == 0
    outcomes(capsys)
    for outcome in ("done", "skipped"):
        assert run(folder, files, "--dtype", "float32") == 0
        assert outcomes(capsys) == [outcome] * 2
    result = tifffile.imread(folder.parent / "out" / "1.tif")
    expected = denoise(image(1), model=MODEL, dtype="float32")
    np.testing.assert_array_equal(result, expected)


def test_float32_is_rejected_for_a_png_before_the_first_file(folder, capsys):
    assert run(folder, folder, "--dtype", "float32") == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "2.png: PNG files cannot store float32" in printed.err
    assert not (folder.parent / "out").exists()


def test_a_damaged_file_is_reported_and_the_others_are_denoised(folder, capsys):
    (folder / "0.tif").write_bytes(b"no TIFF")
    assert run(folder, folder) == 1
    printed = capsys.readouterr()
    assert "3 done, 0 skipped, 1 failed" in printed.out
    assert printed.err.count("failed: ") == 1
    assert "0.tif: Cannot read" in printed.err
    out = folder.parent / "out"
    assert sorted(p.name for p in out.glob("[0-9]*")) == ["1.tif", "2.png", "3.zarr"]
    # A failed file is denoised by the next run.
    tifffile.imwrite(folder / "0.tif", image(0))
    assert run(folder, folder) == 0
    assert outcomes(capsys) == ["done", "skipped", "skipped", "skipped"]


def test_warnings_name_the_file(folder, capsys):
    save_checkpoint(random_checkpoint(), folder.parent / "gray.pt")
    assert run(folder, folder / "*.tif") == 0
    remarks = capsys.readouterr().err.splitlines()
    assert [f"{n}.tif: The model" in remarks[n] for n in range(2)] == [True, True]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{}/nothing*.tif"], "There are no images"),
        (["{}/empty"], "There are no images"),
        (["{}/0.tif", "{}/more/0.tif"], "both be named 0.tif"),
        (["{}", "--figure", "{}/f.png"], "Omit --reference, --figure and"),
        (["{}", "--reference", "{}/0.tif"], "Omit --reference, --figure and"),
        (
            ["--add-noise", "gaussian:0.1", "{}/0.tif", "{}/more/0_noisy.tif"],
            "both be named 0_noisy.tif",
        ),
    ],
)
def test_an_invalid_batch_is_rejected_before_the_first_file(
    folder, arguments, message, capsys
):
    (folder / "empty").mkdir()
    (folder / "more").mkdir()
    for name in ("0.tif", "0_noisy.tif"):
        tifffile.imwrite(folder / "more" / name, image(5))
    assert run(folder, *(text.format(folder) for text in arguments)) == 2
    assert message in capsys.readouterr().err
    assert not (folder.parent / "out").exists()


def test_images_are_not_replaced_by_their_results(folder, capsys):
    assert run(folder, folder, output="in") == 2
    assert "would replace the images" in capsys.readouterr().err


def test_the_output_folder_cannot_be_a_file(folder, capsys):
    (folder.parent / "out").write_text("text")
    assert run(folder, folder) == 2
    assert "Cannot create the folder" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["result.tif", "result.zarr"])
def test_the_output_folder_cannot_have_the_suffix_of_an_image(name, folder, capsys):
    assert run(folder, folder, output=name) == 2
    assert f"{name} is the name of an image" in capsys.readouterr().err
    assert not (folder.parent / name).exists()


def test_an_unexpected_error_does_not_end_the_batch(folder, capsys, monkeypatch):
    file_denoising = batch.FileDenoising

    def failing(job: FileJob, models: LoadedModels) -> FileDenoising:
        if job.input.name == "1.tif":
            raise KeyError("unexpected")
        return file_denoising(job, models)

    monkeypatch.setattr(batch, "FileDenoising", failing)
    assert run(folder, folder) == 1
    printed = capsys.readouterr()
    assert "3 done, 0 skipped, 1 failed" in printed.out
    assert "1.tif: KeyError: 'unexpected'" in printed.err


def test_the_model_is_loaded_and_built_once_for_all_files(folder, monkeypatch):
    built, loaded = [], []
    build, load = Checkpoint.build, loaded_models.load_checkpoint
    monkeypatch.setattr(
        Checkpoint,
        "build",
        lambda self, device: built.append(self.name) or build(self, device),
    )
    monkeypatch.setattr(
        loaded_models, "load_checkpoint", lambda name: loaded.append(name) or load(name)
    )
    assert run(folder, folder) == 0
    assert built == ["gray.pt"]
    assert loaded == [str(folder.parent / "gray.pt")]


def test_an_invalid_model_is_rejected_before_the_first_file(folder, capsys):
    (folder.parent / "gray.pt").write_bytes(b"none")
    assert run(folder, folder) == 2
    assert "not a checkpoint" in capsys.readouterr().err
