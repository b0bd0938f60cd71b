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
    """A terminal in which bars are drawn at every step, without delay."""
    terminal = Terminal()

    def draw_always(**options: object) -> tqdm:
        at_once = {"delay": 0, "mininterval": 0, "miniters": 1, "leave": True}
        return tqdm(**options | at_once, file=terminal)

    monkeypatch.setattr(progress, "tqdm", draw_always)
    return terminal


def test_each_unit_has_its_own_bar_and_other_steps_are_yielded(terminal):
    steps = [*PARTS, REMARK, *TILES, DONE, *TILES, DONE]
    assert list(show_progress(steps)) == [REMARK, DONE, DONE]
    drawn = terminal.getvalue()
    assert "1/2" in drawn
    assert "part/s" in drawn
    assert "2/3" in drawn
    assert drawn.count("3/3") >= 2


def test_steps_without_progress_draw_no_bar(terminal):
    assert list(show_progress([REMARK, DONE])) == [REMARK, DONE]
    assert terminal.getvalue() == ""


def test_no_bar_is_drawn_outside_a_terminal(capsys):
    assert list(show_progress([*PARTS, *TILES])) == []
    assert capsys.readouterr().err == ""
