from __future__ import annotations

import pytest

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.noise.base import amount_fields
from napari_denoise_ae.noise.compound import Composed
from napari_denoise_ae.noise.spec import how_to_write, parse_noise
from napari_denoise_ae.noise.synthetic import (
    NOISE_MODELS,
    Gaussian,
    Poisson,
    PoissonGaussian,
    SaltAndPepper,
    Speckle,
)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Gaussian("0.1"),
        lambda: Gaussian(None),
        lambda: Gaussian([0.0, 0.1]),
        lambda: Gaussian((0.0, 0.1, 0.2)),
        lambda: Gaussian(True),
        lambda: Gaussian(0.1, clipped="no"),
        lambda: Gaussian(0.1, blur=-1.0),
        lambda: Gaussian(0.1, blur=None),
        lambda: Gaussian(0.1, blur=1.0, blur_x=1.0),
        lambda: Composed(()),
        lambda: Composed((Gaussian(0.1),)),
    ],
)
def test_amounts_are_checked_without_a_noise_string(make):
    with pytest.raises(InvalidInputError):
        make()


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (Gaussian(0.5), ["0.5", "of the range", "clipped to the range"]),
        (Gaussian(0.1, clipped=False), ["0.1", "not clipped"]),
        (Gaussian((0.0, 0.3)), ["0 to 0.3 of the range", "for each image"]),
        (SaltAndPepper(0.1), ["0.1 of the values", "by themselves"]),
        (SaltAndPepper(0.1, per_pixel=True), ["together"]),
        (Poisson(30.0), ["30", "at full range"]),
        (
            PoissonGaussian(0.01, 0.05),
            ["gain 0.01", "for each photon", "read noise 0.05 of the range"],
        ),
        (Gaussian(0.1, blur=1.5), ["sigma 0.1 of the range, blur 1.5 px, clipped"]),
        (Gaussian(0.1, blur_x=(0.0, 2.0)), ["blur x 0 to 2 px, drawn for each image"]),
        (Speckle(0.2), ["0.2 of each value"]),
        (Composed((Gaussian(0.1), Speckle(0.2))), ["Gaussian", ", then speckle"]),
    ],
)
def test_the_description_states_amount_unit_and_clipping(model, words):
    assert all(word in model.description for word in words)


@pytest.mark.parametrize("name", NOISE_MODELS)
def test_every_registered_noise_has_an_explanation_and_a_syntax(name):
    model = NOISE_MODELS[name]
    amounts = amount_fields(model)
    text = f"{name}:{','.join(['0.25'] * len(amounts))}"
    assert str(parse_noise(text)) == text
    syntax = how_to_write(model)
    assert syntax.startswith(f"{name}:{amounts[0].name.upper()}")
    assert model.title in parse_noise(text).description
    assert model.explanation.endswith(".")
