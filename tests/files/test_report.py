"""Report and provenance of a result."""

from __future__ import annotations

from pathlib import Path

import pytest
import tifffile
import torch
from stored_stacks import image_of, run

from napari_denoise_ae.denoising.denoiser import Denoiser
from napari_denoise_ae.denoising.options import DenoiseOptions
from napari_denoise_ae.files.job import FileJob
from napari_denoise_ae.files.report import provenance_of_denoised
from napari_denoise_ae.image.intensity import IntensityRange, share_range
from napari_denoise_ae.models.devices import DeviceChoice

# The command prints warnings; pytest would turn them into errors.
pytestmark = pytest.mark.filterwarnings(
    "default::napari_denoise_ae.errors.DenoiseAEWarning"
)


@pytest.mark.parametrize("name", ["out.png", "out.tif", "out.zarr"])
def test_the_report_names_the_device_that_finished_the_file(
    name, gray, tmp_path, monkeypatch, capsys
):
    denoise_tile = Denoiser.denoise_tile

    def fall_back(self, *arguments):
        self.device = DeviceChoice(torch.device("cpu"), "cuda ran out of memory")
        denoise_tile(self, *arguments)

    monkeypatch.setattr(Denoiser, "denoise_tile", fall_back)
    tifffile.imwrite(tmp_path / "in.tif", image_of((32, 32), "uint8"))
    given = [tmp_path / "in.tif", tmp_path / name, "--model", gray]
    assert run("denoise", *given) == 0
    assert "cpu (cuda ran out of memory)" in capsys.readouterr().out


def test_provenance_names_the_options_that_affect_the_result():
    options = DenoiseOptions(
        strength=0.5, range_of="image", dtype="float32", device="cpu", tile_size=64
    )
    job = FileJob(
        input=Path("in.tif"), output=Path("out.tif"), model="gray", options=options
    )
    ranges = share_range("YX", IntensityRange(0.0, 1.0))
    provenance = provenance_of_denoised(job, ranges)
    named = "denoised with gray, strength=0.5, range_of='image', dtype='float32'"
    assert provenance.endswith(named)
