"""Models are shared by the files of a run."""

from __future__ import annotations

import pytest
import torch
from synthetic import random_checkpoint

from napari_denoise_ae.errors import DenoiseAEWarning, DeviceError
from napari_denoise_ae.files.loaded_models import LoadedModels
from napari_denoise_ae.models.devices import DeviceChoice


def test_a_file_that_runs_out_of_memory_does_not_affect_the_next():
    models = LoadedModels("cpu")
    first = models.denoiser("gray", "fast")
    first.device = DeviceChoice(torch.device("meta"), "cuda ran out of memory")
    second = models.denoiser("gray", "fast")
    assert second.device.device == torch.device("cpu")
    assert second.network is first.network


def test_a_model_can_be_loaded_without_its_device():
    models = LoadedModels("no such device")
    assert models.model("gray").checkpoint.name == "gray"
    with pytest.raises(DeviceError, match="no such device"):
        models.denoiser("gray", "fast")


def test_a_model_warns_only_once(tmp_path):
    torch.save(dict(random_checkpoint(base_channels=32).state_dict), tmp_path / "a.pth")
    models = LoadedModels("cpu")
    with pytest.warns(DenoiseAEWarning) as caught:
        models.denoiser(str(tmp_path / "a.pth"), "fast")
    assert len(caught) == 1
    # pytest would turn a second warning into an error.
    models.denoiser(str(tmp_path / "a.pth"), "fast")
