"""Synthetic noise on images of any dtype, axes and range."""

from __future__ import annotations

import numpy as np
import pytest

from napari_denoise_ae import add_noise
from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.noise.synthetic import Gaussian

DTYPES = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"]
FLOATS = ["float16", "float32", "float64"]


def random_image(dtype: str, shape: tuple[int, ...] = (19, 21, 3)) -> np.ndarray:
    """Random values over the whole range of a dtype, including both limits."""
    values = np.random.default_rng(0).random(shape)
    if np.issubdtype(dtype, np.floating):
        return (100 * values - 50).astype(dtype)
    limits = np.iinfo(dtype)
    image = (values * (float(limits.max) - limits.min) / 2).astype(dtype)
    image.flat[:2] = limits.min, limits.max
    return image


@pytest.mark.parametrize("dtype", DTYPES + FLOATS)
def test_noise_keeps_shape_and_dtype_and_the_input(dtype):
    image = random_image(dtype)
    before = image.copy()
    noisy = add_noise(image, "gaussian:0.1,unclipped")
    assert (noisy.dtype, noisy.shape) == (image.dtype, image.shape)
    np.testing.assert_array_equal(image, before)
    assert (noisy != image).mean() > 0.5


def test_the_amount_is_a_fraction_of_the_range():
    image = np.full((300, 300), 1000.0)
    noisy = add_noise(image, "gaussian:0.1,unclipped", intensity_range=(0, 4000))
    assert (noisy - image).std() == pytest.approx(400, rel=0.02)


def test_the_amount_is_a_fraction_of_the_range_of_each_channel():
    stack = np.random.default_rng(0).random((2, 200, 200)) * [[[10]], [[1000]]]
    noise = add_noise(stack, "gaussian:0.1,unclipped", axes="CYX") - stack
    np.testing.assert_allclose(noise.std(axis=(1, 2)), [1, 100], rtol=0.05)


@pytest.mark.parametrize(
    ("noise", "inside"), [("gaussian:1", True), ("gaussian:1,unclipped", False)]
)
def test_noise_is_clipped_unless_unclipped(noise, inside):
    noisy = add_noise(np.full((50, 50), 3.0), noise, intensity_range=(2, 4))
    assert (noisy.min() >= 2 and noisy.max() <= 4) == inside


def test_unclipped_noise_saturates_in_integers():
    image = np.zeros((50, 50), dtype=np.uint8)
    noisy = add_noise(image, "gaussian:0.1,unclipped")
    assert 0.4 < (noisy == 0).mean() < 0.6
    assert noisy.max() < 150


def test_the_seed_determines_the_noise():
    image = random_image("uint8")
    first = add_noise(image, "gaussian:0.1", rng=1)
    np.testing.assert_array_equal(first, add_noise(image, "gaussian:0.1", rng=1))
    np.testing.assert_array_equal(first, add_noise(image, Gaussian(0.1), rng=1))
    assert not np.array_equal(first, add_noise(image, "gaussian:0.1", rng=2))


@pytest.mark.parametrize("seed", [0, 1, 2**31, 2**63 - 1, 2**63, 10**30])
def test_any_integer_is_a_seed(seed):
    image = np.zeros((8, 8), dtype=np.uint8)
    noisy = add_noise(image, "gaussian:0.1", rng=seed)
    np.testing.assert_array_equal(noisy, add_noise(image, "gaussian:0.1", rng=seed))
    assert noisy.any()


@pytest.mark.parametrize("kind", [np.int8, np.int64, np.uint32, np.uint64])
def test_numpy_integers_are_seeds(kind):
    image = random_image("uint8")
    noisy = add_noise(image, "gaussian:0.1", rng=kind(7))
    np.testing.assert_array_equal(noisy, add_noise(image, "gaussian:0.1", rng=7))


def test_a_generator_gives_new_but_reproducible_noise_at_each_call():
    image = random_image("uint8")
    rngs = np.random.default_rng(5), np.random.default_rng(5)
    first, again = (
        [add_noise(image, "gaussian:0.1", rng=g) for _ in "ab"] for g in rngs
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(*first)


@pytest.mark.parametrize("kind", [np.random.SeedSequence, np.random.PCG64])
def test_other_numpy_sources_are_reproducible(kind):
    image = random_image("uint8")
    noisy = [add_noise(image, "gaussian:0.1", rng=kind(seed)) for seed in (5, 5, 6)]
    np.testing.assert_array_equal(noisy[0], noisy[1])
    assert not np.array_equal(noisy[0], noisy[2])


def test_noise_without_a_seed_is_new_each_time():
    image = random_image("uint8")
    noisy = [add_noise(image, "gaussian:0.1", rng=None) for _ in range(2)]
    assert not np.array_equal(*noisy)


@pytest.mark.parametrize("seed", [-1, np.int64(-1), 0.5, "1", {}])
def test_an_invalid_seed_is_rejected(seed):
    with pytest.raises(InvalidInputError, match="rng must be an integer"):
        add_noise(random_image("uint8"), "gaussian:0.1", rng=seed)


def test_noise_keeps_alpha_and_nan():
    image = random_image("float32", (9, 8, 4))
    image[2, 3, 0] = np.nan
    noisy = add_noise(image, "gaussian:0.1")
    np.testing.assert_array_equal(noisy[..., 3], image[..., 3])
    np.testing.assert_array_equal(np.isnan(noisy), np.isnan(image))


@pytest.mark.parametrize("noise", ["poisson:9", "salt-pepper:0.9", "speckle:1"])
def test_every_noise_keeps_nan(noise):
    clean = np.linspace(-2, 3, 400).reshape(20, 20)
    clean[4:8, 3:9] = np.nan
    noisy = add_noise(clean, noise)
    np.testing.assert_array_equal(np.isnan(noisy), np.isnan(clean))
    assert noisy[~np.isnan(noisy)].tolist() != clean[~np.isnan(clean)].tolist()


@pytest.mark.parametrize(
    ("noise", "deviation"),
    [("gaussian:0.1,unclipped", 50.0), ("poisson:100,unclipped", 50.0 / 2**0.5)],
)
def test_noise_has_the_right_level_on_any_range(noise, deviation):
    clean = np.full((200, 200), 1250.0)  # the middle of the range
    noisy = add_noise(clean, noise, intensity_range=(1000.0, 1500.0))
    assert noisy.std() == pytest.approx(deviation, rel=0.02)
    assert noisy.mean() == pytest.approx(1250, abs=1)


def test_a_range_draws_a_level_for_each_plane_of_a_stack():
    stack = np.full((5, 60, 60), 0.5)
    noisy = add_noise(
        stack, "gaussian:0..0.1,unclipped", axes="TYX", intensity_range=(0, 1)
    )
    levels = noisy.std(axis=(1, 2))
    assert levels.max() > 1.5 * levels.min()


def test_salt_and_pepper_can_replace_whole_pixels_of_a_color_image():
    clean = np.full((40, 40, 3), 100, dtype=np.uint8)
    noisy = add_noise(clean, "salt-pepper:0.5,per-pixel", intensity_range=(0, 255))
    hit = noisy != clean
    assert set(np.unique(hit.sum(axis=-1))) == {0, 3}
    assert set(np.unique(noisy)) == {0, 100, 255}


def test_a_constant_image_without_a_range_gets_noise_or_an_error():
    """A fraction of a range of 0 would silently add no noise."""
    with pytest.raises(InvalidInputError, match="intensity_range"):
        add_noise(np.full((9, 9), 5.0), "gaussian:0.5")


@pytest.mark.parametrize("noise", ["shot:1", "gaussian:-1", "", 5, None])
def test_an_invalid_noise_is_rejected(noise):
    with pytest.raises(InvalidInputError):
        add_noise(random_image("uint8"), noise)


def test_ambiguous_axes_must_be_given():
    stack = random_image("uint8", (5, 9, 8))
    with pytest.raises(InvalidInputError, match="with axes"):
        add_noise(stack, "gaussian:0.1")
    assert add_noise(stack, "gaussian:0.1", axes="TYX").shape == stack.shape
