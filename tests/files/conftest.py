from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import tifffile
import zarr
from batches import image
from PIL import Image
from stored_stacks import MODEL

from napari_denoise_ae.models.checkpoint_file import save_checkpoint

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def gray(tmp_path_factory) -> Path:
    """A checkpoint file of a small gray model."""
    path = tmp_path_factory.mktemp("model") / "gray.pt"
    save_checkpoint(MODEL, path)
    return path


@pytest.fixture
def folder(tmp_path) -> Path:
    """Four images in three formats, a text file, and a model beside the folder."""
    save_checkpoint(MODEL, tmp_path / "gray.pt")
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(2):
        tifffile.imwrite(folder / f"{number}.tif", image(number))
    Image.fromarray(image(2)).save(folder / "2.png")
    zarr.create_array(folder / "3.zarr", data=image(3))
    (folder / "notes.txt").write_text("no image")
    return folder
