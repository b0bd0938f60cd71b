from __future__ import annotations

import numpy as np
import pytest
import torch
from noisy_sources import clean_image, make_source, noisy_image, start_model
from scipy.ndimage import gaussian_filter1d

from napari_denoise_ae import load_checkpoint


def test_the_network_does_not_see_the_pixels_that_it_is_compared_with():
    source = make_source("noise2void", augmentation="none")
    for batch in [*source.batches(1), *source.validation()]:
        # Values between neighbors differ, unless by chance.
        shown = batch.decode(batch.noisy)
        same = (shown - batch.target).abs() < 1e-4
        assert float(same[batch.counted].float().mean()) < 0.01
        assert float(batch.counted.float().mean()) == pytest.approx(1 / 9, abs=0.02)


def test_examples_are_shown_as_they_are():
    batch = make_source("noise2void").examples(3)
    torch.testing.assert_close(
        batch.decode(batch.noisy), batch.target, rtol=0, atol=1e-4
    )


def test_pixels_that_share_noise_are_hidden_together():
    white = 40.0 * np.random.default_rng(0).standard_normal((96, 128))
    rows = gaussian_filter1d(white, 1.0, axis=1)
    image = clean_image() + 20.0 * rows / rows.std()
    source = make_source("noise2void", [image.astype(np.float32)])
    assert source._spots.extent[0] == 0
    assert source._spots.extent[1] >= 2
    batch = next(source.batches(1))
    assert float(batch.counted.float().mean()) < 0.02


def test_a_better_built_in_model_is_named():
    source = make_source("noise2void", val_fraction=0.5)
    judgment = source.judge(start_model())
    assert judgment.text.startswith("the built-in model gray is better")
    assert judgment.kept is None
    assert source.judge(load_checkpoint("gray")) is None


def test_channels_share_one_network():
    stack = np.stack([noisy_image(0), 100.0 + 2.0 * noisy_image(1)])
    source = make_source("noise2void", {"cells": stack.astype(np.float32)}, axes="CYX")
    batch = next(source.batches(1))
    assert batch.noisy.shape[1] == 1
