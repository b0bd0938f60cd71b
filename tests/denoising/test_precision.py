"""The network computes in bfloat16 only where the noise hides its rounding."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import torch
from synthetic import random_checkpoint

from napari_denoise_ae import denoise
from napari_denoise_ae.denoising.precision import computing

SIGMA = 0.1


@pytest.fixture(autouse=True)
def _has_bfloat16(monkeypatch):
    name = "napari_denoise_ae.denoising.precision.has_fast_bfloat16"
    monkeypatch.setattr(name, lambda _: True)


@pytest.fixture(scope="module")
def model():
    return random_checkpoint(network="unet", in_channels=1)


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    clean = np.add.outer(np.linspace(0, 1, 300), np.linspace(0, 1, 280))
    noise = np.random.default_rng(0).normal(0, SIGMA, clean.shape)
    return (clean + noise).astype(np.float32)


def test_strong_noise_is_removed_in_bfloat16_unless_float32_is_asked_for(model, image):
    options = {"model": model, "sigma": SIGMA, "device": "cpu"}
    fast = denoise(image, **options)
    exact = denoise(image, precision="float32", **options)
    difference = np.abs(fast - exact).max()
    assert 0 < difference < 0.1 * SIGMA
    assert fast.dtype == np.float32


@pytest.mark.parametrize(
    ("network", "options"),
    [
        ("unet", {"sigma": SIGMA, "strength": 0.1}),
        ("conv", {"intensity_range": (0, 2)}),
    ],
)
def test_all_else_is_computed_in_float32(network, options, image):
    given = options | {"model": random_checkpoint(network=network, in_channels=1)}
    exact = denoise(image, precision="float32", device="cpu", **given)
    np.testing.assert_array_equal(denoise(image, device="cpu", **given), exact)


def test_the_level_of_averaged_frames_is_a_map_and_needs_float32():
    with computing("fast", torch.device("cpu"), np.full((4, 4), 0.5)):
        assert not torch.is_autocast_enabled("cpu")
    with computing("fast", torch.device("cpu"), 0.5):
        assert torch.is_autocast_enabled("cpu")
    assert not torch.is_autocast_enabled("cpu")


def test_tiles_and_lazy_arrays_give_the_same_result(model, image):
    options = {"model": model, "sigma": SIGMA, "device": "cpu"}
    whole = denoise(image, **options)
    tiled = denoise(image, tile_size=64, **options)
    np.testing.assert_allclose(tiled, whole, rtol=0, atol=0.01 * SIGMA)
    lazy = denoise(da.from_array(image, chunks=128), **options)
    np.testing.assert_allclose(lazy, whole, rtol=0, atol=0.01 * SIGMA)


def test_lazy_results_of_both_precisions_can_be_computed_together(model, image):
    array = da.from_array(image, chunks=256)
    options = {"model": model, "sigma": SIGMA, "device": "cpu"}
    fast, exact = da.compute(
        denoise(array, **options), denoise(array, precision="float32", **options)
    )
    assert not np.array_equal(fast, exact)
    np.testing.assert_allclose(fast, exact, rtol=0, atol=0.1 * SIGMA)


def test_the_setting_of_tf32_is_restored():
    before = torch.backends.cudnn.allow_tf32
    with computing("float32", torch.device("cuda"), 0.5):
        assert not torch.backends.cudnn.allow_tf32
    assert torch.backends.cudnn.allow_tf32 == before
