"""Noise is measured by the estimators of one registry."""

from __future__ import annotations

import math

import numpy as np

from napari_denoise_ae import estimate_noise
from napari_denoise_ae.image.planes import ArrayPlanes
from napari_denoise_ae.image.ranges import group_planes
from napari_denoise_ae.noise.estimators import (
    ESTIMATORS,
    PATCHES,
    estimate_sigma,
    median_of_known,
)
from napari_denoise_ae.noise.scaling import measure_scaling
from napari_denoise_ae.noise.setting import NoiseSetting

NOISY = np.random.default_rng(0).normal(100.0, 5.0, (64, 64))


def test_a_new_estimator_is_one_line(monkeypatch):
    """Every measurement of noise looks its estimator up in the registry."""
    planes = [[NOISY[..., np.newaxis]]]
    assert estimate_sigma(planes) == ESTIMATORS[PATCHES](planes[0])
    monkeypatch.setitem(ESTIMATORS, "seven", lambda windows: 7.0 * len(windows))
    assert estimate_sigma(planes, "seven") == 7
    monkeypatch.setitem(ESTIMATORS, PATCHES, lambda windows: 7.0 * len(windows))
    assert estimate_noise(NOISY) == 7
    groups = group_planes(ArrayPlanes.of(NOISY, "YX"), "stack")
    found = measure_scaling([planes], groups, NoiseSetting())
    assert found.ranges[0].sigma == 7


def test_the_median_ignores_nan():
    assert median_of_known([math.nan, 3.0, 1.0, math.nan, 2.0]) == 2
    assert math.isnan(median_of_known([math.nan]))
