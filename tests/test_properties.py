"""Properties of `denoise` that hold for any image: few examples here, more on request.

    PROPERTY_EXAMPLES=300 python -m pytest tests/test_properties.py

The images, their layouts and the options are drawn by hypothesis, the same ones in each
run.
"""

from __future__ import annotations

import os
import warnings

import dask.array as da
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from synthetic import random_checkpoint

from napari_denoise_ae import denoise

pytestmark = pytest.mark.filterwarnings(
    "ignore::napari_denoise_ae.errors.DenoiseAEWarning"
)

MODEL = random_checkpoint(network="unet", in_channels=1)
BLIND = random_checkpoint(network="residual", in_channels=1)
SYMMETRIC = random_checkpoint(network="unet", in_channels=1, self_ensemble=True)
DTYPES = ("uint8", "int16", "uint16", "int32", "float16", "float32", "float64", ">u2")

holds = settings(
    max_examples=int(os.environ.get("PROPERTY_EXAMPLES", "5")),
    # Looking for the smallest example that fails takes minutes.
    phases=[Phase.generate],
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
seeds = st.integers(0, 2**32 - 1)
sides = st.tuples(st.integers(1, 70), st.integers(1, 70))
sigmas = st.one_of(st.none(), st.floats(0.5, 30.0))


def image_of(seed: int, shape: tuple[int, ...], dtype: str = "float64") -> np.ndarray:
    """Return a smooth image with noise, 0 to 255, or in the limits of int8."""
    rng = np.random.default_rng(seed)
    smooth = 100.0 + 40.0 * np.sin(np.arange(shape[-1]) / 9.0 + rng.uniform(0, 6))
    return np.clip(smooth + rng.normal(0.0, 9.0, shape), 0, 255).astype(dtype)


def denoised(image, **options) -> np.ndarray:
    options.setdefault("model", MODEL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(denoise(image, precision="float32", **options))


@holds
@given(seeds, sides, st.sampled_from(DTYPES), st.sampled_from([MODEL, BLIND]))
def test_shape_dtype_and_input_are_kept_and_runs_are_alike(seed, shape, dtype, model):
    image = image_of(seed, shape, dtype)
    before = image.copy()
    first, second = (denoised(image, model=model) for _ in range(2))
    assert (first.shape, first.dtype) == (image.shape, image.dtype)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(image, before)


@holds
@given(seeds, sides, sigmas, st.integers(1, 80), st.sampled_from([MODEL, BLIND]))
def test_tiles_change_nothing(seed, shape, sigma, tile_size, model):
    image = image_of(seed, shape)
    options = {} if model is BLIND else {"sigma": sigma}
    whole = denoised(image, model=model, **options)
    tiled = denoised(image, model=model, tile_size=tile_size, **options)
    np.testing.assert_allclose(tiled, whole, atol=1e-3)


@pytest.mark.parametrize("options", [{}, {"sigma": 5.0}])
@pytest.mark.parametrize("others", [False, True])
def test_tiles_change_nothing_of_a_constant_plane(options, others):
    planes = np.full((2, 40, 44), 100.0)
    if others:
        planes[1] = image_of(0, (40, 44))
    whole = denoised(planes, axes="TYX", **options)
    for tile_size in (8, 33):
        tiled = denoised(planes, axes="TYX", tile_size=tile_size, **options)
        np.testing.assert_allclose(tiled, whole, atol=1e-3)
    if not others:
        np.testing.assert_array_equal(whole, planes)


@holds
@given(seeds, sides, sigmas, st.integers(1, 80), st.integers(1, 80))
def test_chunks_of_a_lazy_array_change_nothing(seed, shape, sigma, rows, columns):
    image = image_of(seed, shape)
    lazy = da.from_array(image, chunks=(min(rows, shape[0]), min(columns, shape[1])))
    expected = denoised(image, sigma=sigma)
    np.testing.assert_allclose(denoised(lazy, sigma=sigma), expected, atol=1e-3)


LAYOUTS = {
    "Fortran": np.asfortranarray,
    "other byte order": lambda image: image.astype(image.dtype.newbyteorder(">")),
    "backward": lambda image: image[::-1].copy()[::-1],
    "every second": lambda image: np.repeat(image, 2, axis=1)[:, ::2],
    "read-only": lambda image: np.frombuffer(image.tobytes()).reshape(image.shape),
}


@holds
@given(seeds, sides, sigmas, st.sampled_from(sorted(LAYOUTS)))
def test_the_layout_in_memory_changes_nothing(seed, shape, sigma, layout):
    image = image_of(seed, shape)
    changed = LAYOUTS[layout](image)
    np.testing.assert_array_equal(
        denoised(changed, sigma=sigma), denoised(image, sigma=sigma)
    )


@holds
@given(
    seeds,
    sides,
    sigmas,
    st.floats(-9, 9).map(lambda power: 10.0**power),
    st.floats(-1e3, 1e3),
)
def test_the_result_follows_scaling_and_shifting(seed, shape, sigma, factor, shift):
    image = image_of(seed, shape)
    expected = denoised(image, sigma=sigma)
    moved = factor * (image + shift)
    result = denoised(moved, sigma=None if sigma is None else factor * sigma)
    # Rounding of the shifted values changes which noise is measured by a little.
    tolerance = 1e-3 if sigma is None else 1e-5
    np.testing.assert_allclose(
        result / factor - shift, expected, atol=tolerance * 255.0
    )


@holds
@given(seeds, sides, sigmas, st.floats(0.0, 0.9), st.sampled_from([MODEL, BLIND]))
def test_nan_and_masks_are_kept(seed, shape, sigma, fraction, model):
    image = image_of(seed, shape)
    missing = np.random.default_rng(seed).random(shape) < fraction
    missing.flat[0] = False
    options = {} if model is BLIND else {"sigma": sigma}
    with_nan = np.where(missing, np.nan, image)
    result = denoised(with_nan, model=model, **options)
    np.testing.assert_array_equal(np.isnan(result), missing)
    masked = denoise(
        np.ma.MaskedArray(np.where(missing, 1e9, image), missing),
        model=model,
        precision="float32",
        **options,
    )
    np.testing.assert_array_equal(np.ma.getmaskarray(masked), missing)
    assert (np.ma.getdata(masked)[missing] == 1e9).all()
    np.testing.assert_array_equal(masked.data[~missing], result[~missing])


@holds
@given(seeds, sides, st.floats(-140, 140), st.floats(-300, 300))
def test_results_are_finite_at_any_magnitude(seed, shape, power, sigma_power):
    image = image_of(seed, shape) * 10.0**power
    for options in ({}, {"sigma": 10.0**sigma_power}, {"model": BLIND}):
        assert np.isfinite(denoised(image, **options)).all()


@holds
@given(seeds, st.integers(1, 4))
def test_a_self_ensemble_treats_mirror_images_alike(seed, strides):
    # Other sides are padded at their end, and the padding is not mirrored.
    image = image_of(seed, (32, 16 * strides))
    result = denoised(image, model=SYMMETRIC, sigma=9.0)
    mirrored = denoised(image[:, ::-1], model=SYMMETRIC, sigma=9.0)
    np.testing.assert_allclose(mirrored[:, ::-1], result, atol=1e-3)


@holds
@given(seeds, sides, st.sampled_from(DTYPES), st.integers(2**53, 2**62))
def test_strength_0_changes_nothing(seed, shape, dtype, offset):
    image = image_of(seed, shape, dtype)
    np.testing.assert_array_equal(denoised(image, strength=0.0), image)
    large = image_of(seed, shape, "int64") + offset
    np.testing.assert_array_equal(denoised(large, strength=0.0), large)
