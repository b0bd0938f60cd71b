"""The record of a batch protects files that are not its results."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from batches import MODEL, image, outcomes, run

from napari_denoise_ae import denoise


@pytest.mark.parametrize(
    "record", ["{", "[]\n", '{"name": "0.tif", "settings": {}, "result": 5}\n']
)
def test_a_damaged_record_does_not_cause_files_to_be_replaced(record, folder, capsys):
    run(folder, folder / "*.tif")
    outcomes(capsys)
    (folder.parent / "out" / ".napari-denoise-ae.jsonl").write_text(record)
    assert run(folder, folder / "*.tif") == 1
    assert outcomes(capsys) == ["failed"] * 2
    assert run(folder, folder / "*.tif", "--overwrite") == 0
    assert outcomes(capsys) == ["done"] * 2
    assert run(folder, folder / "*.tif") == 0
    assert outcomes(capsys) == ["skipped"] * 2


def test_a_file_that_is_not_a_result_is_not_replaced(folder, capsys):
    out = folder.parent / "out"
    out.mkdir()
    (out / "0.tif").write_text("not a result")
    assert run(folder, folder) == 1
    printed = capsys.readouterr()
    assert "3 done, 0 skipped, 1 failed" in printed.out
    assert "0.tif: it exists" in printed.err
    assert (out / "0.tif").read_text() == "not a result"
    assert run(folder, folder, "--overwrite") == 0
    assert outcomes(capsys) == ["done", "skipped", "skipped", "skipped"]
    expected = denoise(image(0), model=MODEL)
    np.testing.assert_array_equal(tifffile.imread(out / "0.tif"), expected)


def test_a_result_that_the_user_has_changed_is_not_replaced(folder, capsys):
    run(folder, folder)
    outcomes(capsys)
    out = folder.parent / "out"
    (out / "1.tif").write_text("changed")
    assert run(folder, folder, "--intensity-range", "0,100") == 1
    assert outcomes(capsys) == ["done", "failed", "done", "done"]
    assert (out / "1.tif").read_text() == "changed"


def test_a_noisy_preview_does_not_replace_another_file(folder, capsys):
    out = folder.parent / "out"
    out.mkdir()
    (out / "0_noisy.tif").write_text("not a result")
    noise = ("--add-noise", "gaussian:0.1")
    assert run(folder, folder / "*.tif", *noise) == 1
    assert outcomes(capsys) == ["failed", "done"]
    assert (out / "0_noisy.tif").read_text() == "not a result"
    assert not (out / "0.tif").exists()
    (out / "0_noisy.tif").unlink()
    assert run(folder, folder / "*.tif", *noise) == 0
    assert outcomes(capsys) == ["done", "skipped"]
