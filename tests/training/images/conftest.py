"""Images in a folder, for the tests of reading images to train on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from collections_of import write

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three gray images of different formats and sizes."""
    path = tmp_path / "photos"
    path.mkdir()
    rng = np.random.default_rng(0)
    write(path / "b.tif", rng.integers(0, 4096, (40, 30)).astype(np.uint16))
    write(path / "a.png", rng.integers(0, 256, (24, 60)).astype(np.uint8))
    write(path / "c.jpg", np.full((32, 32), 100, np.uint8))
    (path / "notes.txt").write_text("not an image")
    return path
