"""A tiny data set that torchvision accepts as CIFAR-10.

``python fake_cifar10.py FOLDER ARGUMENT...`` runs ``napari-denoise-ae ARGUMENT...``
in a process that accepts the data in FOLDER as CIFAR-10.
"""

from __future__ import annotations

import hashlib
import pickle
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np

FOLDER_NAME = "cifar-10-batches-py"
N_TRAIN, N_TEST = 80, 24
_TRAIN_NAMES = [f"data_batch_{number}" for number in range(1, 6)]


def write_fake_cifar10(folder: Path) -> None:
    """Write 80 training and 24 test images of four flat squares."""
    root = folder / FOLDER_NAME
    root.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in _TRAIN_NAMES:
        _write_batch(root / name, rng, N_TRAIN // len(_TRAIN_NAMES))
    _write_batch(root / "test_batch", rng, N_TEST)
    (root / "batches.meta").write_bytes(pickle.dumps({"label_names": ["square"]}))


def _write_batch(path: Path, rng: np.random.Generator, n_images: int) -> None:
    colors = rng.integers(0, 256, (n_images, 3, 2, 2), dtype=np.uint8)
    data = colors.repeat(16, axis=2).repeat(16, axis=3).reshape(n_images, -1)
    path.write_bytes(pickle.dumps({"data": data, "labels": [0] * n_images}))


def checksum_lists(folder: Path) -> dict[str, Any]:
    """Return torchvision's attributes of CIFAR-10, with the checksums of this data."""
    root = folder / FOLDER_NAME

    def md5(name: str) -> str:
        return hashlib.md5((root / name).read_bytes()).hexdigest()

    return {
        "train_list": [[name, md5(name)] for name in _TRAIN_NAMES],
        "test_list": [["test_batch", md5("test_batch")]],
        "meta": {
            "filename": "batches.meta",
            "key": "label_names",
            "md5": md5("batches.meta"),
        },
    }


def _run_command(folder: Path, arguments: list[str]) -> int:
    from torchvision.datasets import CIFAR10

    from napari_denoise_ae.cli.main import main

    for name, value in checksum_lists(folder).items():
        setattr(CIFAR10, name, value)
    return main(arguments)


if __name__ == "__main__":
    # Below nohup, and in the background of a script, a process inherits that SIGINT
    # is ignored. A person at a terminal has the handler that Python installs.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(_run_command(Path(sys.argv[1]), sys.argv[2:]))
