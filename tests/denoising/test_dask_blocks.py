"""Blocks of a lazy result share a loaded model."""

from __future__ import annotations

import dask
import dask.array as da
import numpy as np
import pytest
import torch
from lazy_arrays import image_of
from synthetic import random_checkpoint

from napari_denoise_ae import denoise
from napari_denoise_ae.denoising.dask_blocks import Model, ModelRun, loaded_denoiser
from napari_denoise_ae.models.networks.conv import ConvAutoencoder


@pytest.fixture(scope="module")
def gray_model():
    return random_checkpoint(in_channels=1)


def test_all_threads_share_one_loaded_model(gray_model, monkeypatch):
    built = []
    build = type(gray_model).build
    monkeypatch.setattr(
        type(gray_model),
        "build",
        lambda self, device: built.append(device) or build(self, device),
    )
    model = random_checkpoint(in_channels=1, seed=5)
    lazy = denoise(da.from_array(image_of((300, 300), "uint8"), chunks=64), model=model)
    with dask.config.set(scheduler="threads", num_workers=4):
        lazy.compute()
        n_built = len(built)
        lazy.compute()
    assert len(built) == n_built
    first, again = (ModelRun.start(Model.of(model), "fast") for _ in range(2))
    assert loaded_denoiser(first, "auto") is loaded_denoiser(first, "auto")
    assert loaded_denoiser(first, "auto") is not loaded_denoiser(again, "auto")


def test_models_with_different_weights_are_different():
    models = [random_checkpoint(seed=seed) for seed in (1, 2, 1)]
    first, other, same = (Model.of(model) for model in models)
    assert first == same
    assert first != other


def test_eight_models_stay_loaded():
    models = [Model.of(random_checkpoint(seed=seed)) for seed in range(20, 28)]
    first, again = (
        [
            loaded_denoiser(ModelRun.start(model, "fast"), "cpu").network
            for model in models
        ]
        for _ in range(2)
    )
    assert all(one is other for one, other in zip(first, again, strict=True))


def test_smaller_tiles_last_for_a_run_and_not_for_the_next(monkeypatch):
    model = random_checkpoint(in_channels=1, seed=6)
    image = image_of((600, 300), "uint8")
    expected = denoise(image, model=model)
    forward, tried = ConvAutoencoder.forward, []

    def limited(self, noisy):
        tried.append(max(noisy.shape))
        if max(noisy.shape) > 200:
            raise torch.OutOfMemoryError("out of memory")
        return forward(self, noisy)

    monkeypatch.setattr(ConvAutoencoder, "forward", limited)
    lazy = denoise(da.from_array(image, chunks=(300, 300)), model=model, device="cpu")
    assert lazy.numblocks == (2, 1)

    def sizes_tried_in_a_run() -> list[int]:
        tried.clear()
        with pytest.warns(UserWarning, match="out of memory"):
            result = lazy.compute(scheduler="synchronous")
        assert np.abs(result.astype(int) - expected).max() <= 1
        return tried[:]

    # The second block starts with the smaller tiles, the next run with the full size.
    first_run = sizes_tried_in_a_run()
    assert sum(size > 200 for size in first_run) == 1
    assert sizes_tried_in_a_run() == first_run
