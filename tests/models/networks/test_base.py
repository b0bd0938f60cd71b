from __future__ import annotations

import pytest
import torch

from napari_denoise_ae.denoising.blending import run_network
from napari_denoise_ae.models.networks.base import DenoisingNetwork
from napari_denoise_ae.models.networks.registry import NETWORKS, build_network


def sensitive_network(name: str) -> DenoisingNetwork:
    """Build a float64 network whose output depends on its whole receptive field."""
    torch.manual_seed(0)
    network = build_network(name, {}).double().eval().requires_grad_(False)
    for key, tensor in network.named_parameters():
        # With positive weights, no ReLU hides a dependence. The sum is bounded.
        weights = tensor.abs() * len(tensor) / tensor.abs().sum()
        tensor.copy_(weights if "weight" in key else torch.zeros_like(tensor))
    return network


@pytest.mark.parametrize("name", NETWORKS)
def test_receptive_field_radius_is_exact(name):
    """Changing a pixel changes nothing beyond the radius, and something at it."""
    network = sensitive_network(name)
    radius = network.receptive_field_radius
    side = 2 * (radius + network.stride) // 32 * 32 + 64
    center = side // 2
    image = torch.rand(1, network.n_inputs, side, side, dtype=torch.float64) / 100
    reached = []
    for offset in range(network.stride):
        changed = image.clone()
        changed[:, : network.in_channels, center + offset, center + offset] += 0.1
        difference = (
            (run_network(network, changed) - run_network(network, image))
            .abs()
            .amax(dim=(0, 1))
        )
        rows, columns = difference.nonzero(as_tuple=True)
        distances = torch.cat([rows, columns]) - (center + offset)
        reached.append(int(distances.abs().max()))
    assert max(reached) == radius


@pytest.mark.parametrize("name", NETWORKS)
def test_shifting_the_input_by_the_stride_shifts_the_output(name):
    network = sensitive_network(name)
    stride = network.stride
    border = network.receptive_field_radius + stride
    side = (2 * border + 64) // 32 * 32
    image = torch.rand(1, network.n_inputs, side, side, dtype=torch.float64)
    inner = slice(border, side - border)

    def after_shift(pixels: int) -> torch.Tensor:
        shifted = run_network(network, image.roll(pixels, dims=-1))
        difference = shifted.roll(-pixels, dims=-1) - run_network(network, image)
        return difference[..., inner, inner].abs().max()

    assert after_shift(stride) < 1e-12
    assert after_shift(stride // 2) > 1e-6


def test_base_class_has_no_forward():
    with pytest.raises(NotImplementedError):
        DenoisingNetwork()(torch.zeros(1, 3, 8, 8))
