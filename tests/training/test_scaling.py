from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_denoise_ae.image.intensity import IntensityRange
from napari_denoise_ae.noise.noise_estimate import NoiseEstimate
from napari_denoise_ae.noise.normalization import NoiseScaling
from napari_denoise_ae.training.scaling import CENTER, BatchScaling

GAUSSIAN = NoiseScaling(120.0, 300.0, NoiseEstimate(sigma=9.0, correlation=(0.5, 0.2)))
CAMERA = NoiseEstimate(kind="poisson-gaussian", gain=2.0, offset_variance=50.0)
PHOTONS = NoiseEstimate(kind="poisson-gaussian", gain=1.5, offset_variance=-30.0)
NOISY = [
    GAUSSIAN,
    NoiseScaling(30.0, 45.0, CAMERA),
    NoiseScaling(8.0, 20.0, PHOTONS, stabilized=0.9),
]
CPU = torch.device("cpu")


def scaled(scalings):
    return BatchScaling.of(scalings, CPU, torch.float64)


def intensities(n):
    rng = np.random.default_rng(0)
    return rng.uniform(-20.0, 900.0, (n, 1, 6, 8))


@pytest.mark.parametrize("scalings", [NOISY, [IntensityRange(3.0, 70.0)] * 2])
def test_it_equals_the_normalization_of_denoise(scalings):
    images = intensities(len(scalings))
    shift = CENTER if scalings[0].noise_inputs else 0.0
    unit = scaled(scalings).normalize(torch.from_numpy(images)).numpy() - shift
    expected = [one.normalize(x) for one, x in zip(scalings, images, strict=True)]
    np.testing.assert_allclose(unit, expected, rtol=1e-6, atol=1e-9)
    units = np.linspace(-0.6, 0.7, images.size).reshape(images.shape)
    back = scaled(scalings).denormalize(torch.from_numpy(units + shift)).numpy()
    expected = [one.denormalize(x) for one, x in zip(scalings, units, strict=True)]
    np.testing.assert_allclose(back, expected, rtol=1e-6)


def test_float32_is_precise_enough_for_16_bits():
    scaling = [NoiseScaling(900.0, 1200.0, CAMERA)]
    images = np.linspace(0.0, 65535.0, 64, dtype=np.float32).reshape(1, 1, 8, 8)
    batch = BatchScaling.of(scaling, CPU)
    unit = batch.normalize(torch.from_numpy(images)).numpy() - CENTER
    np.testing.assert_allclose(unit, scaling[0].normalize(images), rtol=0, atol=1e-6)


def test_targets_are_about_in_0_to_1():
    batch = scaled(NOISY)
    ends = torch.tensor([0.0, 1.0], dtype=torch.float64).expand(3, 1, 1, 2)
    torch.testing.assert_close(batch.decode(ends), ends)
    image = torch.from_numpy(intensities(3))
    gaussian = batch.to_relative(image)[0], batch.normalize(image)[0]
    torch.testing.assert_close(*gaussian)


def test_decoding_is_differentiable_where_there_are_no_photons():
    output = torch.full((3, 1, 4, 4), -40.0, requires_grad=True)
    BatchScaling.of(NOISY, CPU).decode(output).sum().backward()
    assert output.grad is not None
    assert torch.isfinite(output.grad).all()


def test_what_the_network_is_told_of_the_noise():
    told = scaled(NOISY).told
    assert told is not None
    expected = [[0.05, 0.025, 0.01], [1 / 15, 0, 0], [0.075, 0, 0]]
    np.testing.assert_allclose(told.numpy(), expected)
    assert scaled([IntensityRange(0.0, 1.0)]).told is None


def test_images_are_selected():
    batch = scaled(NOISY).select(torch.tensor([2, 0, 2]))
    image = torch.from_numpy(intensities(3))
    expected = scaled([NOISY[2], NOISY[0], NOISY[2]])
    torch.testing.assert_close(batch.normalize(image), expected.normalize(image))
    torch.testing.assert_close(batch.told, expected.told)


def test_a_constant_image_is_mapped_to_a_constant():
    batch = scaled([IntensityRange(5.0, 5.0)])
    image = torch.full((1, 1, 2, 2), 5.0, dtype=torch.float64)
    assert batch.normalize(image).eq(0.0).all()
    torch.testing.assert_close(batch.denormalize(batch.normalize(image)), image)
    assert torch.isfinite(batch.decode(image)).all()
