import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from skimage.data import camera

from napari_denoise_ae._napari.denoise.denoise_job import run_denoising
from napari_denoise_ae._napari.denoise.inspect_job import inspect_layer
from napari_denoise_ae._napari.denoise.job import DenoiseJob
from napari_denoise_ae.denoising.denoiser import Denoiser
from napari_denoise_ae.denoising.options import DenoiseOptions
from napari_denoise_ae.models.checkpoint_file import save_checkpoint
from napari_denoise_ae.models.networks.conv import ConvAutoencoder

from synthetic import random_checkpoint  # isort: skip


def returned(steps):
    """Return the return value of a generator."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


@pytest.mark.parametrize(
    ("options", "warns"),
    [
        ({}, False),
        ({"noise_type": "poisson-gaussian"}, False),
        ({"sigma": 9.0}, False),
        ({"sigma": 90.0}, True),
        ({"sigma": 0.1}, True),
    ],
    ids=str,
)
def test_a_sigma_that_does_not_fit_is_reported_before_and_after_a_run(options, warns):
    y, x = np.mgrid[:200, :200]
    clean = 100 * (1 + np.sin(x / 30) * np.cos(y / 40)) + 2
    counts = np.random.default_rng(0).poisson(clean)
    job = DenoiseJob(
        data=counts, model="auto", options=DenoiseOptions(device="cpu", **options)
    )
    facts = returned(inspect_layer(job))
    assert "noise grows with intensity" in str(facts.layer_noise.estimates[0]) or (
        "sigma" in options
    )
    result = returned(run_denoising(job)).incompatibilities
    for texts in (facts.incompatibilities, result):
        assert ["The given sigma" in text for text in texts] == [True] * warns


@pytest.mark.parametrize(("strength", "is_said"), [(1.0, True), (0.4, False)])
def test_noise_that_remains_is_reported(tmp_path, strength, is_said):
    untrained = tmp_path / "untrained.pt"
    save_checkpoint(random_checkpoint(network="unet", in_channels=1), untrained)
    noise = np.random.default_rng(0).normal(0, 20, (200, 200))
    job = DenoiseJob(
        data=camera()[:200, :200] + noise,
        model=str(untrained),
        options=DenoiseOptions(device="cpu", strength=strength),
    )
    texts = returned(run_denoising(job)).incompatibilities
    assert ["as much noise as before" in text for text in texts] == [True] * is_said


def test_correlated_noise_is_compared_where_it_is_white():
    noise = gaussian_filter(np.random.default_rng(0).normal(size=(200, 200)), 1.0)
    job = DenoiseJob(
        data=camera()[:200, :200] + 20 * noise / noise.std(),
        model="auto",
        options=DenoiseOptions(device="cpu"),
    )
    result = returned(run_denoising(job))
    assert result.noise_before == pytest.approx(20, rel=0.3)
    assert result.noise_after < 0.9 * result.noise_before


def test_more_noise_than_before_is_said(monkeypatch):
    def add_noise(self, batch, level=None):
        return batch + 0.2 * torch.randn(batch.shape)

    monkeypatch.setattr(Denoiser, "run_network", add_noise)
    data = camera()[:200, :200] + 10 * np.random.default_rng(0).normal(size=(200, 200))
    job = DenoiseJob(data=data, model="conv", options=DenoiseOptions(device="cpu"))
    texts = returned(run_denoising(job)).incompatibilities
    assert "more noise than before: sigma" in texts[-1]


def test_a_later_run_tries_large_tiles_again_after_running_out_of_memory(monkeypatch):
    forward, tried = ConvAutoencoder.forward, []

    def limited(self, noisy):
        tried.append(max(noisy.shape))
        if max(noisy.shape) > 200:
            raise torch.OutOfMemoryError("out of memory")
        return forward(self, noisy)

    monkeypatch.setattr(ConvAutoencoder, "forward", limited)
    image = np.random.default_rng(0).integers(0, 256, (300, 300), np.uint8)
    job = DenoiseJob(data=image, model="conv", options=DenoiseOptions(device="cpu"))
    for _ in range(2):
        tried.clear()
        with pytest.warns(UserWarning, match="It goes on with tiles of"):
            returned(run_denoising(job))
        assert [size for size in tried if size > 200] == [304]
