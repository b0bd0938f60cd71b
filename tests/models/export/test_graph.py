"""Networks as other programs call them compute what the package computes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from synthetic import CPU, random_checkpoint, smooth_photo

from napari_denoise_ae import denoise, load_checkpoint
from napari_denoise_ae.denoising.denoiser import Denoiser
from napari_denoise_ae.models.export.graph import (
    ExportedNetwork,
    StandaloneNetwork,
    build_exported,
)

UNET = {"in_channels": 1, "base_channels": 4}
NETWORKS = {
    "conv": ("conv", {"base_channels": 4}),
    "residual": ("residual", {"base_channels": 4, "latent_dim": 8}),
    "level": ("unet", UNET),
    "correlation": ("unet", UNET | {"correlation": True, "self_ensemble": True}),
}


@pytest.mark.parametrize("size", [(1, 1), (5, 40), (32, 32), (50, 83)])
@pytest.mark.parametrize("name", NETWORKS)
def test_any_size_gives_the_result_of_the_package(name, size):
    network, options = NETWORKS[name]
    checkpoint = random_checkpoint(network=network, **options)
    denoiser = Denoiser(checkpoint, CPU)
    graph = ExportedNetwork(denoiser.network)
    image = torch.rand((2, graph.network.in_channels, *size))
    numbers = [number.values(2) for number in graph.numbers]
    noise = (0.1, 0.1 * 0.2, 0.1 * 0.1)[: graph.network.n_noise_inputs]
    expected = denoiser.run_network(image, noise)
    assert graph(image, *numbers).numpy() == pytest.approx(expected.numpy(), abs=2e-6)


def test_standalone_gray_agrees_with_denoise():
    rng = np.random.default_rng(0)
    clean = 4000.0 + 900.0 * smooth_photo(120, 90, 1)[..., 0]
    noisy = clean + rng.normal(0.0, 60.0, clean.shape)
    graph = StandaloneNetwork(load_checkpoint("gray").build(CPU.device))
    image = torch.from_numpy(noisy).float()[None, None]
    result = graph(image, torch.tensor([60.0]), torch.zeros(1, 2))[0, 0].numpy()
    expected = denoise(noisy, sigma=60.0, precision="float32")
    assert result == pytest.approx(expected, abs=0.5)
    assert np.std(result - clean) < 0.4 * 60.0


@pytest.mark.filterwarnings("default:The noise in this image is much weaker")
def test_standalone_conv_agrees_with_denoise():
    image = 50.0 + 100.0 * smooth_photo(40, 33)
    graph = StandaloneNetwork(load_checkpoint("conv").build(CPU.device))
    batch = torch.from_numpy(image).float().permute(2, 0, 1)[None]
    result = graph(batch, torch.tensor([60.0]), torch.tensor([140.0]))[0]
    expected = denoise(image, model="conv", intensity_range=(60.0, 140.0))
    assert result.permute(1, 2, 0).numpy() == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("sigma", [0.0, 3.0])
def test_standalone_keeps_constant_images(sigma):
    graph = build_exported("unet", UNET, standalone=True)
    image = torch.full((1, 1, 20, 30), 7.0)
    result = graph(image, torch.tensor([sigma]))
    assert torch.isfinite(result).all()
    if sigma == 0.0:
        assert torch.equal(result, image)


def test_standalone_keeps_images_without_noise_and_scales_with_intensities():
    graph = build_exported("unet", UNET, standalone=True)
    image = torch.rand((2, 1, 24, 32))
    both = graph(image, torch.tensor([0.0, 0.2]))
    assert torch.equal(both[0], image[0])
    scaled = graph(100.0 * image[1:] + 500.0, torch.tensor([20.0]))
    assert scaled.numpy() == pytest.approx(100.0 * both[1:].numpy() + 500.0, rel=1e-4)
