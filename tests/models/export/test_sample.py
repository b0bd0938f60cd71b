"""The test image of a package."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic import make_record, random_checkpoint

from napari_denoise_ae import load_checkpoint
from napari_denoise_ae.models.export.onnx_file import make_graph
from napari_denoise_ae.models.export.sample import make_test_case


def test_a_model_that_is_told_the_noise_gets_its_level_and_correlation():
    checkpoint = load_checkpoint("gray")
    case = make_test_case(checkpoint, make_graph(checkpoint, standalone=True))
    assert list(case.inputs) == ["image", "sigma", "correlation"]
    image = case.inputs["image"]
    assert image.shape == case.denoised.shape == (1, 1, 256, 256)
    # The upper left corner of the photograph is smooth.
    corner = (0, 0, slice(0, 40), slice(0, 40))
    assert image[corner].std() == pytest.approx(case.inputs["sigma"][0], rel=0.1)
    assert case.denoised[corner].std() < image[corner].std() / 4
    assert all(values.dtype == np.float32 for values in case.inputs.values())


def test_another_model_gets_the_noise_that_it_was_trained_for():
    checkpoint = random_checkpoint(record=make_record())
    case = make_test_case(checkpoint, make_graph(checkpoint, standalone=True))
    assert list(case.inputs) == ["image", "low", "high"]
    assert case.noise == "gaussian:0.5"
    assert case.inputs["image"].shape == case.denoised.shape == (1, 3, 256, 256)
    assert case.inputs["image"].min() == 0.0
    assert case.inputs["image"].max() == 255.0
    # The test of bioimageio refuses inputs that are 0.
    assert all(np.abs(values).max() > 1e-4 for values in case.inputs.values())
