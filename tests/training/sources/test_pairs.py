from __future__ import annotations

import numpy as np
import pytest
import torch
from noisy_sources import SIGMA, clean_image, make_source, noisy_image

from napari_denoise_ae.errors import DatasetError
from napari_denoise_ae.image.planes import ArrayPlanes
from napari_denoise_ae.training.sources.pairs import Line, find_lines


def planes(image, axes="YX"):
    return ArrayPlanes.of(image, axes)


def test_noisy_patches_are_compared_with_clean_ones():
    source = make_source("pairs", augmentation="none")
    for batch in source.batches(1):
        noise = (batch.decode(batch.noisy) - batch.target)[batch.counted]
        assert float(noise.std()) == pytest.approx(float(batch.told[0, 0]), rel=0.15)
        assert float(noise.mean()) == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize(("slope", "offset"), [(0.1, 0.0), (1 / 255, 0.0), (3, 1000)])
def test_clean_images_of_another_exposure_are_mapped_to_the_noisy_ones(slope, offset):
    clean = slope * clean_image() + offset
    same, other = make_source("pairs"), make_source("pairs", (noisy_image(), clean))
    for one, two in zip(same.validation(), other.validation(), strict=True):
        torch.testing.assert_close(one.target, two.target, rtol=0, atol=0.02)
    assert not same.notes
    assert "mapped to theirs by a line" in other.notes[-1]


def test_lines_are_found_for_each_channel():
    clean = np.stack([clean_image(), clean_image()])
    noisy = np.stack([noisy_image(0), 4.0 * noisy_image(1) + 100.0])
    first, second = find_lines(planes(noisy, "CYX"), planes(clean, "CYX"))
    assert first == Line()
    assert second.slope == pytest.approx(4.0, rel=0.03)
    assert second.offset == pytest.approx(100.0, abs=20.0)


def test_unrelated_and_constant_images_are_left_as_they_are():
    rng = np.random.default_rng(0)
    unrelated = planes(rng.random((96, 128)))
    constant = planes(np.full((96, 128), 3.0))
    for clean in (unrelated, constant):
        assert find_lines(planes(noisy_image()), clean) == [Line()]


def test_unknown_clean_pixels_are_not_compared():
    clean = clean_image()
    clean[:, 30:60] = np.nan
    source = make_source("pairs", (noisy_image(), clean), batches_per_epoch=20)
    fractions = [float(batch.counted.float().mean()) for batch in source.batches(1)]
    assert min(fractions) < 0.9
    for batch in source.batches(1):
        assert torch.isfinite(batch.target).all()


def test_record_names_and_checksums_cover_both_images():
    source = make_source("pairs", ({"a": noisy_image()}, {"a": clean_image()}))
    assert len(source.images) == 2
    other = make_source("pairs", ({"a": noisy_image()}, {"a": clean_image() + 1}))
    assert source.sha256 != other.sha256


def test_a_pair_of_different_shapes_is_refused():
    with pytest.raises(DatasetError, match="same shape, axes"):
        make_source("pairs", (noisy_image(), clean_image(width=120)))


def test_sigma_of_the_noisy_image_is_told():
    batch = next(iter(make_source("pairs").validation()))
    spread = np.ptp(np.percentile(noisy_image(), (1, 99)))
    assert float(batch.told[0, 0]) == pytest.approx(SIGMA / spread, rel=0.1)
