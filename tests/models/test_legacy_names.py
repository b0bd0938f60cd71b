"""Checkpoints with legacy names load with the current names."""

from __future__ import annotations

from dataclasses import asdict

import pytest
import torch
from synthetic import make_record, random_checkpoint

from napari_denoise_ae.models.checkpoint_file import checkpoint_content
from napari_denoise_ae.models.legacy_names import translate_config
from napari_denoise_ae.models.load import load_checkpoint


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("salt_pepper:0.1,per_pixel", "salt-pepper:0.1,per-pixel"),
        ("gaussian:0.1+salt_pepper:0.05", "gaussian:0.1+salt-pepper:0.05"),
        ("poisson_gaussian:0.01,0..0.05", "poisson-gaussian:0.01,0..0.05"),
        ("gaussian:1e-3,unclipped", "gaussian:0.001,unclipped"),
    ],
)
def test_legacy_noise_and_augmentation_are_translated(old, new, tmp_path):
    checkpoint = random_checkpoint(record=make_record())
    content = checkpoint_content(checkpoint)
    content["record"]["config"]["noise"] = old
    content["record"]["config"]["augmentation"] = "collage"
    torch.save(content, tmp_path / "old.pt")
    config = load_checkpoint(tmp_path / "old.pt").record.config
    assert config.noise == new
    assert config.augmentation == "dead-leaves"


def test_legacy_network_options_are_translated(tmp_path):
    options = {"noise_level": False, "base_channels": 4}
    checkpoint = random_checkpoint(network="unet", **options)
    content = checkpoint_content(checkpoint)
    content["network_options"] = {**options, "mirrored": True}
    torch.save(content, tmp_path / "old.pt")
    loaded = load_checkpoint(tmp_path / "old.pt")
    assert loaded.network_options == {**options, "self_ensemble": True}


@pytest.mark.parametrize("config", [None, 3, [], {"noise": 5, "augmentation": []}])
def test_invalid_config_is_returned_unchanged(config):
    assert translate_config(config) == config


def test_current_config_is_returned_unchanged():
    config = asdict(make_record().config)
    assert translate_config(config) == config
