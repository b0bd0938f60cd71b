"""Progress bars in a terminal."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from tqdm import tqdm

from napari_denoise_ae.cli import progress
from napari_denoise_ae.cli.progress import show_progress
from napari_denoise_ae.files.steps import (
    PART,
    TILE,
    FileOutcome,
    FileProgress,
    FileRemark,
)

FILE = Path("a.tif")
PARTS = [FileProgress(FILE, PART, n, 2) for n in (1, 2)]
TILES = [FileProgress(FILE, TILE, n, 3) for n in (1, 2, 3)]
REMARK, DONE = FileRemark(FILE, "noisy"), FileOutcome(FILE, "done")


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch) -> Terminal:
    """Where bars are drawn, at every step and at once."""
    terminal = Terminal()

    def draw_always(**options: object) -> tqdm:
        at_once = {"delay": 0, "mininterval": 0, "miniters": 1, "leave": True}
        return tqdm(**options | at_once, file=terminal)

    monkeypatch.setattr(progress, "tqdm", draw_always)
    return terminal


def test_each_unit_has_its_bar_and_what_there_is_to_say_is_passed_on(terminal):
    steps = [*PARTS, REMARK, *TILES, DONE, *TILES, DONE]
    assert list(show_progress(steps)) == [REMARK, DONE, DONE]
    drawn = terminal.getvalue()
    assert "1/2" in drawn
    assert "part/s" in drawn
    assert "2/3" in drawn
    assert drawn.count("3/3") >= 2


def test_there_is_no_bar_for_what_has_no_progress(terminal):
    assert list(show_progress([REMARK, DONE])) == [REMARK, DONE]
    assert terminal.getvalue() == ""


def test_there_is_no_bar_in_a_log(capsys):
    assert list(show_progress([*PARTS, *TILES])) == []
    assert capsys.readouterr().err == ""
