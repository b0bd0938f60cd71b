"""Run the shell command in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from napari_denoise_ae.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def run(*arguments: object) -> int:
    """Run the command and return its exit status."""
    return main([str(argument) for argument in arguments])


def read(path: Path) -> np.ndarray:
    """Read a PNG or JPEG file."""
    with Image.open(path) as picture:
        return np.asarray(picture)


def state_of(folder: Path) -> dict[str, bytes]:
    """Return the contents of all files in a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def expect_error(command: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command that must fail without writing a file; return its error."""
    before = state_of(folder)
    status = main(command.split())
    printed = capsys.readouterr()
    assert status == 2, printed
    *warned, error = printed.err.strip().splitlines()
    assert error.startswith("error: ")
    assert all(line.startswith("warning: ") for line in warned)
    assert "Traceback" not in printed.err
    assert state_of(folder) == before
    return error
