"""Neighboring frames are averaged where nothing moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage.data import camera
from synthetic import random_checkpoint

from napari_denoise_ae import denoise, psnr
from napari_denoise_ae.denoising.frames import (
    KEPT_NOISE,
    Neighborhood,
    first_pass,
    frame_axis,
    neighbors,
    second_pass,
    third_pass,
)
from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.noise.noise_estimate import NoiseEstimate
from napari_denoise_ae.noise.normalization import NoiseScaling

pytestmark = pytest.mark.filterwarnings(
    "ignore::napari_denoise_ae.errors.DenoiseAEWarning"
)

SIGMA = 20.0
WHOLE = (slice(None), slice(None))
SCALE = NoiseScaling(0.0, 100.0, NoiseEstimate(sigma=SIGMA))


class Recorder:
    """Stands for a denoiser: returns its input, and keeps the noise level."""

    def apply_network(self, unit, noise):
        self.unit, self.level = unit, noise[0]
        return unit


def neighborhood(*frames: np.ndarray, center: int = 0, scale=SCALE) -> Neighborhood:
    """Return frames, (Y, X, channels), that the first pass leaves as they are."""
    guides = [first_pass(each, scale, Recorder()) for each in frames]
    scales = [scale] * len(frames)
    return Neighborhood(blocks=frames, guides=guides, scales=scales, center=center)


def flat(value: float, channels: int = 1) -> np.ndarray:
    return np.full((12, 14, channels), value)


@pytest.mark.parametrize(
    ("axes", "letter"), [("TYX", "T"), ("ZYX", "Z"), ("ZTCYX", "T"), ("YXZS", "Z")]
)
def test_frames_are_neighbors_along_t_or_z(axes, letter):
    assert frame_axis(axes) == letter


@pytest.mark.parametrize("axes", ["YX", "YXS", "CYX"])
def test_without_t_and_z_there_are_no_frames(axes):
    with pytest.raises(InvalidInputError, match=rf"axis T or Z .* image are {axes}"):
        frame_axis(axes)


@pytest.mark.parametrize(
    ("index", "expected"), [(0, [0, 1, 2]), (3, [1, 2, 3, 4]), (4, [2, 3, 4])]
)
def test_frames_at_the_ends_have_fewer_neighbors(index, expected):
    assert list(neighbors(index, 5, 2)) == expected


# --- the average and its noise level


def test_equal_frames_are_averaged_and_their_noise_is_told():
    denoiser = Recorder()
    near = neighborhood(flat(50.0), flat(50.0), flat(50.0), flat(50.0))
    second_pass(near, denoiser)
    np.testing.assert_allclose(denoiser.unit, 0.5)
    np.testing.assert_allclose(denoiser.level, KEPT_NOISE * SCALE.noise_level / 2)


def test_the_weight_decreases_with_the_difference():
    denoiser = Recorder()
    second_pass(neighborhood(flat(0.0), flat(SIGMA * np.sqrt(0.075))), denoiser)
    # The mean squared difference is a quarter of that which halves the weight.
    np.testing.assert_allclose(denoiser.unit, SIGMA * np.sqrt(0.075) / 100 * 0.8 / 1.8)
    expected = KEPT_NOISE * SCALE.noise_level * np.sqrt(1 + 0.8**2) / 1.8
    np.testing.assert_allclose(denoiser.level, expected)


def test_what_moved_visibly_is_hardly_averaged():
    denoiser = Recorder()
    moved = flat(0.0)
    moved[:, 7:] = 80.0
    second_pass(neighborhood(flat(0.0), moved), denoiser)
    assert denoiser.unit[:, 8:].max() < 0.003
    assert denoiser.level[:, 8:].min() > 0.99 * SCALE.noise_level
    # Beside it the frames are equal.
    np.testing.assert_allclose(
        denoiser.level[:, :5], KEPT_NOISE * SCALE.noise_level / np.sqrt(2)
    )


@pytest.mark.parametrize(("sign", "weight"), [(1, 1 / 1.25), (-1, 1 / 2.5)])
def test_frames_weigh_less_where_noisy_pixels_differ_by_more_than_noise(sign, weight):
    texture = np.random.default_rng(0).normal(0, SIGMA, (60, 60, 1))
    texture = 3 * gaussian_filter(texture, 1)
    near = neighborhood(texture, sign * texture)
    # Denoising has removed the texture, but not all of a difference.
    guides = [np.zeros(texture.shape), np.full(texture.shape, np.sqrt(0.075) * 0.2)]
    second_pass(replace(near, guides=guides), denoiser := Recorder())
    expected = KEPT_NOISE * np.sqrt(1 + weight**2) / (1 + weight)
    found = np.median(denoiser.level) / SCALE.noise_level
    np.testing.assert_allclose(found, expected, rtol=0.01)


@pytest.mark.parametrize("is_told", [True, False])
def test_correlated_noise_is_not_taken_for_motion(is_told):
    noise = np.random.default_rng(0).normal(0, 1, (2, 90, 90, 1))
    noise = gaussian_filter(noise, (0, 1, 1, 0))
    noise *= SIGMA / noise.std()
    correlation = (0.78, 0.78) if is_told else (0.0, 0.0)
    estimate = NoiseEstimate(sigma=SIGMA, correlation=correlation)
    near = neighborhood(*noise, scale=NoiseScaling(0.0, 100.0, estimate))
    guides = [np.zeros(noise[0].shape), np.full(noise[0].shape, np.sqrt(0.075) * 0.2)]
    second_pass(replace(near, guides=guides), denoiser := Recorder())
    is_still = np.median(denoiser.level) < 0.73 * KEPT_NOISE * SCALE.noise_level
    assert is_still == is_told


def test_distant_frames_need_to_be_more_alike():
    denoiser = Recorder()
    far = flat(SIGMA * np.sqrt(0.075))
    second_pass(neighborhood(flat(0.0), flat(1e6), far), denoiser)
    np.testing.assert_allclose(
        denoiser.unit, far / 100 * (1 / 1.5) / (1 + 1 / 1.5), rtol=0.02
    )


def test_colors_share_one_weight():
    denoiser = Recorder()
    other = flat(50.0, 3)
    other[..., 0] = 1e5
    second_pass(neighborhood(flat(50.0, 3), other), denoiser)
    assert denoiser.level.shape == (12, 14)
    np.testing.assert_allclose(denoiser.unit[..., 1:], 0.5, atol=1e-4)


def test_unknown_pixels_of_neighbors_have_no_weight():
    denoiser = Recorder()
    other = flat(50.0)
    other[3, 4] = np.nan
    other[8, 9] = 1e4
    second_pass(neighborhood(flat(50.0), other), denoiser)
    np.testing.assert_allclose(denoiser.unit, 0.5)
    alone = np.isclose(denoiser.level, SCALE.noise_level)
    assert sorted(zip(*np.nonzero(alone), strict=True)) == [(3, 4), (8, 9)]


def test_unknown_pixels_of_the_frame_are_kept():
    frame = flat(50.0)
    frame[3, 4], frame[8, 9] = np.nan, 1e4
    near = neighborhood(frame, flat(50.0))
    _, kept = third_pass(near, near.guides[0], Recorder(), WHOLE)
    assert sorted(zip(*np.nonzero(kept[..., 0]), strict=True)) == [(3, 4), (8, 9)]


def test_frames_are_compared_without_noise_at_any_strength():
    levels = []
    for strength in (0.5, 1.0):
        scale = NoiseScaling(0.0, 100.0, SCALE.noise, strength=strength)
        denoiser = Recorder()
        near = neighborhood(flat(0.0), flat(20.0), scale=scale)
        second_pass(near, denoiser)
        levels.append(denoiser.level)
        third_pass(near, near.guides[0], denoiser, WHOLE)
        np.testing.assert_allclose(denoiser.level, strength * levels[-1])
    np.testing.assert_array_equal(*levels)


def test_a_neighbor_with_a_scaling_of_its_own_is_seen_by_that_of_the_frame():
    own = NoiseScaling(20.0, 60.0, NoiseEstimate(sigma=SIGMA))
    blocks = [flat(50.0), flat(50.0)]
    near = Neighborhood(
        blocks=blocks,
        guides=[SCALE.normalize(blocks[0]), own.normalize(blocks[1])],
        scales=[SCALE, own],
        center=0,
    )
    denoiser = Recorder()
    second_pass(near, denoiser)
    np.testing.assert_allclose(denoiser.unit, 0.5)
    np.testing.assert_allclose(
        denoiser.level, KEPT_NOISE * SCALE.noise_level / np.sqrt(2)
    )


# --- the gain, with the built-in model


def clean_scene(side: int = 128) -> np.ndarray:
    return camera()[100 : 100 + side, 150 : 150 + side].astype(float) / 8


def quality(clean: np.ndarray, counts: np.ndarray, **options) -> float:
    """Return the PSNR of the third of five frames of photon counts."""
    denoised = denoise(counts, axes="TYX", dtype="float32", **options)
    return psnr(clean, denoised[2], data_range=32)


def test_repeats_gain_at_least_2_db():
    clean = clean_scene()
    repeats = np.random.default_rng(0).poisson(clean, (5, *clean.shape))
    alone = quality(clean, repeats)
    assert quality(clean, repeats, frames=2) > alone + 2
    assert quality(clean, repeats, frames=2, range_of="image") > alone + 2


def test_less_than_a_tenth_of_a_db_is_lost_where_objects_move():
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:128, :128]
    starts, steps = rng.uniform(0, 128, (40, 2)), rng.uniform(-9, 9, (40, 2))
    moving = np.full((5, 128, 128), 8.0)
    for frame in range(5):
        for cy, cx in (starts + frame * steps) % 128:
            moving[frame] += 40 * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 18)
    counts = rng.poisson(moving)
    alone = quality(moving[2], counts)
    assert quality(moving[2], counts, frames=2) > alone - 0.1


def test_a_moving_scene_loses_little_even_where_its_texture_is_below_the_noise():
    scene = clean_scene(192)
    moving = np.stack([scene[9 * t :][:128, 11 * t :][:, :128] for t in range(5)])
    counts = np.random.default_rng(0).poisson(moving)
    alone = quality(moving[2], counts)
    assert quality(moving[2], counts, frames=2) > alone - 0.3


# --- options that do not fit


def test_a_model_without_noise_level_takes_no_frames():
    model = random_checkpoint(in_channels=1)
    stack = np.zeros((3, 16, 16), np.uint8)
    with pytest.raises(InvalidInputError, match=r"takes no noise level.*frames"):
        denoise(stack, model=model, axes="TYX", frames=1)


@pytest.mark.parametrize("axes", ["YX", "CYX"])
def test_an_image_without_frames_is_refused(axes):
    image = np.random.default_rng(0).normal(0, 1, (3, 16, 16)[-len(axes) :])
    with pytest.raises(InvalidInputError, match="frames needs an axis T or Z"):
        denoise(image, axes=axes, frames=1)
