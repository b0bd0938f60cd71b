"""The settings for denoising one file."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_denoise_ae.files.job import FileJob


@pytest.mark.parametrize(
    ("output", "noisy"),
    [
        ("a.png", "a_noisy.png"),
        ("a.b.tif", "a.b_noisy.tif"),
        ("a.ome.tif", "a_noisy.ome.tif"),
        ("a.OME.TIFF", "a_noisy.OME.TIFF"),
        ("a", "a_noisy"),
    ],
)
def test_the_noisy_image_has_the_format_of_the_denoised_image(output, noisy):
    job = FileJob(input=Path("in.png"), output=Path("out", output), model="gray")
    assert job.noisy_output == Path("out", noisy)
