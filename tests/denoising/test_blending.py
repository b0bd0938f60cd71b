"""A network that takes images of one size is run on larger images."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_denoise_ae.denoising.api import denoise
from napari_denoise_ae.denoising.blending import run_network
from napari_denoise_ae.models.checkpoint import Checkpoint
from napari_denoise_ae.models.networks.base import DenoisingNetwork
from napari_denoise_ae.models.networks.registry import build_network


class Fixed(DenoisingNetwork):
    """A network for 8 x 8 pixels that applies a function."""

    image_size = 8
    stride = 4
    receptive_field_radius = 7
    in_channels = 1

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, noisy):
        assert noisy.shape[1:] == (1, 8, 8)
        return self.function(noisy)


@pytest.fixture
def residual() -> Checkpoint:
    """A `residual` network with random weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        state_dict = dict(build_network("residual", {"base_channels": 4}).state_dict())
    return Checkpoint("random", "residual", {"base_channels": 4}, state_dict, None)


@pytest.mark.parametrize("shape", [(2, 1, 8, 8), (1, 1, 12, 20), (3, 1, 40, 8)])
def test_the_identity_network_gives_the_identity(shape):
    batch = torch.rand(shape)
    torch.testing.assert_close(run_network(Fixed(lambda x: x), batch), batch)


def test_windows_are_blended_without_a_seam():
    """Between windows whose results differ by 1, the output has a slope, not a step."""
    calls = []

    def alternate(windows: torch.Tensor) -> torch.Tensor:
        calls.append(len(windows))
        steps = torch.arange(len(windows)) % 2
        return windows * 0 + steps[:, None, None, None]

    output = run_network(Fixed(alternate), torch.zeros(1, 1, 8, 36))
    assert calls == [8]
    row = output[0, 0, 3]
    assert row.min() < 0.1
    assert row.max() > 0.9
    assert row.diff().abs().max() < 0.45


def test_the_weights_are_normalized_everywhere():
    output = run_network(Fixed(torch.ones_like), torch.zeros(2, 1, 24, 32))
    torch.testing.assert_close(output, torch.ones_like(output))


def test_images_of_the_size_of_the_network_are_not_blended(residual):
    network = residual.build(torch.device("cpu"))
    batch = torch.rand(2, 3, 32, 32)
    assert torch.equal(run_network(network, batch), network(batch))


@pytest.mark.parametrize("tile_size", [16, 50, 64])
@pytest.mark.parametrize("shape", [(70, 101, 3), (32, 128, 3), (33, 31, 3)])
def test_the_tile_size_does_not_change_the_result(shape, tile_size, residual):
    image = np.random.default_rng(0).random(shape)
    whole = denoise(image, model=residual, tile_size=1024)
    tiled = denoise(image, model=residual, tile_size=tile_size)
    np.testing.assert_allclose(tiled, whole, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (5, 20), (31, 33), (2, 100)])
def test_an_image_smaller_than_the_size_of_the_network_is_padded(shape, residual):
    image = np.random.default_rng(0).random((*shape, 3)).astype(np.float32)
    result = denoise(image, model=residual, intensity_range=(0, 1))
    assert result.shape == image.shape
    assert np.isfinite(result).all()
