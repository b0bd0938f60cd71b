"""Pixels are cast on the device as exactly as by NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_denoise_ae.denoising.network_input import prepare_input
from napari_denoise_ae.denoising.pixels import (
    as_pixels,
    images_of,
    merge_kept,
    preparing_device,
    upload,
    working_dtype,
)
from napari_denoise_ae.image.casting import cast_saturating
from napari_denoise_ae.image.intensity import IntensityRange
from napari_denoise_ae.noise.clipping import undo_clipping
from napari_denoise_ae.noise.noise_estimate import NoiseEstimate
from napari_denoise_ae.noise.normalization import NoiseScaling

CPU = torch.device("cpu")
INTEGERS = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"]
FLOATS = ["float16", "float32", "float64"]
NOISE = NoiseEstimate(sigma=10.0, bounds=(0.0, 255.0), no_data=-1.0)
COUNTS = NoiseEstimate(kind="poisson-gaussian", gain=2.0, offset_variance=30.0)
SCALES = [
    IntensityRange(20.0, 200.0),
    NoiseScaling(100.0, 160.0, NOISE),
    NoiseScaling(100.0, 160.0, NOISE, replaces_hot_pixels=True),
    NoiseScaling(14.0, 19.0, COUNTS),
]


def pixels(dtype: str = "float32") -> np.ndarray:
    """Return an image with a hot pixel, a dead one, and no data in two regions."""
    rng = np.random.default_rng(0)
    ramp = np.add.outer(np.linspace(0, 150, 60), np.linspace(0, 100, 50))
    image = (ramp + rng.normal(0, 10, ramp.shape)).clip(0, 255)[..., np.newaxis]
    image[5, 5], image[0, 0], image[40, 7] = 3000, 3000, -2000
    image[30:50, 30:48] = -1
    image[10, 10:13] = np.nan
    return image.astype(dtype)


@pytest.mark.parametrize("dtype", INTEGERS + FLOATS)
def test_an_upload_is_exact(dtype):
    limits = np.iinfo(dtype) if dtype in INTEGERS else np.finfo(dtype)
    image = np.array([[limits.min, 0, 1, limits.max]] * 3, dtype)
    sent = upload([image[::2, :, None]], CPU, torch.float64)[..., 0]
    np.testing.assert_array_equal(sent, image[::2].astype(np.float64))


@pytest.mark.parametrize("dtype", [">u2", ">f4", "longdouble"])
def test_any_byte_order_and_long_floats_can_be_uploaded(dtype):
    image = np.arange(6).reshape(2, 3).astype(dtype)
    np.testing.assert_array_equal(
        upload([image[..., None]], CPU, torch.float32)[..., 0], image
    )


@pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS, ">u2"])
def test_results_are_rounded_and_saturated(dtype):
    values = np.array([-1e30, -300.5, -0.5, 0.5, 1.5, 2.49, 254.6, 7e4, 3e9, 1e30])
    cast = as_pixels(torch.tensor(values), np.dtype(dtype))
    np.testing.assert_array_equal(cast, cast_saturating(values, np.dtype(dtype)))
    assert cast.dtype == np.dtype(dtype).newbyteorder("=")


@pytest.mark.parametrize(
    ("dtype", "limits", "expected"),
    [
        ("uint16", (0, 60_000), torch.float32),
        ("float32", (-1, 1), torch.float32),
        (">f4", (-1, 1), torch.float32),
        ("float64", (0, 1), torch.float64),
        ("int32", (0, 100), torch.float64),
        # float32 has no more than 10 steps for this range.
        ("float32", (1e6, 1e6 + 1), torch.float64),
        ("float32", (0, 1e30), torch.float64),
        ("float32", (0, 1e-30), torch.float64),
    ],
)
def test_float32_is_used_where_it_is_exact_enough(dtype, limits, expected):
    assert working_dtype(np.dtype(dtype), IntensityRange(*limits)) == expected


@pytest.mark.parametrize("name", ["mps", "meta"])
def test_pixels_are_prepared_on_the_cpu_for_a_device_that_lacks_dtypes(name):
    assert preparing_device(torch.device(name)) == CPU


@pytest.mark.parametrize("scale", SCALES, ids=str)
def test_float32_tensors_are_prepared_and_restored_as_arrays_are(scale):
    image = pixels()
    from_array = prepare_input(image, scale)
    from_tensor = prepare_input(upload([image], CPU, torch.float32), scale)
    np.testing.assert_allclose(from_tensor.unit, from_array.unit, rtol=0, atol=1e-5)
    assert (from_array.hidden is None) == (from_tensor.hidden is None)
    np.testing.assert_array_equal(from_tensor.hidden, from_array.hidden)
    results = []
    for shown in (from_array, from_tensor):
        values, kept = shown.restore(0.9 * shown.unit, scale)
        values, kept = np.asarray(values), None if kept is None else np.asarray(kept)
        results.append(merge_kept(image, values, kept, np.dtype(np.float32)))
    np.testing.assert_allclose(results[1], results[0], rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("above", [True, False])
def test_the_bias_of_clipping_is_undone_on_tensors_as_on_arrays(above):
    noise = NoiseEstimate(sigma=10.0, bounds=(0.0, None) if above else (None, 255.0))
    values = np.linspace(-30, 280, 1000)
    expected = undo_clipping(values, noise, 1.0)
    found = undo_clipping(torch.tensor(values, dtype=torch.float32), noise, 1.0)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert np.abs(expected - values).max() > 5


def test_images_of_a_batch_are_channels_of_their_own():
    images = list(np.random.default_rng(0).random((4, 5, 6, 3)))
    sent = upload(images, CPU, torch.float64)
    assert sent.shape == (5, 6, 12)
    np.testing.assert_array_equal(images_of(sent, 4), images)
