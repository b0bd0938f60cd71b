from __future__ import annotations

import pytest
import torch

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.models.networks.registry import build_network


@pytest.mark.parametrize("in_channels", [1, 3])
@pytest.mark.parametrize("factor", [0.01, 300.0])
def test_unet_is_homogeneous_in_image_and_noise_level(in_channels, factor):
    network = build_network("unet", {"in_channels": in_channels}).double().eval()
    batch = torch.randn(1, in_channels + 1, 48, 40, dtype=torch.float64)
    scaled = network(factor * batch)
    assert scaled.shape == (1, in_channels, 48, 40)
    torch.testing.assert_close(scaled, factor * network(batch))


def test_unet_depends_on_the_noise_level():
    network = build_network("unet", {"in_channels": 1}).eval()
    batch = torch.randn(1, 2, 32, 32)
    noisier = batch.clone()
    noisier[:, 1] *= 2
    assert (network(noisier) - network(batch)).abs().max() > 1e-4


@pytest.mark.parametrize("noise_level", [True, False])
def test_unet_has_biases_only_without_a_noise_level(noise_level):
    network = build_network("unet", {"noise_level": noise_level})
    names = [name for name, _ in network.named_parameters()]
    assert any("bias" in name for name in names) != noise_level
    assert network.n_inputs == 3 + noise_level
    assert network(torch.rand(1, 3 + noise_level, 16, 24)).shape == (1, 3, 16, 24)


@pytest.mark.parametrize("noise_level", [True, False])
def test_self_ensemble_averages_over_the_mirrored_image(noise_level):
    torch.manual_seed(0)
    options = {"noise_level": noise_level}
    single = build_network("unet", options).double().eval()
    ensemble = build_network("unet", {**options, "self_ensemble": True}).double().eval()
    ensemble.load_state_dict(single.state_dict())
    image = torch.rand(1, single.n_inputs, 32, 48, dtype=torch.float64)
    mirrored = single(image.flip(-1)).flip(-1)
    assert (mirrored - single(image)).abs().max() > 1e-4
    mean = (single(image) + mirrored) / 2
    torch.testing.assert_close(ensemble(image), mean)
    torch.testing.assert_close(ensemble(image.flip(-1)), mean.flip(-1))


@pytest.mark.parametrize("name", ["noise_level", "self_ensemble"])
@pytest.mark.parametrize("value", [1, 0, None, "true", 1.0])
def test_unet_flags_must_be_bools(name, value):
    with pytest.raises(InvalidInputError, match=f"{name} must be true"):
        build_network("unet", {name: value})


@pytest.mark.parametrize("name", ["in_channels", "base_channels"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "3", None])
def test_unet_option_out_of_range_is_rejected(name, value):
    with pytest.raises(InvalidInputError, match=name):
        build_network("unet", {name: value})
