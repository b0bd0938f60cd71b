"""The noise of a layer in words."""

import numpy as np
import pytest

from napari_denoise_ae import NoiseEstimate
from napari_denoise_ae._napari.shared.layer_noise import (
    describe_noise,
    measure_layer_noise,
)
from napari_denoise_ae.image.intensity import IntensityRanges, share_range
from napari_denoise_ae.image.planes import ArrayPlanes
from napari_denoise_ae.image.ranges import group_planes
from napari_denoise_ae.noise.normalization import NoiseScaling
from napari_denoise_ae.noise.scaling import measure_scaling
from napari_denoise_ae.noise.setting import NoiseSetting
from napari_denoise_ae.noise.windows import read_noise_windows


def scaling(sigma):
    return NoiseScaling(0.0, 1.0, NoiseEstimate(sigma=sigma))


def noise_of(image, setting):
    planes = ArrayPlanes.of(image, "YX")
    groups = group_planes(planes, "stack")
    windows = list(read_noise_windows(planes, groups))
    return measure_layer_noise(
        windows, measure_scaling(windows, groups, setting), setting
    )


def test_the_noise_is_described_once_if_all_channels_have_the_same():
    ranges = IntensityRanges("C", (2,), (scaling(2.0), scaling(2.0)))
    assert describe_noise(ranges) == describe_noise(share_range("YX", scaling(2.0)))


def test_the_noise_is_described_by_channel():
    ranges = IntensityRanges("C", (2,), (scaling(2.0), scaling(30.0)))
    assert describe_noise(ranges) == (
        "channel 0: noise has one level: sigma 2; neighboring pixels independent. "
        "channel 1: noise has one level: sigma 30; neighboring pixels independent"
    )


@pytest.mark.parametrize(
    ("setting", "start", "is_drawn"),
    [
        (NoiseSetting(), "Found: noise grows with intensity", True),
        (NoiseSetting(noise_type="gaussian"), "Found: noise has one level", False),
        (NoiseSetting(sigma=3.0), "Estimated: noise has one level", False),
    ],
)
def test_what_was_found_is_told_and_drawn(setting, start, is_drawn):
    clean = np.linspace(5, 80, 128 * 128).reshape(128, 128)
    found = noise_of(np.random.default_rng(0).poisson(clean), setting)
    assert str(found).startswith(start)
    assert bool(found.points) == is_drawn
    assert 3 < found.sigma < 9
