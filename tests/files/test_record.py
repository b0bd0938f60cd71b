"""The record of a batch protects files that are not its results."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile
from batches import MODEL, image, outcomes, run

from napari_denoise_ae import denoise
from napari_denoise_ae.files import batch
from napari_denoise_ae.files.record import RECORD, BatchRecord


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


def test_a_result_is_known_if_the_batch_ended_before_it_got_its_name(tmp_path):
    complete, result = tmp_path / ".writing", tmp_path / "a.tif"
    complete.write_text("new")
    BatchRecord(tmp_path).add("a.tif", complete, {"sigma": 1})
    assert BatchRecord(tmp_path).settings_of(result) is None
    complete.rename(result)
    assert BatchRecord(tmp_path).settings_of(result) == {"sigma": 1}


def test_lines_are_added_and_never_rewritten(tmp_path):
    result, record = tmp_path / "a.tif", BatchRecord(tmp_path)
    result.write_text("first")
    record.add("a.tif", result, {"sigma": 1})
    before = (tmp_path / RECORD).read_bytes()
    # A batch was killed while it added a line.
    with (tmp_path / RECORD).open("ab") as file:
        file.write(b'{"name": "b')
    assert record.settings_of(result) == {"sigma": 1}
    result.write_text("second, longer")
    BatchRecord(tmp_path).add("a.tif", result, {"sigma": 2})
    lines = (tmp_path / RECORD).read_bytes()
    assert lines.startswith(before)
    assert json.loads(lines.splitlines()[-1])["settings"] == {"sigma": 2}
    assert record.settings_of(result) == {"sigma": 2}


def test_records_of_batches_that_run_at_the_same_time_are_merged(
    folder, capsys, monkeypatch
):
    """The second batch denoises everything just before the first one's second file."""
    write, calls = batch._write_results, []

    def write_results(job, *arguments):
        calls.append(job)
        if len(calls) == 2:
            monkeypatch.setattr(batch, "_write_results", write)
            assert run(folder, folder) == 0
        return write(job, *arguments)

    monkeypatch.setattr(batch, "_write_results", write_results)
    assert run(folder, folder) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "4 done, 0 skipped, 0 failed" not in lines
    assert not any(line.startswith("failed") for line in lines)
    assert run(folder, folder) == 0
    assert outcomes(capsys) == ["skipped"] * 4


def test_a_record_that_cannot_be_written_fails_the_file(folder, capsys):
    (folder.parent / "out" / RECORD).mkdir(parents=True)
    assert run(folder, folder / "*.tif") == 1
    printed = capsys.readouterr()
    assert "0 done, 0 skipped, 2 failed" in printed.out
    assert f"{RECORD}: Is a directory" in printed.err
    assert [path.name for path in (folder.parent / "out").iterdir()] == [RECORD]
