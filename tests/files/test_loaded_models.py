"""Models that one file after another uses."""

from __future__ import annotations

import pytest
import torch
from synthetic import random_checkpoint

from napari_denoise_ae.errors import DenoiseAEWarning, DeviceError
from napari_denoise_ae.files.loaded_models import LoadedModels
from napari_denoise_ae.models.devices import DeviceChoice


def test_a_file_that_needed_less_memory_does_not_slow_down_the_next():
    models = LoadedModels("cpu")
    first = models.denoiser("gray")
    first.device = DeviceChoice(torch.device("meta"), "the memory ran out")
    second = models.denoiser("gray")
    assert second.device.device == torch.device("cpu")
    assert second.network is first.network


def test_a_model_without_its_device_can_be_sent_elsewhere():
    models = LoadedModels("no such device")
    assert models.model("gray").checkpoint.name == "gray"
    with pytest.raises(DeviceError, match="no such device"):
        models.denoiser("gray")


def test_a_remark_on_a_model_is_made_once(tmp_path):
    torch.save(dict(random_checkpoint(base_channels=32).state_dict), tmp_path / "a.pth")
    models = LoadedModels("cpu")
    with pytest.warns(DenoiseAEWarning) as caught:
        models.denoiser(str(tmp_path / "a.pth"))
    assert len(caught) == 1
    # A second remark would be an error here.
    models.denoiser(str(tmp_path / "a.pth"))
