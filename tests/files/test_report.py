from __future__ import annotations

import pytest
import tifffile
import torch
from stored_stacks import image_of, run

from napari_denoise_ae.denoising.denoiser import Denoiser
from napari_denoise_ae.models.devices import DeviceChoice

# The command prints warnings itself; here they shall not become errors.
pytestmark = pytest.mark.filterwarnings(
    "default::napari_denoise_ae.errors.DenoiseAEWarning"
)


@pytest.mark.parametrize("name", ["out.png", "out.tif", "out.zarr"])
def test_a_report_names_the_device_that_finished(
    name, gray, tmp_path, monkeypatch, capsys
):
    denoise_tile = Denoiser.denoise_tile

    def fallen(self, *arguments):
        self.device = DeviceChoice(torch.device("cpu"), "cuda ran out of memory")
        denoise_tile(self, *arguments)

    monkeypatch.setattr(Denoiser, "denoise_tile", fallen)
    tifffile.imwrite(tmp_path / "in.tif", image_of((32, 32), "uint8"))
    given = [tmp_path / "in.tif", tmp_path / name, "--model", gray]
    assert run("denoise", *given) == 0
    assert "cpu (cuda ran out of memory)" in capsys.readouterr().out
