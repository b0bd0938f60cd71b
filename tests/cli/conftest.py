"""Fixtures of the tests of the command line."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image
from synthetic import make_record, random_checkpoint, small_config, smooth_photo

from napari_denoise_ae.models.checkpoint_file import save_checkpoint

PHOTO = np.rint(255 * smooth_photo(40, 36)).astype(np.uint8)
GRAY = smooth_photo(40, 36, 1)[..., 0].astype(np.float32)


class WritesAFile:
    """A malicious pickle: loading it writes a file."""

    def __reduce__(self):
        return (Path.write_text, (Path("proof"), "run"))


def tiff(path: Path, image: np.ndarray) -> None:
    tifffile.imwrite(path, image, photometric="minisblack")


def write_checkpoints(folder: Path) -> None:
    """Write valid, unusable, and malicious checkpoints."""
    good = random_checkpoint(record=make_record())
    save_checkpoint(good, folder / "good.pt")
    save_checkpoint(random_checkpoint(in_channels=5), folder / "five.pt")
    for name, settings in (("few", {"n_test": 6}), ("mild", {"noise": "gaussian:0.1"})):
        record = make_record(
            dataset="CIFAR-10 training set", config=small_config(**settings)
        )
        save_checkpoint(random_checkpoint(record=record), folder / f"{name}.pt")
    content = torch.load(folder / "good.pt", weights_only=True)
    torch.save(content | {"format_version": 2}, folder / "newer.pt")
    torch.save({"layer.weight": torch.zeros(3, 4)}, folder / "other.pt")
    torch.save(content | {"record": WritesAFile()}, folder / "malicious.pt")
    (folder / "malicious.pkl").write_bytes(pickle.dumps(WritesAFile()))
    good_bytes = (folder / "good.pt").read_bytes()
    (folder / "truncated.pt").write_bytes(good_bytes[: len(good_bytes) // 2])
    (folder / "text.pt").write_text("This is no checkpoint.\n")


@pytest.fixture(autouse=True)
def _terminal_of_80_columns(monkeypatch):
    # argparse wraps help and usage at the width of the terminal.
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture(scope="module")
def examples(tmp_path_factory) -> dict[str, bytes]:
    """Contents of valid and damaged files, by name."""
    folder = tmp_path_factory.mktemp("examples")
    Image.fromarray(PHOTO).save(folder / "photo.png")
    Image.fromarray(PHOTO).save(folder / "clean.png")
    Image.fromarray(PHOTO[:20]).save(folder / "half.png")
    Image.fromarray(PHOTO[:8, :8]).save(folder / "tiny.png")
    tiff(folder / "gray.tif", GRAY)
    tiff(folder / "flat.tif", np.full_like(GRAY, 5))
    tiff(folder / "stack.tif", np.stack([GRAY] * 5))
    for name, value in (("inf", np.inf), ("minus_inf", -np.inf), ("nan", np.nan)):
        image = GRAY.copy()
        image[3 if "inf" in name else ...] = value
        tiff(folder / f"{name}.tif", image)
    tiff(folder / "complex.tif", GRAY.astype(np.complex64))
    tiff(folder / "five.tif", np.moveaxis(np.stack([GRAY] * 5), 0, -1))
    (folder / "text.png").write_text("This is no image.\n")
    (folder / "text.tif").write_text("This is no image.\n")
    (folder / "empty.png").write_bytes(b"")
    (folder / "empty.tif").write_bytes(b"")
    for name in ("photo.png", "gray.tif", "stack.tif"):
        content = (folder / name).read_bytes()
        (folder / f"truncated_{name}").write_bytes(content[: len(content) // 2])
    write_checkpoints(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def folder(tmp_path, examples, cifar10, monkeypatch) -> Path:
    """The current folder, with the examples, CIFAR-10 in ``data`` and ``nothing``."""
    for name, content in examples.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "nothing").mkdir()
    (tmp_path / "bad_images").mkdir()
    (tmp_path / "bad_images" / "a.png").write_bytes(examples["text.png"])
    (tmp_path / "tiny_images").mkdir()
    (tmp_path / "tiny_images" / "a.png").write_bytes(examples["tiny.png"])
    (tmp_path / "run.pt").write_bytes(examples["good.pt"])
    (tmp_path / "bad_run.pt").write_bytes(examples["good.pt"])
    (tmp_path / "bad_run.resume").write_bytes(examples["good.pt"])
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def photo() -> np.ndarray:
    """A clean photograph, uint8 of shape (48, 40, 3)."""
    return np.rint(255 * smooth_photo(48, 40)).astype(np.uint8)


@pytest.fixture
def png(tmp_path, photo) -> Path:
    """The photograph as a PNG file."""
    Image.fromarray(photo).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"
