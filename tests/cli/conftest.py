from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from synthetic import smooth_photo

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def photo() -> np.ndarray:
    """A clean photograph, uint8 of shape (48, 40, 3)."""
    return np.rint(255 * smooth_photo(48, 40)).astype(np.uint8)


@pytest.fixture
def png(tmp_path, photo) -> Path:
    """The photograph as a PNG file."""
    Image.fromarray(photo).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"
