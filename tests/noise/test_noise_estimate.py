"""Noise as it is measured, written and stored."""

import json

import numpy as np
import pytest

from napari_denoise_ae import NoiseEstimate
from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.noise.noise_estimate import (
    as_plain_estimate,
    from_plain_estimate,
)

CAMERA = NoiseEstimate(
    kind="poisson-gaussian",
    gain=2.0,
    offset_variance=9.0,
    correlation=(0.5, 0.0),
    bounds=(0.0, None),
    no_data=-9999.0,
)


@pytest.mark.parametrize(
    ("noise", "sentence"),
    [
        (NoiseEstimate(), "no noise detected"),
        (NoiseEstimate(bounds=(None, 255.0)), "no noise detected; clipped at 255"),
        (
            NoiseEstimate(sigma=12.34),
            "noise has one level: sigma 12.34; neighboring pixels independent",
        ),
        (
            NoiseEstimate(kind="poisson-gaussian", gain=2.0, offset_variance=9.0),
            "noise grows with intensity: gain 2, read noise 3; neighboring pixels "
            "independent",
        ),
        (
            NoiseEstimate(kind="poisson-gaussian", gain=2.0, offset_variance=-200.0),
            "noise grows with intensity: gain 2, no noise at an intensity of 100; "
            "neighboring pixels independent",
        ),
        (
            CAMERA,
            "noise grows with intensity: gain 2, read noise 3; neighboring pixels "
            "correlated: 0.50 along X, 0.00 along Y; clipped at 0; -9999 means no data",
        ),
    ],
)
def test_an_estimate_is_one_sentence(noise, sentence):
    assert str(noise) == sentence


def test_the_variance_is_a_line_over_the_intensity_or_flat():
    intensities = np.array([0.0, 10.0])
    np.testing.assert_array_equal(CAMERA.variance(intensities), [9.0, 29.0])
    flat = NoiseEstimate(sigma=3.0)
    np.testing.assert_array_equal(flat.variance(intensities), [9.0, 9.0])


def test_an_estimate_survives_json_and_python():
    assert from_plain_estimate(json.loads(json.dumps(as_plain_estimate(CAMERA)))) == (
        CAMERA
    )
    assert eval(repr(CAMERA)) == CAMERA


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "speckle"}, "kind of noise must be one of gaussian"),
        ({"sigma": -1.0}, "sigma must be a finite number of at least 0"),
        ({"sigma": float("nan")}, "sigma must be a finite number of at least 0"),
        ({"kind": "poisson-gaussian"}, "gain must be a finite number above 0"),
        ({"correlation": (0.5, 0.96)}, "correlation must be two numbers from 0 to"),
        ({"correlation": (-0.1, 0.0)}, "correlation must be two numbers from 0 to"),
        ({"correlation": 0.5}, "correlation must be two numbers from 0 to"),
        ({"correlation": ("a", "b")}, "correlation must be two numbers from 0 to"),
    ],
)
def test_impossible_noise_is_rejected(values, message):
    with pytest.raises(InvalidInputError, match=message):
        NoiseEstimate(**values)


@pytest.mark.parametrize(
    "noise",
    [
        NoiseEstimate(sigma=3.0),
        NoiseEstimate(kind="poisson-gaussian", gain=2.0, offset_variance=-40.0),
    ],
)
def test_scaling_multiplies_the_standard_deviation(noise):
    intensities = np.array([5.0, 30.0, 500.0])
    np.testing.assert_allclose(
        noise.scaled(1.5).variance(intensities), 2.25 * noise.variance(intensities)
    )
