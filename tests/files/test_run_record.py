"""The record of a run over files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from command import run
from synthetic import smooth_photo

from napari_denoise_ae import __version__
from napari_denoise_ae.errors import InvalidInputError, OutputError
from napari_denoise_ae.files import batch
from napari_denoise_ae.files.job import FileJob
from napari_denoise_ae.files.run_record import RunRecord, require_record

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def counts(tmp_path) -> Path:
    """Two channels of an image with photon noise."""
    clean = 200 * smooth_photo(64, 64, 1)[..., 0]
    pixels = np.random.default_rng(0).poisson([clean, 4 * clean]).astype(np.uint16)
    path = tmp_path / "in" / "counts.tif"
    path.parent.mkdir()
    tifffile.imwrite(path, pixels, metadata={"axes": "CYX"})
    return path


def test_the_record_holds_files_options_noise_and_trust(counts, tmp_path, capsys):
    record, report = tmp_path / "run.json", tmp_path / "trust.json"
    given = ("denoise", counts, tmp_path / "out.tif", "--strength", 0.9, "--overwrite")
    assert run(*given, "--json", record, "--report", report) == 0
    assert "denoised" in capsys.readouterr().out
    content = json.loads(record.read_text(encoding="utf-8"))
    image = content["images"].pop()
    assert content == {
        "format": "napari-denoise-ae denoise",
        "schema": 1,
        "version": __version__,
        "images": [],
    }
    assert image["input"] == str(counts)
    assert (image["outcome"], image["reason"]) == ("done", "")
    assert image["seconds"] > 0
    result = image["result"]
    assert result["files"] == {
        "denoised": str(tmp_path / "out.tif"),
        "noisy": None,
        "reference": None,
        "figure": None,
        "reports": [str(report)],
    }
    assert (result["shape"], result["axes"], result["dtype"]) == (
        [2, 64, 64],
        "CYX",
        "uint16",
    )
    assert (result["model"], result["options"]["strength"]) == ("gray", 0.9)
    noises = [each["noise"]["kind"] for each in result["normalization"]["ranges"]]
    assert noises == ["poisson-gaussian"] * 2
    assert result["trust"] == json.loads(report.read_text(encoding="utf-8"))["reports"]
    # Printed instead: the record alone, also of an image that is compared.
    clean = ("--model", "conv", "--add-noise", "gaussian:0.5", "--select", "C=0")
    assert run(*given[:3], *clean, "--overwrite", "--json", "-") == 0
    (image,) = json.loads(capsys.readouterr().out)["images"]
    assert image["result"]["comparison"]["n_planes"] == 1
    assert image["result"]["select"] == {"C": [0, 1]}
    assert image["result"]["files"]["noisy"] == str(tmp_path / "out_noisy.tif")


def test_a_batch_records_every_file(counts, tmp_path, capsys):
    (counts.parent / "text.tif").write_text("This is no image.\n")
    command = ("denoise", counts.parent, tmp_path / "out", "--model", "conv", "--json")
    # The next run replaces the record.
    for outcome in ("done", "skipped"):
        with pytest.raises(SystemExit):
            run(*command, tmp_path / "out.json")
        done, failed = json.loads((tmp_path / "out.json").read_bytes())["images"]
        assert done["outcome"] == outcome
        assert (done["result"] is None) == (outcome == "skipped")
        assert failed["outcome"] == "failed"
        assert "Cannot read" in failed["reason"]


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("run.txt", InvalidInputError, "must end in .json"),
        ("report.json", InvalidInputError, "both the record and a report"),
        ("other.json", OutputError, "it exists"),
        ("list.json", OutputError, "it exists"),
        ("nowhere/run.json", OutputError, "does not exist"),
    ],
)
def test_records_that_cannot_be_written(name, error, message, tmp_path):
    (tmp_path / "other.json").write_text("{")
    (tmp_path / "list.json").write_text("[1]")
    job = FileJob(
        input=tmp_path / "in.tif",
        output=tmp_path / "out.tif",
        model="gray",
        reports=(tmp_path / "report.json",),
    )
    with pytest.raises(error, match=message):
        require_record(tmp_path / name, job)


def test_an_earlier_record_is_replaced(tmp_path):
    RunRecord().write(tmp_path / "run.json")
    job = FileJob(input=tmp_path / "in.tif", output=tmp_path / "out.tif", model="gray")
    require_record(tmp_path / "run.json", job)


def test_a_run_that_is_interrupted_records_its_finished_files(
    counts, tmp_path, monkeypatch, capsys
):
    (counts.parent / "later.tif").write_bytes(counts.read_bytes())
    denoise_one = batch._denoise_one

    def until_later(job, *rest):
        if job.input.name == "later.tif":
            raise KeyboardInterrupt
        yield from denoise_one(job, *rest)

    monkeypatch.setattr(batch, "_denoise_one", until_later)
    given = (tmp_path / "out", "--model", "conv", "--json", tmp_path / "run.json")
    with pytest.raises(SystemExit) as ended:
        run("denoise", counts.parent, *given)
    assert ended.value.code == 130
    (image,) = json.loads((tmp_path / "run.json").read_bytes())["images"]
    assert image["input"] == str(counts)
