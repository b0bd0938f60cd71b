"""What a user passes to a public function is used, or refused in one sentence."""

from __future__ import annotations

import decimal
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_denoise_ae import (
    add_noise,
    denoise,
    estimate_noise,
    load_checkpoint,
    measure_noise,
    psnr,
    ssim,
)
from napari_denoise_ae.errors import DenoiseAEError, InvalidInputError
from napari_denoise_ae.image.checks import is_integer, number_of, require_finite

IMAGE = np.random.default_rng(0).normal(100.0, 5.0, (12, 10))

ODD_IMAGES = {
    "with a gradient": torch.tensor(IMAGE, requires_grad=True),
    "bfloat16": torch.tensor(IMAGE).bfloat16(),
    "sparse": torch.tensor(IMAGE).to_sparse(),
    "of no device": torch.empty((12, 10), device="meta"),
    "None": None,
    "text": "abc",
    "bytes": b"abc",
    "texts": np.array([["a", "b"]]),
    "complex": IMAGE.astype(complex),
    "times": np.ones((12, 10), "m8[s]"),
    "dates": np.ones((12, 10), "M8[s]"),
    "objects": IMAGE.astype(object),
    "empty": np.empty((0, 5)),
    "a number": 5.0,
    "lists of different lengths": [[1, 2], [3]],
    "large integers": [[10**400, 1], [2, 3]],
    "a record": np.zeros((12, 10), [("a", "f4")]),
    "void": np.zeros((12, 10), "V8"),
    "a dict": {},
    "a generator": (x for x in [1]),
    "a path": Path("a.tif"),
    "a decimal": decimal.Decimal(3),
    "large": np.full((12, 10), 1e151),
    "large long double": IMAGE.astype(np.longdouble) * np.longdouble("1e200"),
    "small": IMAGE * 1e-200,
}
FUNCTIONS = {
    "denoise": lambda image: denoise(image, sigma=5.0),
    "estimate_noise": estimate_noise,
    "measure_noise": measure_noise,
}


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("name", ODD_IMAGES)
def test_an_odd_image_is_refused(function, name):
    with pytest.raises(DenoiseAEError) as error:
        FUNCTIONS[function](ODD_IMAGES[name])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", [name for name in ODD_IMAGES if name != "small"])
def test_no_noise_is_added_to_an_odd_image(name):
    with pytest.raises(InvalidInputError):
        add_noise(ODD_IMAGES[name], "gaussian:0.1")


LARGE, PAIR = 10**400, np.array([1, 2])
NUMBERS = (
    *(None, LARGE, -1, math.inf, math.nan, "x", b"x", [], (), {}, 1 + 2j, object()),
    *(PAIR, np.timedelta64(1, "s"), [[1, 2], [3]], (1, 2, 3), (None, None)),
    *((0, 10**400), set(), "\0", decimal.Decimal(3), torch.tensor(1.0)),
)
# For each option, the values of NUMBERS that it takes.
TAKEN = {
    "sigma": [None],
    "correlation": [None],
    "strength": [],
    "replace_hot_pixels": [],
    "intensity_range": [None, PAIR],
    "frames": [],
    "tile_size": [None, LARGE],
    "axes": [None],
    "noise_type": [],
    "range_of": [],
    "dtype": [],
    "device": [],
    "precision": [],
    "model": [],
}


@pytest.mark.parametrize("option", TAKEN)
def test_an_odd_option_is_refused(option):
    for value in NUMBERS:
        if any(value is taken for taken in TAKEN[option]):
            continue
        with pytest.raises(DenoiseAEError):
            denoise(IMAGE, **{option: value})


def test_an_odd_argument_of_another_function_is_refused():
    for value in NUMBERS:
        for measure in (psnr, ssim):
            with pytest.raises(InvalidInputError, match="data_range"):
                measure(IMAGE, IMAGE + 1, data_range=value)
        with pytest.raises(DenoiseAEError):
            load_checkpoint(value)
        with pytest.raises(InvalidInputError):
            add_noise(IMAGE, value)
        if value is not None:
            with pytest.raises(InvalidInputError):
                measure_noise(IMAGE, axes=value)
    with pytest.raises(InvalidInputError, match="rng"):
        add_noise(IMAGE, "gaussian:0.1", rng=np.timedelta64(1, "s"))


@pytest.mark.parametrize("measure", [psnr, ssim])
def test_only_real_images_are_compared(measure):
    for image in ("abc", None, IMAGE.astype(complex), np.array("a"), [[1], [2, 3]]):
        with pytest.raises(InvalidInputError):
            measure(image, image, data_range=1.0)
    listed, tensor = IMAGE.tolist(), torch.tensor(IMAGE)
    assert measure(listed, tensor + 1, data_range=9.0) == measure(
        IMAGE, IMAGE + 1, data_range=9.0
    )
    assert math.isnan(ssim(np.array(1.0), np.array(1.0), data_range=1.0))


def test_a_large_data_range_does_not_overflow():
    true, test = np.zeros((4, 4)), np.full((4, 4), 1e120)
    assert psnr(true, test, data_range=1e300) == pytest.approx(3600.0)
    with pytest.raises(InvalidInputError, match="its square overflows"):
        ssim(true, test, data_range=1e300)


def test_the_number_of_ranges_is_checked_for_a_model_that_ignores_them():
    with pytest.raises(InvalidInputError, match="2 pairs, but the image has 1 channel"):
        denoise(IMAGE, intensity_range=((0, 1), (0, 2)))


def test_numbers_and_integers_are_told_from_time_differences_and_truth_values():
    assert [number_of(value) for value in (3, np.float32(0.5), np.int8(2))] == [
        3,
        0.5,
        2,
    ]
    assert all(math.isnan(number_of(value)) for value in (True, "1", np.timedelta64(1)))
    assert is_integer(np.int16(3))
    assert not any(is_integer(value) for value in (True, 3.0, np.timedelta64(3)))


def test_values_beside_nan_are_checked_as_well():
    image = np.array([np.nan, 1.0, 1e151])
    with pytest.raises(InvalidInputError, match=r"beyond 1e\+150"):
        require_finite(image)
    require_finite(image[:2])
    with pytest.raises(InvalidInputError, match="infinite"):
        require_finite(np.array([np.nan, -np.inf]))
