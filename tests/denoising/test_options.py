import inspect
import json
from dataclasses import fields

import numpy as np
import pytest

from napari_denoise_ae import denoise
from napari_denoise_ae.denoising.options import DenoiseKeywords, DenoiseOptions
from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.image.intensity import IntensityRange
from napari_denoise_ae.noise.setting import NoiseSetting

NAMES = [field.name for field in fields(DenoiseOptions)]


def test_the_options_and_their_keywords_are_the_same():
    assert DenoiseKeywords.__annotations__.keys() == set(NAMES)
    written = {
        name: str(field) for name, field in DenoiseKeywords.__annotations__.items()
    }
    for field in fields(DenoiseOptions):
        assert f"'{field.type}'" in written[field.name]


def test_denoise_shows_and_explains_every_option():
    shown = inspect.signature(denoise).parameters
    assert list(shown) == ["image", "model", "channel_axis", *NAMES]
    for field in fields(DenoiseOptions):
        assert shown[field.name].default == field.default
        assert f"\n    {field.name} : " in denoise.__doc__


def test_nothing_differs_from_the_defaults_at_first():
    assert DenoiseOptions().non_defaults() == {}
    assert DenoiseOptions(strength=1, intensity_range=None).non_defaults() == {}


@pytest.mark.parametrize(
    "given",
    [
        (0, 4095),
        [0, 4095],
        np.array([0, 4095]),
        [(0, 4095)],
        (np.uint16(0), np.float32(4095)),
    ],
)
def test_a_range_is_a_plain_pair(given):
    options = DenoiseOptions(intensity_range=given)
    assert options.non_defaults() == {"intensity_range": (0.0, 4095.0)}
    assert json.dumps(options.intensity_range) == "[0.0, 4095.0]"


def test_channels_have_a_plain_pair_each():
    options = DenoiseOptions(intensity_range=np.array([[0, 1], [2, 3]]))
    assert options.intensity_range == ((0.0, 1.0), (2.0, 3.0))
    assert hash(options) == hash(DenoiseOptions(intensity_range=[(0, 1), (2, 3)]))


def test_a_range_that_is_one_is_kept():
    scale = IntensityRange(1.0, 1.0)
    assert DenoiseOptions(intensity_range=scale).intensity_range is scale


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sigma": -1.0}, "sigma must be"),
        ({"noise_type": "speckle"}, "noise_type must be one of"),
        ({"strength": 11}, "strength must be"),
        ({"axes": "YQ"}, "made of the letters"),
        ({"axes": "TT"}, "must have Y and X"),
        ({"axes": 3}, "must be a string"),
        ({"intensity_range": (1, 0)}, "the lower first"),
        ({"intensity_range": [(0, 1), (1, 0)]}, "the lower first"),
        ({"intensity_range": []}, "two finite numbers"),
        ({"range_of": "channel"}, "range_of must be one of stack, image"),
        ({"frames": -1}, "frames must be an integer from 0 to 8, .* got -1"),
        ({"frames": 9}, "from 0 to 8"),
        ({"frames": 1.0}, "frames must be an integer"),
        ({"frames": True}, "frames must be an integer"),
        ({"dtype": "float64"}, "dtype must be one of input, float32, got 'float64'"),
        ({"dtype": np.float32}, "dtype must be one of input, float32"),
        ({"precision": "float16"}, "precision must be one of fast, float32, got 'flo"),
        ({"tile_size": 0}, "tile_size must be"),
    ],
)
def test_options_are_checked_without_image_and_model(options, words):
    with pytest.raises(InvalidInputError, match=words):
        DenoiseOptions(**options)


def test_only_what_decides_the_result_is_of_it():
    options = DenoiseOptions(
        axes="tyx",
        strength=0.5,
        range_of="image",
        frames=2,
        dtype="float32",
        precision="float32",
        device="cpu",
        tile_size=64,
    )
    of_result = {
        "axes": "TYX",
        "strength": 0.5,
        "range_of": "image",
        "frames": 2,
        "dtype": "float32",
        "precision": "float32",
    }
    assert options.of_result() == of_result
    assert options.non_defaults() == of_result | {"device": "cpu", "tile_size": 64}


@pytest.mark.parametrize("dtype", ["uint8", "float16", "float64"])
def test_the_result_has_the_dtype_of_the_image_or_float32(dtype):
    given = np.dtype(dtype)
    assert DenoiseOptions().result_dtype(given) == given
    assert DenoiseOptions(dtype="float32").result_dtype(given) == np.float32


def test_the_noise_is_a_setting_of_its_own():
    options = DenoiseOptions(sigma=3.0, strength=0.5, axes="YX")
    assert options.noise == NoiseSetting(sigma=3.0, strength=0.5)
    assert options.without_noise() == DenoiseOptions(axes="YX")
    assert options.noise.for_measuring == NoiseSetting(sigma=3.0)
