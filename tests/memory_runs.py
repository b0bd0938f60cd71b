"""A denoising run and a device for the tests of tiles and memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from napari_denoise_ae.denoising.array import Denoising
from napari_denoise_ae.models.devices import DeviceChoice

if TYPE_CHECKING:
    import numpy as np

    from napari_denoise_ae.denoising.denoiser import Denoiser

# The meta device computes nothing; here it stands for a GPU.
OTHER = DeviceChoice(torch.device("meta"), "tests")


def run_through(image: np.ndarray, denoiser: Denoiser) -> np.ndarray:
    run = Denoising(image, denoiser)
    for _ in run:
        pass
    return run.result
