"""Fixtures shared by all tests; napari and Qt need not be installed."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import pytest
import torch
from fake_cifar10 import checksum_lists, write_fake_cifar10
from synthetic import make_record, random_checkpoint

from napari_denoise_ae.native_libraries import load_triton_apart

if TYPE_CHECKING:
    from pathlib import Path

    from napari_denoise_ae.models.checkpoint import Checkpoint

collect_ignore_glob = [] if importlib.util.find_spec("napari") else ["_napari/*"]


# Some tests import torchvision after a window has been opened.
load_triton_apart()

# The computations of tests are too small for several threads.
torch.set_num_threads(1)


@pytest.fixture
def cifar10(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with 80 + 24 images in the layout of CIFAR-10, accepted as genuine."""
    from torchvision.datasets import CIFAR10

    folder = tmp_path / "data"
    write_fake_cifar10(folder)
    for name, value in checksum_lists(folder).items():
        monkeypatch.setattr(CIFAR10, name, value)
    return folder


@pytest.fixture(scope="session")
def checkpoint() -> Checkpoint:
    """A small color network with random weights and no training record."""
    return random_checkpoint()


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    """A checkpoint file of a small color network with a training record."""
    from napari_denoise_ae.models.checkpoint_file import save_checkpoint

    path = tmp_path / "model.pt"
    save_checkpoint(random_checkpoint(record=make_record()), path)
    return path
