"""Files written by torch are read without running code from them."""

from __future__ import annotations

import errno
import os
import pickle
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic import CPU, random_checkpoint

from napari_denoise_ae.errors import CheckpointError, OutputError
from napari_denoise_ae.models.checkpoint_file import save_checkpoint
from napari_denoise_ae.models.load import load_checkpoint
from napari_denoise_ae.models.networks.registry import build_network


def test_existing_file_survives_a_full_disk(model_file, monkeypatch):
    before = model_file.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        save_checkpoint(random_checkpoint(seed=1), model_file)
    assert model_file.read_bytes() == before
    assert list(model_file.parent.iterdir()) == [model_file]


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX resource limits")
def test_disk_that_fills_up_while_writing_raises(model_file):
    """A limit on file size stands in for a full disk."""
    import resource
    import signal

    before = model_file.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(OutputError, match="Cannot write"):
            save_checkpoint(random_checkpoint(base_channels=16), model_file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert model_file.read_bytes() == before
    assert list(model_file.parent.iterdir()) == [model_file]


@pytest.mark.parametrize("fraction", [0, 0.01, 0.5, 0.9, 0.999])
def test_truncated_file_is_rejected(model_file, fraction):
    content = model_file.read_bytes()
    model_file.write_bytes(content[: int(fraction * len(content))])
    with pytest.raises(CheckpointError, match=r"model\.pt is not a checkpoint"):
        load_checkpoint(model_file)


@pytest.mark.parametrize("seed", range(30))
def test_damaged_file_is_rejected_or_loads_with_usable_weights(model_file, seed):
    rng = np.random.default_rng(seed)
    content = bytearray(model_file.read_bytes())
    start = 0 if seed % 2 else len(content) - 3000
    for position in rng.integers(start, start + 3000, 3):
        content[position] = rng.integers(256)
    model_file.write_bytes(content)
    loaded = None
    with suppress(CheckpointError):
        loaded = load_checkpoint(model_file)
    image = torch.zeros(1, 3, 8, 8)
    assert loaded is None or loaded.build(CPU.device)(image).shape == image.shape


def test_text_file_is_rejected(tmp_path):
    (tmp_path / "a.pt").write_text("weights")
    with pytest.raises(CheckpointError, match=r"a\.pt is not a checkpoint"):
        load_checkpoint(tmp_path / "a.pt")


def test_unrelated_zip_file_is_rejected(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.pt", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(CheckpointError, match=r"a\.pt cannot be used"):
        load_checkpoint(tmp_path / "a.pt")


@pytest.mark.parametrize("content", [[1, 2], torch.zeros(3), "text", 5, None])
def test_file_without_a_dict_is_rejected(tmp_path, content):
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match="not a dict"):
        load_checkpoint(tmp_path / "a.pt")


class WritesAFile:
    """Act like a malicious pickle: run a function when loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.write_text, (self.path, "run"))


@pytest.mark.parametrize("place", ["alone", "in a record", "as a weight"])
def test_malicious_pickle_is_rejected_without_running_it(model_file, tmp_path, place):
    proof = tmp_path / "proof"
    evil = WritesAFile(proof)
    assert pickle.loads(pickle.dumps(evil)) == 3
    assert proof.exists()
    proof.unlink()
    content = torch.load(model_file, weights_only=True)
    if place == "alone":
        content = evil
    elif place == "in a record":
        content["record"]["date"] = evil
    else:
        content["state_dict"]["encoder.0.weight"] = evil
    torch.save(content, model_file)
    with pytest.raises(CheckpointError, match="could run a program"):
        load_checkpoint(model_file)
    assert not proof.exists()


def test_plain_pickle_is_rejected_without_running_it(tmp_path):
    proof = tmp_path / "proof"
    (tmp_path / "evil.pt").write_bytes(pickle.dumps(WritesAFile(proof)))
    with pytest.raises(CheckpointError, match="is not a checkpoint"):
        load_checkpoint(tmp_path / "evil.pt")
    assert not proof.exists()


def test_pickled_network_is_rejected_with_advice(tmp_path):
    torch.save(build_network("conv", {}), tmp_path / "network.pt")
    with pytest.raises(CheckpointError, match="Save the network's state_dict instead"):
        load_checkpoint(tmp_path / "network.pt")


def test_zip_bomb_is_rejected(tmp_path):
    path = tmp_path / "bomb.pt"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("zeros", "w", force_zip64=True) as entry,
    ):
        for _ in range(65):
            entry.write(bytes(2**24))
    with pytest.raises(CheckpointError, match="unpacks to 1040 MB"):
        load_checkpoint(path)
