"""Errors of the disk and the network."""

from __future__ import annotations

import errno
import os
import tempfile

import pytest
from command import expect_error, state_of

from napari_denoise_ae.cli.main import main

# The command prints warnings itself; they must not become errors in tests.
pytestmark = pytest.mark.filterwarnings(
    "default::napari_denoise_ae.errors.DenoiseAEWarning"
)


WRITING = [
    "denoise photo.png out.png --model good.pt --add-noise gaussian:0.1 --figure f.png",
    "denoise gray.tif out.tif --model good.pt",
    "denoise photo.png out.jpg --model good.pt",
    "demo",
    "train --data data --epochs 1 --network-option base_channels=4",
    "evaluate --images photos --model good.pt --json scores.json",
    "compare good.pt --images photos --no-baselines",
]


@pytest.mark.parametrize("command", WRITING)
def test_full_disk_is_an_error_and_leaves_no_file(command, folder, capsys, monkeypatch):
    (folder / "photos").mkdir()
    (folder / "photos" / "a.png").write_bytes((folder / "photo.png").read_bytes())

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    before = state_of(folder)
    assert main(command.split()) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert "No space left on device" in error
    assert "free disk space" in error
    assert state_of(folder) == before


@pytest.mark.parametrize("command", WRITING)
def test_read_only_folder_is_rejected_before_computing(
    command, folder, capsys, monkeypatch
):
    """Permission is denied by a fake, because root may write anywhere."""
    (folder / "photos").mkdir()

    def deny(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(tempfile, "TemporaryFile", deny)
    error = expect_error(command, folder, capsys)
    assert "Permission denied" in error


def test_missing_data_set_without_network_is_an_error(folder, capsys, monkeypatch):
    import pooch
    import requests

    def offline(*_: object, **__: object) -> None:
        raise requests.ConnectionError

    monkeypatch.setattr(pooch, "retrieve", offline)
    error = expect_error("train --data nothing --download", folder, capsys)
    assert "https://www.cs.toronto.edu" in error
    assert "nothing/cifar-10-batches-py" in error
