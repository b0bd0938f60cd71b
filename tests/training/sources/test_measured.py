from __future__ import annotations

import numpy as np
import pytest
import torch
from noisy_sources import SIGMA, noisy_image
from synthetic import CPU

from napari_denoise_ae.denoising.model_ranges import find_model_ranges
from napari_denoise_ae.denoising.options import DenoiseOptions
from napari_denoise_ae.image.planes import ArrayPlanes
from napari_denoise_ae.models.load import load_checkpoint
from napari_denoise_ae.training.images.open import open_images
from napari_denoise_ae.training.images.positions import Position
from napari_denoise_ae.training.sources.measured import MeasuredImages, most_correlated

WHOLE = slice(0, 96), slice(0, 128)


def measured(images, axes=None, *, is_told=True):
    opened = open_images(images, axes=axes)
    return MeasuredImages(opened, CPU.device, takes_noise_level=is_told)


def channels():
    return np.stack([noisy_image(0), 5.0 * noisy_image(1)]).astype(np.float32)


def test_scalings_are_those_of_denoise():
    stack = channels()
    found = measured([stack], axes="CYX")
    planes = ArrayPlanes.of(stack, "CYX")
    expected = find_model_ranges(planes, load_checkpoint("gray"), DenoiseOptions())
    for channel in range(2):
        scale = found.scale_of(Position(0, (channel,), WHOLE))
        assert scale == expected.of((channel,))


def test_each_channel_of_each_image_has_a_number():
    found = measured({"a": channels(), "b": channels()}, axes="CYX")
    positions = [Position(i, (c,), WHOLE) for i in range(2) for c in range(2)]
    assert [found.number_of(each) for each in positions] == [0, 1, 2, 3]
    assert found.noise_of(positions[1]).sigma == pytest.approx(5 * SIGMA, rel=0.15)


def test_louder_noise_has_a_louder_level():
    found = measured([channels()], axes="CYX")
    louder = found.louder(1.5)
    torch.testing.assert_close(louder.told, 1.5 * found.scaling.told)
    image = torch.from_numpy(channels())[:, None]
    torch.testing.assert_close(louder.normalize(image), found.scaling.normalize(image))


def test_louder_photons_are_stabilized_as_denoise_does():
    counts = np.random.default_rng(0).poisson(noisy_image().clip(0) / 20)
    counts = counts.astype(np.uint16)
    found = measured([counts])
    noise = found.noises[0].scaled(2.0)
    scaling = find_model_ranges(
        ArrayPlanes.of(counts, "YX"),
        load_checkpoint("gray"),
        DenoiseOptions(noise_type=noise),
    ).of(())
    assert found.louder(2.0).told[0].tolist() == pytest.approx(scaling.noise_inputs)


def test_plain_ranges_have_no_level():
    found = measured([noisy_image()], is_told=False)
    assert found.scaling.told is None
    assert found.louder(2.0) is found.scaling
    assert found.noises[0].sigma == pytest.approx(SIGMA, rel=0.15)


def test_noise_is_described():
    assert measured([noisy_image()]).description.startswith("measured: noise has one")
    assert measured([channels()], axes="CYX").description.endswith("; 1 more")


def test_no_data_is_found():
    image = noisy_image()
    image[20:50, 20:60] = -9999
    assert measured([image, noisy_image(1)]).no_data == [-9999, None]


def test_the_largest_correlation_counts():
    noises = measured([noisy_image()]).noises
    assert most_correlated([]) == (0.0, 0.0)
    assert most_correlated(noises) == noises[0].correlation
