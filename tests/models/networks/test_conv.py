from __future__ import annotations

import pytest
import torch

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.models.networks.registry import build_network


def test_conv_has_186371_parameters():
    parameters = build_network("conv", {}).parameters()
    assert sum(parameter.numel() for parameter in parameters) == 186_371


@pytest.mark.parametrize("options", [{}, {"in_channels": 1}, {"base_channels": 5}])
def test_conv_keeps_the_shape_and_returns_values_in_range(options):
    network = build_network("conv", options)
    batch = 10 * torch.randn(2, network.in_channels, 16, 40)
    output = network(batch)
    assert output.shape == batch.shape
    assert output.min() >= 0
    assert output.max() <= 1


@pytest.mark.parametrize("name", ["in_channels", "base_channels"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "3", None])
def test_conv_option_out_of_range_is_rejected(name, value):
    with pytest.raises(InvalidInputError, match=name):
        build_network("conv", {name: value})
