"""Images, and the command that denoises a folder of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from synthetic import random_checkpoint

from napari_denoise_ae.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

MODEL = random_checkpoint(in_channels=1)


def image(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (40, 30), dtype=np.uint8)


def run(folder: Path, *arguments: object, output: str = "out") -> int:
    """Denoise into a folder next to `folder`; return the exit status."""
    target = folder.parent / output
    model = folder.parent / "gray.pt"
    command = ["denoise", *arguments, target, "--model", model]
    try:
        return main([str(argument) for argument in command])
    except SystemExit as ended:
        return ended.code


def outcomes(capsys) -> list[str]:
    """Return the printed outcome of each file."""
    lines = capsys.readouterr().out.splitlines()
    return [line.split()[0] for line in lines[:-1]]
