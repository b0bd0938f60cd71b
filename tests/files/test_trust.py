from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile
from skimage.data import camera

from napari_denoise_ae import add_noise
from napari_denoise_ae.cli.main import main
from napari_denoise_ae.errors import InvalidInputError, OutputError
from napari_denoise_ae.files.job import FileJob
from napari_denoise_ae.files.trust import require_reports


@pytest.fixture
def noisy(tmp_path):
    clean = camera()[64:192, 128:256].astype(np.float32)
    image = add_noise(clean, "gaussian:0.1,unclipped", rng=0, intensity_range=(0, 255))
    path = tmp_path / "noisy.tif"
    tifffile.imwrite(
        path,
        image.astype(np.float32),
        imagej=True,
        resolution=(10, 10),
        metadata={"unit": "um"},
    )
    return path


@pytest.mark.parametrize("output", ["denoised.tif", "denoised.ome.zarr"])
def test_reports_are_written(noisy, output, tmp_path, capsys):
    page, record = tmp_path / "report.html", tmp_path / "report.json"
    command = ["denoise", noisy, tmp_path / output, "--device", "cpu"]
    status = main([str(x) for x in (*command, "--report", page, "--report", record)])
    assert status == 0
    printed = capsys.readouterr().out
    assert "trust      fine" in printed
    assert f"report     {page}" in printed
    content = json.loads(record.read_text(encoding="utf-8"))
    (report,) = content["reports"]
    assert content["image"] == "noisy.tif"
    assert report["light"] == "fine"
    by_name = {each["name"]: each for each in report["findings"]}
    assert "µm" in by_name["resolution"]["sentence"]
    assert by_name["error"]["figures"]["psnr_low"] > 20
    html = page.read_text(encoding="utf-8")
    assert by_name["noise"]["sentence"] in html
    assert html.count("data:image/png;base64,") == 2
    assert "http" not in html


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("report.txt", InvalidInputError, "must end in .html or .json"),
        ("in.json", InvalidInputError, "would replace the input"),
        ("old.json", OutputError, "it exists"),
    ],
)
def test_reports_that_cannot_be_written(name, error, message, tmp_path):
    (tmp_path / "old.json").touch()
    job = FileJob(
        input=tmp_path / "in.json",
        output=tmp_path / "out.tif",
        model="gray",
        reports=(tmp_path / name,),
    )
    with pytest.raises(error, match=message):
        require_reports(job)


def test_several_files_have_no_common_report(noisy, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    command = ["denoise", noisy, noisy, tmp_path / "out", "--report", "x.html"]
    assert main([str(each) for each in command]) != 0
    assert "--report" in capsys.readouterr().err
