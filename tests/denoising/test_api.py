"""Results of `denoise`: pixels, intensities, axes, errors, progress and warnings."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from synthetic import CPU, make_record, random_checkpoint, smooth_photo

from napari_denoise_ae import add_noise, denoise, load_checkpoint
from napari_denoise_ae.denoising.array import Denoising, Progress
from napari_denoise_ae.denoising.compatibility import noise_level
from napari_denoise_ae.denoising.denoiser import Denoiser
from napari_denoise_ae.denoising.options import DenoiseOptions
from napari_denoise_ae.errors import DenoiseAEWarning, InvalidInputError
from napari_denoise_ae.image.intensity import IntensityRange

DTYPES = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"]
FLOATS = ["float16", "float32", "float64"]


def random_image(dtype: str, shape: tuple[int, ...] = (19, 21, 3)) -> np.ndarray:
    """Return values over the whole range of a dtype, including both limits."""
    values = np.random.default_rng(0).random(shape)
    if np.issubdtype(dtype, np.floating):
        return (100 * values - 50).astype(dtype)
    limits = np.iinfo(dtype)
    image = (values * (float(limits.max) - limits.min) / 2).astype(dtype)
    image.flat[:2] = limits.min, limits.max
    return image


@pytest.fixture(scope="module")
def gray_model():
    return random_checkpoint(in_channels=1)


# --- shape, dtype, alpha and NaN -------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES + FLOATS)
def test_shape_and_dtype_are_kept_and_the_input_is_not_modified(dtype, checkpoint):
    image = random_image(dtype)
    before = image.copy()
    image.flags.writeable = False
    denoised = denoise(image, model=checkpoint)
    assert denoised.dtype == dtype
    assert denoised.shape == image.shape
    np.testing.assert_array_equal(image, before)
    assert not np.array_equal(denoised, image)


@pytest.mark.parametrize("kind", ["list", "fortran", "view", "big endian"])
def test_any_array_like_can_be_denoised(kind, checkpoint):
    image = random_image("uint16")
    given = {
        "list": image.tolist(),
        "fortran": np.asfortranarray(image),
        "view": np.repeat(image, 2, axis=0)[::2],
        "big endian": image.astype(">u2"),
    }[kind]
    expected = denoise(image, model=checkpoint)
    np.testing.assert_array_equal(denoise(given, model=checkpoint), expected)


@pytest.mark.parametrize(("shape", "axes"), [((9, 8, 4), None), ((4, 9, 8), "SYX")])
def test_alpha_is_kept(shape, axes, checkpoint):
    image = random_image("uint8", shape)
    denoised = denoise(image, model=checkpoint, axes=axes)
    alpha = (..., 3) if axes is None else 3
    np.testing.assert_array_equal(denoised[alpha], image[alpha])
    color = denoise(
        image[..., :3] if axes is None else image[:3].transpose(1, 2, 0),
        model=checkpoint,
    )
    rgb = denoised[..., :3] if axes is None else denoised[:3].transpose(1, 2, 0)
    np.testing.assert_array_equal(rgb, color)


def test_nan_stays_nan_and_does_not_spread(checkpoint):
    image = random_image("float32")
    image[4, 5] = np.nan
    image[7, 2, 1] = np.nan
    denoised = denoise(image, model=checkpoint)
    np.testing.assert_array_equal(np.isnan(denoised), np.isnan(image))


def test_nan_stays_nan_in_an_image_that_is_constant_elsewhere(checkpoint):
    image = np.full((9, 9, 3), 5.0)
    image[4, 5] = np.nan
    np.testing.assert_array_equal(denoise(image, model=checkpoint), image)


@pytest.mark.parametrize("dtype", ["uint16", "float32", "float64"])
def test_a_constant_image_stays_constant(dtype, checkpoint):
    image = np.full((9, 9, 3), 7, dtype=dtype)
    np.testing.assert_array_equal(denoise(image, model=checkpoint), image)


@pytest.mark.parametrize(
    "shape", [(1, 1, 3), (1, 40, 3), (40, 1, 3), (7, 9, 3), (8, 8, 3), (2, 2, 4)]
)
def test_an_image_may_have_any_size(shape, checkpoint):
    assert denoise(random_image("uint8", shape), model=checkpoint).shape == shape


# --- intensities -----------------------------------------------------------


def test_values_outside_a_given_range_are_kept(checkpoint):
    image = random_image("float64")
    image[3, 3] = 1000.0
    image[4, 4] = -1000.0
    denoised = denoise(image, model=checkpoint, intensity_range=(-50, 50))
    clipped = denoise(
        np.clip(image, -50, 50), model=checkpoint, intensity_range=(-50, 50)
    )
    np.testing.assert_allclose(denoised - clipped, image - np.clip(image, -50, 50))


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16"])
def test_integers_saturate_and_never_wrap(dtype, checkpoint):
    """Far outside the intensity range, results exceed the limits of the dtype."""
    limits = np.iinfo(dtype)
    image = random_image(dtype, (16, 16, 3))
    image[:8], image[8:] = limits.min, limits.max
    middle = (limits.max + limits.min) / 2
    span = (middle - 1, middle + 1)
    denoised = denoise(image, model=checkpoint, intensity_range=span)
    assert np.abs(denoised[:8].astype(float) - limits.min).max() <= 2
    assert np.abs(denoised[8:].astype(float) - limits.max).max() <= 2


def test_integers_are_rounded(checkpoint):
    image = random_image("uint8")
    exact = denoise(image.astype(float), model=checkpoint, intensity_range=(0, 255))
    np.testing.assert_array_equal(denoise(image, model=checkpoint), np.rint(exact))


@pytest.mark.parametrize("dtype", DTYPES + FLOATS)
def test_a_float32_result_is_neither_rounded_nor_saturated(dtype, checkpoint):
    image = random_image(dtype)
    span = (float(image.min()), float(image.max()))
    exact = denoise(image.astype(float), model=checkpoint, intensity_range=span)
    result = denoise(image, model=checkpoint, intensity_range=span, dtype="float32")
    assert result.dtype == np.float32
    # Images of at most 16 bits, and those of float32, are scaled in float32.
    atol = 1e-6 * (span[1] - span[0])
    np.testing.assert_allclose(result, exact.astype(np.float32), rtol=1e-6, atol=atol)
    if dtype in {"uint8", "int8", "uint16", "int16"}:
        kept = denoise(image, model=checkpoint, intensity_range=span)
        assert not np.array_equal(kept.astype(np.float32), result)


def test_a_float32_result_may_exceed_the_limits_of_an_integer_dtype(checkpoint):
    # An untrained network gives values near the middle of the range, here 300.
    options = {"model": checkpoint, "intensity_range": (250, 350)}
    image = np.full((16, 16, 3), 255, dtype=np.uint8)
    result = denoise(image, dtype="float32", **options)
    assert result.min() > 255
    saturated = np.clip(np.rint(result), 0, 255)
    np.testing.assert_array_equal(denoise(image, **options), saturated)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float64"])
def test_a_float32_result_keeps_alpha_and_nan(dtype, checkpoint):
    image = random_image(dtype, (9, 8, 4))
    if dtype == "float64":
        image[2, 3, 0] = np.nan
    result = denoise(image, model=checkpoint, dtype="float32")
    np.testing.assert_array_equal(result[..., 3], image[..., 3].astype(np.float32))
    np.testing.assert_array_equal(np.isnan(result), np.isnan(image))


@pytest.mark.parametrize(
    ("scale", "offset"), [(10.0, 0.0), (0.001, 5.0), (3.0, -100.0)]
)
def test_the_result_follows_the_units_of_the_image(scale, offset, checkpoint):
    image = random_image("float64")
    expected = scale * denoise(image, model=checkpoint) + offset
    result = denoise(scale * image + offset, model=checkpoint)
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-5 * scale)


def test_each_channel_has_its_own_range(gray_model):
    """A dim channel next to a bright one is mapped to the whole of [0, 1]."""
    stack = random_image("float64", (2, 3, 16, 16))
    stack[:, 1] = 1000 * stack[:, 1] + 5000
    denoised = denoise(stack, model=gray_model, axes="TCYX")
    for channel in range(3):
        alone = denoise(stack[:, channel], model=gray_model, axes="TYX")
        np.testing.assert_array_equal(denoised[:, channel], alone)


def test_ranges_may_be_given_for_each_channel(gray_model):
    stack = random_image("float64", (2, 3, 16, 16))
    pairs = [(-50, 50), (-100, 100)]
    denoised = denoise(stack, model=gray_model, axes="CTYX", intensity_range=pairs)
    for channel, pair in enumerate(pairs):
        alone = denoise(
            stack[channel], model=gray_model, axes="TYX", intensity_range=pair
        )
        np.testing.assert_array_equal(denoised[channel], alone)


def test_each_image_may_have_its_own_range(gray_model):
    stack = random_image("float64", (2, 2, 16, 16))
    stack *= np.arange(1, 5).reshape(2, 2, 1, 1)
    options = {"model": gray_model, "axes": "TCYX"}
    denoised = denoise(stack, range_of="image", **options)
    for index in np.ndindex(2, 2):
        alone = denoise(stack[index], model=gray_model)
        np.testing.assert_array_equal(denoised[index], alone)
    assert not np.array_equal(denoised, denoise(stack, **options))


def test_the_colors_of_an_image_share_a_range(checkpoint):
    image = random_image("float64", (16, 16, 3)) * [1, 2, 3]
    run = Denoising(image, Denoiser(checkpoint, CPU))
    assert run.intensity_ranges.ranges == (IntensityRange(image.min(), image.max()),)


def test_a_channel_of_only_nan_is_unchanged(gray_model):
    stack = random_image("float32", (2, 16, 16))
    stack[1] = np.nan
    denoised = denoise(stack, model=gray_model, axes="CYX")
    np.testing.assert_array_equal(np.isnan(denoised), np.isnan(stack))


def test_values_above_the_range_do_not_become_infinite_in_float16(checkpoint):
    limit = float(np.finfo(np.float16).max)
    image = np.zeros((16, 16, 3), dtype=np.float16)
    image[:8] = limit
    denoised = denoise(image, model=checkpoint, intensity_range=(0, 1000))
    assert np.isfinite(denoised).all()
    assert denoised[:8].min() > limit - 1024


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"range_of": "channel"}, "range_of must be one of stack, image"),
        ({"intensity_range": [(0, 1), (0, 1), (0, 1)]}, "3 pairs.* 2 channels"),
        ({"intensity_range": [(0, 1), (1, 0)]}, "the lower first"),
    ],
)
def test_ranges_that_do_not_fit_the_channels_are_rejected(options, words, gray_model):
    with pytest.raises(InvalidInputError, match=words):
        denoise(
            random_image("uint16", (2, 9, 9)), axes="CYX", model=gray_model, **options
        )


@pytest.mark.parametrize("given", [(1, 0), (0, 0), (0, np.nan), (1, 2, 3), "ab"])
def test_an_invalid_intensity_range_is_rejected(given, checkpoint):
    with pytest.raises(InvalidInputError, match="intensity_range"):
        denoise(random_image("float32"), model=checkpoint, intensity_range=given)


# --- axes and channels -----------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((3, 9, 8), "TYX"),
        ((2, 9, 8, 3), "ZYXS"),
        ((9, 3, 8), "YZX"),
        ((2, 4, 9, 8), "TSYX"),
    ],
)
def test_a_stack_is_denoised_plane_by_plane(shape, axes, checkpoint, gray_model):
    stack = random_image("float64", shape)
    model = checkpoint if "S" in axes else gray_model
    given = {"model": model, "intensity_range": (-50, 50)}
    denoised = denoise(stack, axes=axes, **given)
    position = next(i for i, letter in enumerate(axes) if letter in "TZC")
    rest = axes[:position] + axes[position + 1 :]
    for index in range(shape[position]):
        plane = denoise(stack.take(index, position), axes=rest, **given)
        np.testing.assert_array_equal(denoised.take(index, position), plane)


def test_a_stack_has_one_intensity_range(gray_model):
    stack = np.stack([random_image("float64", (9, 8)), 1000 + np.zeros((9, 8))])
    run = Denoising(stack, Denoiser(gray_model, CPU), DenoiseOptions(axes="ZYX"))
    assert run.intensity_range == IntensityRange(stack.min(), 1000)


def test_transposed_axes_give_the_transposed_result(gray_model):
    image = random_image("float32", (9, 12))
    expected = denoise(image.T, model=gray_model).T
    np.testing.assert_array_equal(denoise(image, model=gray_model, axes="XY"), expected)


@pytest.mark.parametrize("shape", [(9, 9, 2), (9, 9, 5), (3, 9, 9), (2, 9, 9, 3), (9,)])
def test_ambiguous_axes_must_be_given(shape, checkpoint):
    with pytest.raises(InvalidInputError, match="with axes"):
        denoise(random_image("uint8", shape), model=checkpoint)


def test_a_gray_image_is_repeated_and_averaged_with_a_warning(checkpoint):
    image = random_image("float64", (9, 12))
    with pytest.warns(DenoiseAEWarning, match="for color images and this one is gray"):
        denoised = denoise(image, model=checkpoint)
    color = denoise(np.stack([image] * 3, axis=-1), model=checkpoint)
    np.testing.assert_allclose(denoised, color.mean(axis=-1), rtol=1e-5)


def test_a_gray_model_denoises_each_color_separately(gray_model):
    image = random_image("float64")
    denoised = denoise(image, model=gray_model, intensity_range=(-50, 50))
    for channel in range(3):
        plane = denoise(
            image[..., channel], model=gray_model, intensity_range=(-50, 50)
        )
        np.testing.assert_allclose(denoised[..., channel], plane, rtol=1e-5)


@pytest.mark.parametrize("in_channels", [2, 4, 5])
def test_a_model_for_another_number_of_channels_is_rejected(in_channels):
    model = random_checkpoint(in_channels=in_channels)
    with pytest.raises(InvalidInputError, match=f"{in_channels}"):
        denoise(random_image("uint8"), model=model)


# --- errors ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.ones((9, 9), dtype=bool), "bool.*Masks"),
        (np.ones((9, 9), dtype=complex), "complex128"),
        (np.full((9, 9), "a"), "<U1"),
        (np.full((9, 9), None), "object"),
        (np.zeros((9, 9), dtype="datetime64[s]"), "datetime64"),
        (np.zeros((0, 9)), "empty"),
        (np.zeros((9, 0, 3), dtype=np.uint8), "empty"),
        (np.array([[1.0, np.inf]]), "infinite"),
        (np.array([[1.0, -np.inf]], dtype=np.float16), "infinite"),
        (np.full((9, 9), np.nan), "nothing but NaN"),
        (5.0, "axes"),
        (None, "object"),
    ],
    ids=lambda value: value if isinstance(value, str) else "image",
)
def test_unsupported_images_are_rejected_with_a_reason(image, words, checkpoint):
    with pytest.raises(InvalidInputError, match=words):
        denoise(image, model=checkpoint)
    with pytest.raises(InvalidInputError, match=words):
        add_noise(image, "gaussian:0.1")


@pytest.mark.parametrize("tile_size", [0, -1, 2.5])
def test_an_invalid_tile_size_is_rejected(tile_size, checkpoint):
    with pytest.raises(InvalidInputError, match="tile_size"):
        denoise(random_image("uint8"), model=checkpoint, tile_size=tile_size)


# --- progress --------------------------------------------------------------


def test_progress_is_yielded_after_every_tile(checkpoint):
    stack = random_image("uint8", (2, 20, 20, 3))
    options = DenoiseOptions(axes="TYXS", tile_size=16)
    run = Denoising(stack, Denoiser(checkpoint, CPU), options)
    assert list(run) == [Progress(done, 8) for done in range(1, 9)]


def test_stopping_early_keeps_the_finished_tiles(checkpoint):
    image = random_image("uint8", (32, 16, 3))
    run = Denoising(image, Denoiser(checkpoint, CPU), DenoiseOptions(tile_size=16))
    np.testing.assert_array_equal(run.result, image)
    next(iter(run))
    np.testing.assert_array_equal(run.result[16:], image[16:])
    whole = denoise(image, model=checkpoint)
    np.testing.assert_array_equal(run.result[:16], whole[:16])


def test_a_model_may_be_a_name_or_a_file(model_file, checkpoint):
    image = random_image("uint8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DenoiseAEWarning)
        from_file = denoise(image, model=model_file)
        np.testing.assert_array_equal(from_file, denoise(image, model=str(model_file)))
        named = denoise(image, model="conv")
    np.testing.assert_array_equal(from_file, denoise(image, model=checkpoint))
    assert not np.array_equal(named, from_file)


# --- warnings about the noise ----------------------------------------------


def photo() -> np.ndarray:
    return np.rint(255 * smooth_photo(96, 96)).astype(np.uint8)


def test_a_clean_image_causes_a_warning_for_a_model_of_one_noise_level():
    with pytest.warns(DenoiseAEWarning, match=r"much weaker.*'conv'.*blur") as caught:
        denoise(photo(), model="conv")
    assert caught[0].filename == __file__


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_an_image_with_the_noise_of_training_causes_no_warning(dtype):
    """Clipping lowers the measured noise of 0.5, as it did in training."""
    noisy = add_noise(photo().astype(dtype), "gaussian:0.5", intensity_range=(0, 255))
    assert denoise(noisy, model="conv").shape == noisy.shape


def test_the_built_in_model_removes_the_noise_it_was_trained_for():
    noisy = add_noise(photo(), "gaussian:0.5")
    denoised = denoise(noisy, model="conv")
    errors = [
        np.square(image - photo().astype(float)).mean() for image in (noisy, denoised)
    ]
    assert errors[1] < 0.2 * errors[0]


def checkpoint_for(estimate: tuple[float, float, float]):
    return random_checkpoint(record=make_record(noise_estimate=estimate))


def noise_of(run: Denoising) -> float:
    return noise_level(run._source, run.intensity_ranges)


@pytest.mark.parametrize(
    ("estimate", "words"),
    [
        ((0.05, 0.1, 0.15), None),
        ((0.12, 0.15, 0.2), None),
        ((0.3, 0.35, 0.4), "much weaker"),
        ((0.01, 0.02, 0.03), "much stronger"),
        ((np.nan, np.nan, np.nan), None),
    ],
)
def test_estimates_are_compared_with_a_tolerance(estimate, words):
    noisy = smooth_photo() + np.random.default_rng(0).normal(0, 0.1, (64, 64, 3))
    denoiser = Denoiser(checkpoint_for(estimate), CPU)
    run = Denoising(noisy, denoiser, DenoiseOptions(intensity_range=(0, 1)))
    assert noise_of(run) == pytest.approx(0.1, rel=0.1)
    found = run.find_incompatibilities()
    assert len(found) == (words is not None)
    assert words is None or words in found[0]


@pytest.mark.parametrize(
    "image", [np.zeros((2, 2, 3)), np.full((32, 32, 3), 5.0), np.zeros((40, 1, 3))]
)
def test_noise_that_cannot_be_estimated_causes_no_warning(image):
    run = Denoising(image, Denoiser(checkpoint_for((0.3, 0.35, 0.4)), CPU))
    assert np.isnan(noise_of(run))
    assert run.find_incompatibilities() == []


def test_the_noise_of_a_stack_is_measured_in_its_planes(checkpoint):
    noisy = smooth_photo() + np.random.default_rng(0).normal(0, 0.1, (9, 64, 64, 3))
    options = DenoiseOptions(axes="ZYXS", intensity_range=(0, 2))
    run = Denoising(noisy, Denoiser(checkpoint, CPU), options)
    assert noise_of(run) == pytest.approx(0.05, rel=0.1)


def test_the_warning_names_the_channel():
    rng = np.random.default_rng(0)
    clean = smooth_photo()[..., 0]
    noisy = np.stack([clean + rng.normal(0, sigma, (64, 64)) for sigma in (0.1, 0.4)])
    record = make_record(noise_estimate=(0.08, 0.1, 0.12))
    gray = random_checkpoint(record=record, in_channels=1)
    options = DenoiseOptions(axes="CYX", intensity_range=(0, 1))
    run = Denoising(noisy, Denoiser(gray, CPU), options)
    assert [text.partition(" (")[0] for text in run.find_incompatibilities()] == [
        "The noise in channel 1 of this image is much stronger"
    ]


def test_a_model_without_a_record_causes_no_warning(checkpoint):
    assert Denoising(photo(), Denoiser(checkpoint, CPU)).find_incompatibilities() == []


@pytest.mark.parametrize(
    ("image", "name"), [(photo(), "rgb"), (photo()[..., 0], "gray")]
)
def test_the_built_in_model_that_suits_the_image_is_the_default(image, name):
    noisy = add_noise(image, "gaussian:0.1")
    np.testing.assert_array_equal(
        denoise(noisy), denoise(noisy, model=load_checkpoint(name))
    )
