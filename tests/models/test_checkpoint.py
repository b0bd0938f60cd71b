from __future__ import annotations

import pytest
import torch
from synthetic import CPU, SMALL, equal_weights, make_record, random_checkpoint

from napari_denoise_ae.errors import CheckpointError
from napari_denoise_ae.models.checkpoint import Checkpoint
from napari_denoise_ae.models.checkpoint_file import save_checkpoint
from napari_denoise_ae.models.load import load_checkpoint
from napari_denoise_ae.models.networks.registry import build_network

# --- valid files -----------------------------------------------------------


def test_checkpoint_survives_saving_and_loading(tmp_path):
    saved = random_checkpoint(record=make_record())
    save_checkpoint(saved, tmp_path / "a.pt")
    loaded = load_checkpoint(tmp_path / "a.pt")
    assert loaded.name == "a.pt"
    assert (loaded.network, loaded.network_options) == ("conv", SMALL)
    assert loaded.record == saved.record
    assert equal_weights(loaded.state_dict, saved.state_dict)


def test_network_with_batch_normalization_survives_saving_and_loading(tmp_path):
    options = {"base_channels": 2, "skip_connections": False}
    network = build_network("residual", options)
    network(torch.rand(2, 3, 32, 32))  # counts a batch
    checkpoint = Checkpoint("a", "residual", options, dict(network.state_dict()), None)
    save_checkpoint(checkpoint, tmp_path / "a.pt")
    loaded = load_checkpoint(tmp_path / "a.pt")
    assert equal_weights(dict(loaded.state_dict), dict(checkpoint.state_dict))
    images = torch.rand(2, 3, 32, 32)
    built = loaded.build(torch.device("cpu"))
    assert torch.equal(built(images), network.eval()(images))


def test_negative_variances_are_rejected(tmp_path):
    state_dict = dict(build_network("residual", {"base_channels": 2}).state_dict())
    state_dict["halvings.0.0.running_var"] = torch.tensor([1.0, -1.0])
    bad = Checkpoint("a", "residual", {"base_channels": 2}, state_dict, None)
    save_checkpoint(bad, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match="variances below 0"):
        load_checkpoint(tmp_path / "a.pt")


def test_checkpoint_without_a_record_loads(tmp_path):
    save_checkpoint(random_checkpoint(), tmp_path / "a.pt")
    assert load_checkpoint(str(tmp_path / "a.pt")).record is None


def test_network_is_built_for_inference(model_file):
    network = load_checkpoint(model_file).build(CPU.device)
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())
