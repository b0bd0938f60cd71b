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
