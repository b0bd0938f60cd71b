"""Checkpoints with names of before are read as if they had those of today."""

from __future__ import annotations

from dataclasses import asdict

import pytest
import torch
from synthetic import make_record, random_checkpoint

from napari_denoise_ae.models.checkpoint_file import checkpoint_content
from napari_denoise_ae.models.load import load_checkpoint
from napari_denoise_ae.models.old_words import translate_config


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("salt_pepper:0.1,per_pixel", "salt-pepper:0.1,per-pixel"),
        ("gaussian:0.1+salt_pepper:0.05", "gaussian:0.1+salt-pepper:0.05"),
        ("poisson_gaussian:0.01,0..0.05", "poisson-gaussian:0.01,0..0.05"),
        ("gaussian:1e-3,unclipped", "gaussian:0.001,unclipped"),
    ],
)
def test_noise_of_before_is_read(old, new, tmp_path):
    checkpoint = random_checkpoint(record=make_record())
    content = checkpoint_content(checkpoint)
    content["record"]["config"]["noise"] = old
    content["record"]["config"]["augmentation"] = "collage"
    torch.save(content, tmp_path / "old.pt")
    config = load_checkpoint(tmp_path / "old.pt").record.config
    assert config.noise == new
    assert config.augmentation == "dead-leaves"


def test_network_options_of_before_are_read(tmp_path):
    options = {"noise_level": False, "base_channels": 4}
    checkpoint = random_checkpoint(network="unet", **options)
    content = checkpoint_content(checkpoint)
    content["network_options"] = {**options, "mirrored": True}
    torch.save(content, tmp_path / "old.pt")
    loaded = load_checkpoint(tmp_path / "old.pt")
    assert loaded.network_options == {**options, "self_ensemble": True}


@pytest.mark.parametrize("config", [None, 3, [], {"noise": 5, "augmentation": []}])
def test_what_is_no_config_is_left_to_be_refused(config):
    assert translate_config(config) == config


def test_settings_of_today_are_unchanged():
    config = asdict(make_record().config)
    assert translate_config(config) == config
