from __future__ import annotations

import re
from pathlib import Path

import pytest

from napari_denoise_ae.cli.main import main


@pytest.fixture
def _crash(monkeypatch):
    def crash(arguments):
        raise ZeroDivisionError("a\nmistake of ours")

    monkeypatch.setattr("napari_denoise_ae.cli.other._info", crash)


@pytest.mark.usefixtures("_crash")
def test_an_unexpected_error_is_one_line_and_a_log(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert main(["info", "a.pt"]) == 70
    line = capsys.readouterr().err
    found = re.fullmatch(
        r"error: unexpected ZeroDivisionError: a mistake of ours\. Please report it "
        r"with the log (.*\.log)\.\n",
        line,
    )
    log = Path(found[1]).read_text()
    assert "in crash" in log
    assert "ZeroDivisionError" in log


@pytest.mark.usefixtures("_crash")
def test_a_log_that_cannot_be_written_is_said(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    assert main(["info", "a.pt"]) == 70
    line = capsys.readouterr().err
    assert line.startswith("error: unexpected ZeroDivisionError")
    assert "could not be written (" in line
    assert line.count("\n") == 1
