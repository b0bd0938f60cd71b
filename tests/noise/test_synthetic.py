from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.noise.base import NoiseModel, amount_fields
from napari_denoise_ae.noise.spec import how_to_write, parse_noise
from napari_denoise_ae.noise.synthetic import (
    NOISE_MODELS,
    Composed,
    Gaussian,
    Poisson,
    PoissonGaussian,
    SaltAndPepper,
    Speckle,
)

N_VALUES = 400_000
# Five standard errors of the mean of that many values with this sigma.
TOLERANCE = 5 / np.sqrt(N_VALUES)


# One string of each kind, with and without its flag, and what can be joined.
EXAMPLES = [
    "gaussian:0.5",
    "gaussian:0.5,unclipped",
    "gaussian:0..0.3",
    "salt-pepper:0.1",
    "salt-pepper:0.1,per-pixel",
    "salt-pepper:0.05..0.5",
    "poisson:30",
    "poisson:5..50,unclipped",
    "poisson-gaussian:0.02,0.05",
    "poisson-gaussian:0.001..0.02,0.05,unclipped",
    "speckle:0.2",
    "speckle:0.2,unclipped",
    "gaussian:0.1+salt-pepper:0.05",
    "poisson:20..40+gaussian:0.01,unclipped+salt-pepper:0.01,per-pixel",
]


def noisy_values(model: NoiseModel, level: float, seed: int = 0) -> np.ndarray:
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


@pytest.mark.parametrize("photons", [0.5, 10.0, 1000.0])
@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_poisson_noise_has_the_moments_of_the_poisson_distribution(photons, level):
    values = noisy_values(Poisson(photons, clipped=False), level)
    counts = values * photons
    np.testing.assert_allclose(counts, counts.round(), atol=1e-9 * photons)
    law = stats.poisson(level * photons)
    deviation = law.std() / photons
    assert values.mean() == pytest.approx(level, abs=TOLERANCE * deviation)
    assert values.std() == pytest.approx(deviation, rel=4 * TOLERANCE)
    if level:
        assert stats.skew(values) == pytest.approx(law.stats("s"), rel=0.05, abs=0.03)


@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_poisson_gaussian_noise_has_the_variance_of_a_camera(level):
    gain, read_noise = 0.02, 0.05
    values = noisy_values(PoissonGaussian(gain, read_noise, clipped=False), level)
    variance = gain * level + read_noise**2
    assert values.mean() == pytest.approx(level, abs=TOLERANCE * np.sqrt(variance))
    assert values.var() == pytest.approx(variance, rel=3 * TOLERANCE)


@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_speckle_grows_with_the_signal(level):
    values = noisy_values(Speckle(0.2, clipped=False), level)
    assert values.mean() == pytest.approx(level, abs=TOLERANCE * 0.2)
    assert values.std() == pytest.approx(0.2 * level, rel=TOLERANCE)


@pytest.mark.parametrize("amount", [0.1, 0.3, 1.0])
@pytest.mark.parametrize("level", [0.2, 0.7])
def test_salt_and_pepper_replaces_its_share_half_by_black_half_by_white(amount, level):
    values = noisy_values(SaltAndPepper(amount), level)
    share = np.sqrt(amount * (1 - amount) + 1e-12)
    assert (values == 0).mean() == pytest.approx(amount / 2, abs=TOLERANCE)
    assert (values == 1).mean() == pytest.approx(amount / 2, abs=TOLERANCE)
    assert (values == level).mean() == pytest.approx(1 - amount, abs=TOLERANCE * share)
    mean = (1 - amount) * level + amount / 2
    variance = (1 - amount) * level**2 + amount / 2 - mean**2
    assert values.mean() == pytest.approx(mean, abs=TOLERANCE)
    assert values.var() == pytest.approx(variance, rel=2 * TOLERANCE)


@pytest.mark.parametrize("channel_axis", [1, -1])
def test_salt_and_pepper_hits_values_or_whole_pixels(channel_axis):
    shape = (1, 3, 100, 100) if channel_axis == 1 else (1, 100, 100, 3)
    clean = torch.full(shape, 0.5)

    def hit_colors(model: SaltAndPepper) -> np.ndarray:
        noisy = model.apply(
            clean, torch.Generator().manual_seed(0), channel_axis=channel_axis
        )
        return (noisy != 0.5).sum(dim=channel_axis).numpy()

    assert set(np.unique(hit_colors(SaltAndPepper(0.3, per_pixel=True)))) == {0, 3}
    assert set(np.unique(hit_colors(SaltAndPepper(0.3)))) == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("gaussian:0.1..0.5,unclipped", 0.1, 0.5),
        ("gaussian:0..0.3,unclipped", 0.0, 0.3),
        ("speckle:0.1..0.5,unclipped", 0.1, 0.5),
    ],
)
def test_a_range_draws_a_level_for_each_image(text, low, high):
    clean = torch.ones((300, 1, 40, 40), dtype=torch.float64)
    noisy = parse_noise(text).apply(clean, torch.Generator().manual_seed(0))
    levels = (noisy - clean).std(dim=(1, 2, 3)).numpy()
    # A standard deviation of 1,600 values is known to 1.8 %, one in six worse.
    assert levels.min() >= low * 0.9
    assert levels.max() <= high * 1.1
    # The law of the levels is uniform over the range.
    assert levels.mean() == pytest.approx((low + high) / 2, abs=0.03)
    assert levels.std() == pytest.approx((high - low) / np.sqrt(12), rel=0.15)


def test_ranges_of_photons_and_of_amounts_differ_from_image_to_image():
    clean = torch.full((100, 1, 50, 50), 0.5, dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    counted = parse_noise("poisson:10..100,unclipped").apply(clean, generator)
    photons = 0.5 / counted.var(dim=(1, 2, 3))
    assert 8 < photons.min() < 20
    assert 80 < photons.max() < 130
    hit = parse_noise("salt-pepper:0.1..0.9").apply(clean, generator) != 0.5
    shares = hit.double().mean(dim=(1, 2, 3))
    assert 0.05 < shares.min() < 0.2
    assert 0.8 < shares.max() < 0.95


def test_joined_noises_are_added_one_after_the_other():
    clean = torch.full((1, 1, 300, 300), 0.5, dtype=torch.float64)
    joined = Composed((Gaussian(0.1), SaltAndPepper(0.2)))
    noisy = joined.apply(clean, torch.Generator().manual_seed(0)).numpy()
    extreme = (noisy == 0) | (noisy == 1)
    assert extreme.mean() == pytest.approx(0.2, abs=0.01)
    assert noisy[~extreme].std() == pytest.approx(0.1, rel=0.02)


@pytest.mark.parametrize("text", [t for t in EXAMPLES if "unclipped" not in t])
def test_clipped_noise_stays_in_the_range(text):
    clean = torch.rand((4, 3, 20, 20), generator=torch.Generator().manual_seed(1))
    noisy = parse_noise(text).apply(clean, torch.Generator())
    assert noisy.min() >= 0
    assert noisy.max() <= 1
    assert (noisy != clean).any()


def test_values_are_independent_of_each_other():
    noise = noisy_values(Gaussian(0.5, clipped=False), 0.5)
    assert np.corrcoef(noise[1:], noise[:-1])[0, 1] == pytest.approx(0, abs=0.01)


def test_the_same_seed_gives_the_same_noise_and_another_seed_other_noise():
    model = Gaussian(0.5)
    first = noisy_values(model, 0.5, seed=1)
    np.testing.assert_array_equal(first, noisy_values(model, 0.5, seed=1))
    assert (first != noisy_values(model, 0.5, seed=2)).mean() > 0.5


@pytest.mark.parametrize("text", EXAMPLES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_input_is_not_modified_and_dtype_and_shape_are_kept(dtype, text):
    clean = torch.rand((2, 3, 4, 5), dtype=dtype)
    before = clean.clone()
    noisy = parse_noise(text).apply(clean, torch.Generator())
    assert torch.equal(clean, before)
    assert noisy.dtype == dtype
    assert noisy.shape == clean.shape


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_noise_follows_the_seed(text):
    clean = torch.rand((2, 3, 8, 8), generator=torch.Generator().manual_seed(1))

    def noisy(seed: int) -> torch.Tensor:
        return parse_noise(text).apply(clean, torch.Generator().manual_seed(seed))

    assert torch.equal(noisy(1), noisy(1))
    assert not torch.equal(noisy(1), noisy(2))


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
        ("gaussian:0..0.30", "gaussian:0..0.3", Gaussian((0.0, 0.3))),
        ("gaussian:1e+1", "gaussian:10", Gaussian(10.0)),
        ("Gaussian: 0.1 , unclipped", "gaussian:0.1,unclipped", Gaussian(0.1, False)),
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
    ],
)
def test_bad_noise_strings_are_refused(text):
    with pytest.raises(InvalidInputError) as caught:
        parse_noise(text)
    message = str(caught.value)
    told = ("for example 'gaussian:0.5'", "above 0", "must be a number from")
    assert any(words in message for words in told)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Gaussian("0.1"),
        lambda: Gaussian(None),
        lambda: Gaussian([0.0, 0.1]),
        lambda: Gaussian((0.0, 0.1, 0.2)),
        lambda: Gaussian(True),
        lambda: Gaussian(0.1, clipped="no"),
        lambda: Composed(()),
        lambda: Composed((Gaussian(0.1),)),
    ],
)
def test_a_noise_model_made_by_hand_is_checked_too(make):
    with pytest.raises(InvalidInputError):
        make()


@pytest.mark.parametrize("text", [None, 5, 0.5, ["gaussian:0.5"]])
def test_a_noise_that_is_no_text_is_refused(text):
    with pytest.raises(InvalidInputError):
        parse_noise(text)


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
        (Speckle(0.2), ["0.2 of each value"]),
        (Composed((Gaussian(0.1), Speckle(0.2))), ["Gaussian", ", then speckle"]),
    ],
)
def test_the_description_states_amount_unit_and_clipping(model, words):
    assert all(word in model.description for word in words)


@pytest.mark.parametrize("name", NOISE_MODELS)
def test_every_registered_noise_says_what_it_is_and_how_it_is_written(name):
    model = NOISE_MODELS[name]
    amounts = amount_fields(model)
    text = f"{name}:{','.join(['0.25'] * len(amounts))}"
    assert str(parse_noise(text)) == text
    way = how_to_write(model)
    assert way.startswith(f"{name}:{amounts[0].name.upper()}")
    assert model.title in parse_noise(text).description
    assert model.explanation.endswith(".")
