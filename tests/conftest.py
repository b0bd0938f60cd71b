"""What all tests share; free of napari and Qt, which need not be installed."""

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


# Tests import torchvision themselves, some of them after a window was open.
load_triton_apart()

# What tests compute is too small to be shared among threads.
torch.set_num_threads(1)


@pytest.fixture
def cifar10(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with 80 + 24 images in CIFAR-10's layout, taken for the real one."""
    from torchvision.datasets import CIFAR10

    folder = tmp_path / "data"
    write_fake_cifar10(folder)
    for name, value in checksum_lists(folder).items():
        monkeypatch.setattr(CIFAR10, name, value)
    return folder


@pytest.fixture(scope="session")
def checkpoint() -> Checkpoint:
    """A small color network with random weights, and nothing known of it."""
    return random_checkpoint()


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    """A small color network with random weights and a record, in a file."""
    from napari_denoise_ae.models.checkpoint_file import save_checkpoint

    path = tmp_path / "model.pt"
    save_checkpoint(random_checkpoint(record=make_record()), path)
    return path
