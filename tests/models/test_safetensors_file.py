"""Checkpoints in the safetensors format."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file
from synthetic import equal_weights, make_record, random_checkpoint

from napari_denoise_ae.errors import CheckpointError, DenoiseAEWarning, OutputError
from napari_denoise_ae.models.checkpoint_file import save_checkpoint
from napari_denoise_ae.models.load import load_checkpoint


@pytest.fixture
def saved(tmp_path):
    checkpoint = random_checkpoint(record=make_record())
    save_checkpoint(checkpoint, tmp_path / "a.safetensors")
    return checkpoint, tmp_path / "a.safetensors"


def test_a_checkpoint_is_read_as_it_was_written(saved):
    checkpoint, path = saved
    loaded = load_checkpoint(path)
    assert loaded.name == "a.safetensors"
    assert (loaded.network, loaded.record) == (checkpoint.network, checkpoint.record)
    assert loaded.network_options == checkpoint.network_options
    assert list(loaded.state_dict) == list(checkpoint.state_dict)
    assert equal_weights(loaded.state_dict, checkpoint.state_dict)


def test_the_weights_stay_when_the_file_changes(saved):
    checkpoint, path = saved
    loaded = load_checkpoint(path)
    with path.open("r+b") as file:
        file.seek(-1000, os.SEEK_END)
        file.write(bytes(1000))
    assert equal_weights(loaded.state_dict, checkpoint.state_dict)


def test_other_programs_can_open_it(saved):
    checkpoint, path = saved
    code = (
        "import sys\n"
        "from safetensors import safe_open\n"
        f"with safe_open({str(path)!r}, framework='numpy') as file:\n"
        "    print(len(file.keys()), 'torch' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(len(checkpoint.state_dict)), "False"]


def test_bare_weights_are_recognized_by_their_names(tmp_path):
    checkpoint = random_checkpoint(base_channels=32)
    save_file(dict(checkpoint.state_dict), tmp_path / "plain.safetensors")
    with pytest.warns(DenoiseAEWarning, match="no training record"):
        loaded = load_checkpoint(tmp_path / "plain.safetensors")
    assert equal_weights(loaded.state_dict, checkpoint.state_dict)


@pytest.mark.parametrize("fraction", [0, 0.001, 0.01, 0.5, 0.999])
def test_a_truncated_file_is_refused(saved, fraction):
    _, path = saved
    content = path.read_bytes()
    path.write_bytes(content[: int(fraction * len(content))])
    with pytest.raises(CheckpointError, match="incomplete"):
        load_checkpoint(path)


def test_a_file_in_another_format_is_refused(model_file):
    path = model_file.rename(model_file.with_suffix(".safetensors"))
    with pytest.raises(CheckpointError, match=r"model\.safetensors is not a safetens"):
        load_checkpoint(path)


def test_an_existing_file_survives_a_full_disk(saved, monkeypatch):
    _, path = saved
    before = path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        save_checkpoint(random_checkpoint(seed=1), path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_tensors_of_any_layout_are_written(tmp_path):
    checkpoint = random_checkpoint()
    weights = {
        key: each.to(memory_format=torch.channels_last) if each.ndim == 4 else each
        for key, each in checkpoint.state_dict.items()
    }
    path = tmp_path / "a.safetensors"
    save_checkpoint(replace(checkpoint, state_dict=weights), path)
    assert equal_weights(load_checkpoint(path).state_dict, weights)
