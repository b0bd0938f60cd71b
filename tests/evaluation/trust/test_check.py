from __future__ import annotations

import pytest
from command import run
from PIL import Image
from skimage.data import camera


def test_evaluate_prints_reports_beside_the_truth(no_baselines, tmp_path, capsys):
    folder = tmp_path / "clean"
    folder.mkdir()
    Image.fromarray(camera()[64:192, 128:256]).save(folder / "a.png")
    Image.fromarray(camera()[:32, :32]).save(folder / "small.png")
    noise = ("--noise", "gaussian:0.1,unclipped", "--measured", "--device", "cpu")
    assert run("evaluate", "--images", folder, *noise, "--model", "gray") == 0
    lines = capsys.readouterr().out.splitlines()
    first = next(n for n, line in enumerate(lines) if "trust reports" in line)
    number, true, low, _, high, light = lines[first + 2].split()
    assert (number, light) == ("1", "fine")
    assert float(low) < float(true) < float(high)
    assert float(true) == pytest.approx(30, abs=2)
    assert lines[first + 3] == "1 of 1 ranges hold the truth"
