from __future__ import annotations

import pytest

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.noise.compound import Composed, Mixture
from napari_denoise_ae.noise.spec import parse_noise
from napari_denoise_ae.noise.synthetic import (
    Gaussian,
    Poisson,
    PoissonGaussian,
    SaltAndPepper,
    Speckle,
)


@pytest.mark.parametrize(
    ("text", "canonical", "model"),
    [
        ("gaussian:0.5", "gaussian:0.5", Gaussian(0.5)),
        (" gaussian:0.50 ", "gaussian:0.5", Gaussian(0.5)),
        ("gaussian:5e-1", "gaussian:0.5", Gaussian(0.5)),
        ("gaussian:2", "gaussian:2", Gaussian(2.0)),
        ("gaussian:0.1,unclipped", "gaussian:0.1,unclipped", Gaussian(0.1, False)),
        ("gaussian:.1,unclipped", "gaussian:0.1,unclipped", Gaussian(0.1, False)),
        ("gaussian:0..0.30", "gaussian:0..0.3", Gaussian((0.0, 0.3))),
        ("gaussian:1e+1", "gaussian:10", Gaussian(10.0)),
        ("Gaussian: 0.1 , unclipped", "gaussian:0.1,unclipped", Gaussian(0.1, False)),
        ("gaussian:0.1,blur=1.0", "gaussian:0.1,blur=1", Gaussian(0.1, blur=1.0)),
        (
            "gaussian:0.1, unclipped, blur_y = 2, blur_x=0.50",
            "gaussian:0.1,blur_x=0.5,blur_y=2,unclipped",
            Gaussian(0.1, clipped=False, blur_x=0.5, blur_y=2.0),
        ),
        (
            "gaussian:0..0.2,blur=0..1.5+poisson:9",
            "gaussian:0..0.2,blur=0..1.5+poisson:9",
            Composed((Gaussian((0.0, 0.2), blur=(0.0, 1.5)), Poisson(9.0))),
        ),
        ("gaussian:0.1,blur=0", "gaussian:0.1", Gaussian(0.1)),
        ("salt-pepper:0.1", "salt-pepper:0.1", SaltAndPepper(0.1)),
        (
            "salt-pepper:0.1,per-pixel",
            "salt-pepper:0.1,per-pixel",
            SaltAndPepper(0.1, per_pixel=True),
        ),
        ("poisson:100", "poisson:100", Poisson(100.0)),
        (
            "poisson-gaussian:.01,0..0.05,unclipped",
            "poisson-gaussian:0.01,0..0.05,unclipped",
            PoissonGaussian(0.01, (0.0, 0.05), clipped=False),
        ),
        ("speckle:0.2", "speckle:0.2", Speckle(0.2)),
        (
            "gaussian:0.1 + salt-pepper:0.05",
            "gaussian:0.1+salt-pepper:0.05",
            Composed((Gaussian(0.1), SaltAndPepper(0.05))),
        ),
        (
            " 0.60*gaussian:0.1 | .4*gaussian:0.1,blur=1+speckle:0.2",
            "0.6*gaussian:0.1|0.4*gaussian:0.1,blur=1+speckle:0.2",
            Mixture(
                (
                    Gaussian(0.1),
                    Composed((Gaussian(0.1, blur=1.0), Speckle(0.2))),
                ),
                (0.6, 0.4),
            ),
        ),
    ],
)
def test_noise_strings_have_a_canonical_form(text, canonical, model):
    parsed = parse_noise(text)
    assert parsed == model
    assert str(parsed) == canonical
    assert parse_noise(str(parsed)) == parsed


def test_the_canonical_string_keeps_the_amount():
    sigma = 0.123456789
    assert parse_noise(str(Gaussian(sigma))).sigma == sigma


@pytest.mark.parametrize(
    "text",
    [
        "",
        "gaussian",
        "gaussian:",
        ":0.5",
        "0.5",
        "shot:0.5",
        "gaussian:0_1",
        "poisson:1e20",
        "poisson:1e-300",
        "poisson-gaussian:1e-30,0.1",
        "gaussian:1e308,unclipped",
        "gaussian:half",
        "gaussian:0.5,",
        "gaussian:0.5,clip",
        "gaussian:0.5,unclipped,unclipped",
        "gaussian:0.3..0.1",
        "gaussian:0.1..0.1",
        "gaussian:-0.1..0.1",
        "gaussian:0..inf",
        "gaussian:0..nan",
        "gaussian:0.1..0.2..0.3",
        "gaussian:..0.3",
        "gaussian:0.1,0.2",
        "gaussian:0.1+",
        "+gaussian:0.1",
        "gaussian:0.1++speckle:0.1",
        "gaussian:0.1+shot:0.5",
        "salt-pepper:1.01",
        "salt-pepper:0.5..1.5",
        "salt-pepper:0.1,unclipped",
        "poisson:0",
        "poisson:0..100",
        "poisson:10,per-pixel",
        "poisson-gaussian:0.1",
        "poisson-gaussian:0..0.1,0.1",
        "poisson-gaussian:0.1,unclipped",
        "gaussian:0",
        "gaussian:-0.1",
        "gaussian:nan",
        "gaussian:inf",
        "gaussian:0.1,blur",
        "gaussian:0.1,blur=",
        "gaussian:0.1,blur=wide",
        "gaussian:0.1,blur=-1",
        "gaussian:0.1,blur=101",
        "gaussian:0.1,blur=1..0.5",
        "gaussian:0.1,blur_z=1",
        "gaussian:0.1,blur=1,blur=2",
        "gaussian:0.1,unclipped=1",
        "gaussian:0.1,=1",
        "gaussian:blur=1",
        "speckle:0.1,blur=1",
    ],
)
def test_invalid_noise_strings_are_rejected(text):
    with pytest.raises(InvalidInputError) as caught:
        parse_noise(text)
    message = str(caught.value)
    told = ("for example 'gaussian:0.5'", "above 0", "must be a number from")
    assert any(words in message for words in told)


@pytest.mark.parametrize("other", ["blur_x=1", "blur_y=0..1"])
def test_a_blur_along_both_axes_excludes_one_along_a_single_axis(other):
    with pytest.raises(InvalidInputError, match="either blur, along X and Y, or"):
        parse_noise(f"gaussian:0.1,blur=1,{other}")


@pytest.mark.parametrize("text", [None, 5, 0.5, ["gaussian:0.5"]])
def test_a_noise_that_is_not_a_string_is_rejected(text):
    with pytest.raises(InvalidInputError):
        parse_noise(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("gaussian:0.1|speckle:0.1", "write its probability"),
        ("x*gaussian:0.1|0.5*speckle:0.1", "write its probability"),
        ("0.5*gaussian:0.1|", "write its probability"),
        ("0.5*gaussian:0.1|0.5*shot:1", "Cannot parse the noise"),
        ("0.5*gaussian:0.1|0.4*speckle:0.1", "add up to 1, got 0.5 [+] 0.4"),
        ("1*gaussian:0.1|0*speckle:0.1", "above 0"),
        ("2*gaussian:0.1|-1*speckle:0.1", "above 0"),
        ("0.5*gaussian:0.1", "Cannot parse the noise"),
    ],
)
def test_invalid_mixtures_are_rejected(text, told):
    with pytest.raises(InvalidInputError, match=told):
        parse_noise(text)
