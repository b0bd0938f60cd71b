from __future__ import annotations

import pytest
import torch

from napari_denoise_ae.denoising.blending import run_network
from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.models.networks.base import DenoisingNetwork
from napari_denoise_ae.models.networks.registry import (
    NETWORKS,
    build_network,
    network_class,
)


def sensitive_network(name: str) -> DenoisingNetwork:
    """Build a float64 network whose output depends on its whole receptive field."""
    torch.manual_seed(0)
    network = build_network(name, {}).double().eval().requires_grad_(False)
    for key, tensor in network.named_parameters():
        # With positive weights, no ReLU hides a dependence. The sum is bounded.
        weights = tensor.abs() * len(tensor) / tensor.abs().sum()
        tensor.copy_(weights if "weight" in key else torch.zeros_like(tensor))
    return network


@pytest.fixture(autouse=True)
def _restore_the_random_state():
    with torch.random.fork_rng(devices=[]):
        yield


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


def test_unknown_network_lists_the_networks():
    with pytest.raises(InvalidInputError, match=r"'unet9'.*conv"):
        network_class("unet9")


def test_unknown_option_lists_the_options():
    with pytest.raises(InvalidInputError, match=r"depth.*in_channels, base_channels"):
        build_network("conv", {"depth": 3})


@pytest.mark.parametrize("name", ["in_channels", "base_channels"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "3", None])
def test_conv_option_out_of_range_is_rejected(name, value):
    with pytest.raises(InvalidInputError, match=name):
        build_network("conv", {name: value})


def test_base_class_has_no_forward():
    with pytest.raises(NotImplementedError):
        DenoisingNetwork()(torch.zeros(1, 3, 8, 8))
