from __future__ import annotations

import pytest
from synthetic import CPU, random_checkpoint

from napari_denoise_ae.denoising.denoiser import Denoiser


@pytest.fixture(scope="module")
def denoiser() -> Denoiser:
    return Denoiser(random_checkpoint(), CPU)


@pytest.fixture
def no_baselines(monkeypatch) -> None:
    monkeypatch.setattr("napari_denoise_ae.evaluation.scoring.BASELINES", {})
