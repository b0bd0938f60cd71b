from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_denoise_ae._napari.denoise.inspect_job import inspect_layer
from napari_denoise_ae._napari.denoise.job import (
    DenoiseJob,
    find_residual,
    prepare,
    residual_limits,
    run_denoising,
)
from napari_denoise_ae.denoising.options import DenoiseOptions
from napari_denoise_ae.models.networks.conv import ConvAutoencoder


def test_the_residual_of_a_gray_image_is_signed():
    removed = find_residual(np.uint8([[10, 250]]), np.uint8([[30, 0]]), "YX")
    np.testing.assert_array_equal(removed, [[-20, 250]])
    assert residual_limits(removed) == (-250, 250)
    assert residual_limits(removed * 0) == (-1, 1)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_the_residual_of_colors_is_around_the_middle(dtype):
    noisy = np.array([[[10, 0, 4, 255]]], dtype=dtype)
    denoised = np.array([[[0, 5, 4, 255]]], dtype=dtype)
    np.testing.assert_array_equal(
        find_residual(noisy, denoised, "YXS"), [[[1.0, 0.25, 0.5]]]
    )


def returned(steps):
    """Run a generator to its end."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


@pytest.mark.parametrize(
    ("options", "is_said"),
    [
        ({}, True),
        ({"strength": 0.5}, True),
        ({"sigma": 5.0}, False),
        ({"noise_type": "poisson-gaussian"}, False),
    ],
    ids=str,
)
def test_that_noise_grows_is_said_before_and_after_a_run(options, is_said):
    y, x = np.mgrid[:200, :200]
    clean = 100 * (1 + np.sin(x / 30) * np.cos(y / 40)) + 2
    counts = np.random.default_rng(0).poisson(clean)
    job = DenoiseJob(
        data=counts, model="auto", options=DenoiseOptions(device="cpu", **options)
    )
    facts = returned(inspect_layer(job)).incompatibilities
    result = returned(run_denoising(job)).incompatibilities
    for texts in (facts, result):
        assert ["grows" in text for text in texts] == [True] * is_said


def test_memory_that_ran_out_in_one_run_is_tried_again_in_the_next(monkeypatch):
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


@pytest.mark.parametrize(("noise", "fits"), [(None, True), ("gaussian:0.1", False)])
def test_seed_matters_only_where_noise_is_added(noise, fits):
    image = np.random.default_rng(0).integers(0, 256, (40, 50), np.uint8)
    job = DenoiseJob(
        data=image, model="conv", options=DenoiseOptions(axes="YX"), noise=noise
    )
    assert prepare(job).fits(replace(job, seed=1)) == fits
