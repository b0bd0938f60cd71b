from __future__ import annotations

import pytest
import torch

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.models.networks.registry import build_network


@pytest.mark.parametrize("skips", [True, False])
@pytest.mark.parametrize("in_channels", [1, 3])
def test_residual_keeps_the_shape(skips, in_channels):
    options = {"in_channels": in_channels, "skip_connections": skips}
    batch = torch.rand(2, in_channels, 32, 32)
    assert build_network("residual", options)(batch).shape == batch.shape


@pytest.mark.parametrize("skips", [True, False])
def test_without_skip_connections_everything_passes_the_bottleneck(skips):
    """If the bottleneck ignores its input, only skip connections depend on it."""
    network = build_network("residual", {"skip_connections": skips}).eval()
    network.bottleneck[1].weight.data.zero_()
    first, second = network(torch.rand(2, 3, 32, 32)).detach()
    assert bool((first - second).abs().max() > 1e-4) == skips


def test_residual_skip_connections_do_not_depend_on_batch_statistics():
    network = build_network("residual", {}).train()
    skipped = []
    for convolve in network.convolutions:
        convolve.register_forward_hook(lambda *call: skipped.append(call[-1].detach()))
    image, bright = torch.rand(1, 3, 32, 32), torch.ones(1, 3, 32, 32)
    network(torch.cat([image, 0 * bright]))
    network(torch.cat([image, bright]))
    assert torch.allclose(skipped[0][0], skipped[3][0])


@pytest.mark.parametrize("value", [1, 0, None, "true", 1.0])
def test_skip_connections_must_be_a_bool(value):
    with pytest.raises(InvalidInputError, match="skip_connections must be true"):
        build_network("residual", {"skip_connections": value})


@pytest.mark.parametrize("name", ["in_channels", "base_channels", "latent_dim"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "3", None])
def test_residual_option_out_of_range_is_rejected(name, value):
    with pytest.raises(InvalidInputError, match=name):
        build_network("residual", {name: value})
