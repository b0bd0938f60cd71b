from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.noise import NOISE_MODELS, Gaussian, parse_noise

N_VALUES = 400_000
# Five standard errors of the mean of that many values with this sigma.
TOLERANCE = 5 / np.sqrt(N_VALUES)


def noisy_values(model: Gaussian, level: float, seed: int = 0) -> np.ndarray:
    clean = torch.full((N_VALUES,), level, dtype=torch.float64)
    return model.apply(clean, torch.Generator().manual_seed(seed)).numpy()


@pytest.mark.parametrize("sigma", [0.01, 0.5, 2.0])
@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_unclipped_noise_has_the_moments_of_the_normal_distribution(sigma, level):
    noise = noisy_values(Gaussian(sigma, clipped=False), level) - level
    assert noise.mean() == pytest.approx(0.0, abs=TOLERANCE * sigma)
    assert noise.std() == pytest.approx(sigma, rel=TOLERANCE)
    assert stats.skew(noise) == pytest.approx(0.0, abs=0.03)
    assert stats.kurtosis(noise) == pytest.approx(0.0, abs=0.06)


@pytest.mark.parametrize("sigma", [0.1, 0.5, 2.0])
@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_clipped_noise_has_the_moments_of_the_clipped_normal_distribution(sigma, level):
    values = noisy_values(Gaussian(sigma), level)
    within = stats.norm(level, sigma)
    first = within.expect(lambda x: x, lb=0, ub=1) + within.sf(1.0)
    second = within.expect(lambda x: x**2, lb=0, ub=1) + within.sf(1.0)
    assert values.min() >= 0
    assert values.max() <= 1
    assert values.mean() == pytest.approx(first, abs=TOLERANCE)
    assert values.std() == pytest.approx(np.sqrt(second - first**2), abs=TOLERANCE)


def test_values_are_independent_of_each_other():
    noise = noisy_values(Gaussian(0.5, clipped=False), 0.5)
    assert np.corrcoef(noise[1:], noise[:-1])[0, 1] == pytest.approx(0, abs=0.01)


def test_the_same_seed_gives_the_same_noise_and_another_seed_other_noise():
    model = Gaussian(0.5)
    first = noisy_values(model, 0.5, seed=1)
    np.testing.assert_array_equal(first, noisy_values(model, 0.5, seed=1))
    assert (first != noisy_values(model, 0.5, seed=2)).mean() > 0.5


@pytest.mark.parametrize("clipped", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_input_is_not_modified_and_dtype_and_shape_are_kept(dtype, clipped):
    clean = torch.rand((2, 3, 4, 5), dtype=dtype)
    before = clean.clone()
    noisy = Gaussian(0.5, clipped=clipped).apply(clean, torch.Generator())
    assert torch.equal(clean, before)
    assert noisy.dtype == dtype
    assert noisy.shape == clean.shape


def test_the_global_generator_is_left_alone():
    state = torch.get_rng_state()
    noisy_values(Gaussian(0.5), 0.5)
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize(
    ("text", "canonical", "model"),
    [
        ("gaussian:0.5", "gaussian:0.5", Gaussian(0.5)),
        (" gaussian:0.50 ", "gaussian:0.5", Gaussian(0.5)),
        ("gaussian:5e-1", "gaussian:0.5", Gaussian(0.5)),
        ("gaussian:2", "gaussian:2", Gaussian(2.0)),
        ("gaussian:0.1,unclipped", "gaussian:0.1,unclipped", Gaussian(0.1, False)),
        ("gaussian:.1,unclipped", "gaussian:0.1,unclipped", Gaussian(0.1, False)),
    ],
)
def test_noise_strings_are_read_and_written_in_one_way(text, canonical, model):
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
        "poisson:0.5",
        "Gaussian:0.5",
        "gaussian:half",
        "gaussian:0.5,",
        "gaussian:0.5,clip",
        "gaussian:0.5,unclipped,unclipped",
        "gaussian:0..0.3",
        "gaussian:0",
        "gaussian:-0.1",
        "gaussian:nan",
        "gaussian:inf",
    ],
)
def test_bad_noise_strings_are_refused(text):
    with pytest.raises(InvalidInputError) as caught:
        parse_noise(text)
    message = str(caught.value)
    assert "gaussian:0.5" in message or "above 0" in message


@pytest.mark.parametrize("text", [None, 5, 0.5, ["gaussian:0.5"]])
def test_a_noise_that_is_no_text_is_refused(text):
    with pytest.raises(InvalidInputError):
        parse_noise(text)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (Gaussian(0.5), ["0.5", "of the range", "clipped to the range"]),
        (Gaussian(0.1, clipped=False), ["0.1", "not clipped"]),
    ],
)
def test_the_description_states_amount_unit_and_clipping(model, words):
    assert all(word in model.description for word in words)


def test_registered_names_are_those_that_can_be_parsed():
    for name in NOISE_MODELS:
        assert str(parse_noise(f"{name}:0.25")) == f"{name}:0.25"
