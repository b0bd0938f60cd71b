"""Run the shell command in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from napari_denoise_ae.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: object) -> int:
    """Run the command and return its exit status."""
    return main([str(argument) for argument in arguments])


def read(path: Path) -> np.ndarray:
    """Read a PNG or JPEG file."""
    with Image.open(path) as picture:
        return np.asarray(picture)
