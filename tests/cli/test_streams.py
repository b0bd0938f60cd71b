"""What happens to the standard streams never stops a run."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest
from command import run
from PIL import Image


def closed_pipe() -> io.TextIOWrapper:
    """Return a stream whose reader has gone, as in ``... | head -0``."""
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "w", encoding="utf-8")


def full_disk() -> io.TextIOWrapper:
    return Path("/dev/full").open("w", encoding="utf-8")


def ascii_only() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="ascii")


@pytest.fixture
def batch(tmp_path, photo) -> list[object]:
    """A command that denoises two files, one of which has a name beyond ASCII."""
    (tmp_path / "in").mkdir()
    for name in ("a.png", "b_\u00fc\u4e2d.png"):
        Image.fromarray(photo).save(tmp_path / "in" / name)
    return ["denoise", tmp_path / "in", tmp_path / "out", "--model", "conv"]


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full")
@pytest.mark.parametrize(
    ("stream", "status"),
    [(closed_pipe, 0), (full_disk, 2), (ascii_only, 0), (lambda: None, 0)],
)
def test_every_file_is_denoised(batch, stream, status, tmp_path, monkeypatch, capsys):
    output = stream()
    monkeypatch.setattr(sys, "stdout", output)
    assert run(*batch) == status
    assert {path.name for path in (tmp_path / "out").glob("*.png")} == {
        path.name for path in (tmp_path / "in").iterdir()
    }
    error = capsys.readouterr().err
    assert ("standard output: No space left on device" in error) == (status == 2)
    assert sys.stdout is output
    if stream is ascii_only:
        output.seek(0)
        assert "b_\\xfc\\u4e2d.png" in output.read()
    elif output is not None:
        output.close()


def test_a_closed_standard_error_does_not_hide_a_failure(batch, monkeypatch, capsys):
    (batch[1] / "c.png").write_text("This is no image.\n")
    with closed_pipe() as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        with pytest.raises(SystemExit) as ended:
            run(*batch)
    assert ended.value.code == 1
    assert "2 done, 0 skipped, 1 failed" in capsys.readouterr().out
