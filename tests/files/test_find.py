"""The files of a batch are found by name, folder and pattern."""

from __future__ import annotations

import numpy as np
import tifffile
from batches import MODEL, image, outcomes, run

from napari_denoise_ae import denoise
from napari_denoise_ae.cli.main import main


def test_inputs_may_be_a_pattern_or_several_files(folder, capsys):
    assert run(folder, folder / "*.tif") == 0
    assert outcomes(capsys) == ["done"] * 2
    assert run(folder, folder / "0.tif", folder / "2.png", output="other") == 0
    assert outcomes(capsys) == ["done"] * 2


def test_a_pattern_skips_earlier_results(folder, capsys):
    out = "in/out"
    for _ in range(2):
        assert run(folder, folder / "*", output=out) == 0
    assert outcomes(capsys)[-4:] == ["skipped"] * 4
    # This pattern matches the results, too.
    (folder / "more").mkdir()
    tifffile.imwrite(folder / "more" / "9.tif", image(9))
    assert run(folder, folder / "*" / "*.tif", output=out) == 0
    assert outcomes(capsys) == ["done"]


def test_a_tree_is_kept_and_hidden_files_are_no_images(folder, capsys):
    for name in ("day1/deep", ".trash", "out"):
        (folder / name).mkdir(parents=True)
    for name in ("day1/0.tif", "day1/deep/0.tif", ".trash/0.tif", "out/5.tif"):
        tifffile.imwrite(folder / name, image(5))
    for name in ("._0.tif", ".0.tif", "day1/._0.tif"):
        (folder / name).write_bytes(b"no image")
    command = (folder, "--recursive")
    assert run(folder, *command, output="in/out") == 0
    assert outcomes(capsys) == ["done"] * 6
    found = sorted((folder / "out").rglob("*.tif"))
    expected = ["0.tif", "1.tif", "5.tif", "day1/0.tif", "day1/deep/0.tif"]
    assert [str(path.relative_to(folder / "out")) for path in found] == expected
    np.testing.assert_array_equal(
        tifffile.imread(folder / "out/day1/deep/0.tif"), denoise(image(5), model=MODEL)
    )
    assert run(folder, *command, output="in/out") == 0
    assert outcomes(capsys) == ["skipped"] * 6
    # A pattern that names hidden files finds none either.
    assert run(folder, folder / ".*.tif", output="other") == 2
    assert "There are no images" in capsys.readouterr().err
    assert run(folder, folder / "0.tif", "--recursive", output="new.tif") == 2
    assert "--recursive has no effect" in capsys.readouterr().err


def test_a_tiff_in_a_folder_named_like_an_ome_zarr_is_a_tiff(folder, capsys):
    named_zarr = folder.parent / "series.zarr"
    named_zarr.mkdir()
    tifffile.imwrite(named_zarr / "a.tif", image(5))
    model = folder.parent / "gray.pt"
    command = ["denoise", named_zarr / "a.tif", named_zarr / "b.tif", "--model", model]
    assert main([str(argument) for argument in command]) == 0
    np.testing.assert_array_equal(
        tifffile.imread(named_zarr / "b.tif"), denoise(image(5), model=MODEL)
    )
