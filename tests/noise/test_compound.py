from __future__ import annotations

import pytest
import torch

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.noise.compound import Composed, Mixture
from napari_denoise_ae.noise.synthetic import Gaussian, SaltAndPepper

WEAK, STRONG = Gaussian(0.05, clipped=False), Gaussian(0.2, clipped=False)
BLURRED = Gaussian(0.2, clipped=False, blur=1.0)
CLEAN = torch.full((400, 1, 32, 32), 0.5)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_joined_noises_are_added_one_after_the_other():
    clean = torch.full((1, 1, 300, 300), 0.5, dtype=torch.float64)
    joined = Composed((Gaussian(0.1), SaltAndPepper(0.2)))
    noisy = joined.apply(clean, generator()).numpy()
    extreme = (noisy == 0) | (noisy == 1)
    assert extreme.mean() == pytest.approx(0.2, abs=0.01)
    assert noisy[~extreme].std() == pytest.approx(0.1, rel=0.02)


def test_mixture_draws_one_of_its_noises_for_each_image():
    noisy = Mixture((WEAK, STRONG), (0.3, 0.7)).apply(CLEAN, generator())
    stds = noisy.std(dim=(1, 2, 3))
    weak = stds < 0.1
    assert float(weak.float().mean()) == pytest.approx(0.3, abs=0.06)
    assert stds[weak].mean() == pytest.approx(0.05, rel=0.05)
    assert stds[~weak].mean() == pytest.approx(0.2, rel=0.05)


def test_mixture_tells_the_level_and_correlation_of_the_noise_that_was_drawn():
    mixture = Mixture((WEAK, BLURRED), (0.5, 0.5))
    noisy, told = mixture.apply_with_inputs(CLEAN, generator())
    torch.testing.assert_close(noisy.std(dim=(1, 2, 3)), told[:, 0], rtol=0.2, atol=0.0)
    blurred = told[:, 1] > 0
    torch.testing.assert_close(told[:, 0], torch.where(blurred, 0.2, 0.05))
    assert 0.4 < float(blurred.float().mean()) < 0.6
    noise = noisy - CLEAN
    neighbors = (noise[..., 1:] * noise[..., :-1]).mean(dim=(1, 2, 3))
    expected = (told[:, 1] * told[:, 0])[blurred].mean()
    torch.testing.assert_close(neighbors[blurred].mean(), expected, rtol=0.05, atol=0)


def test_mixture_can_be_told_and_is_white_if_all_its_parts_are():
    assert Mixture((WEAK, STRONG), (0.5, 0.5)).can_be_told
    assert Mixture((WEAK, STRONG), (0.5, 0.5)).is_white
    assert not Mixture((WEAK, BLURRED), (0.5, 0.5)).is_white
    assert not Mixture((WEAK, Gaussian(0.1)), (0.5, 0.5)).can_be_told
    assert not Mixture((WEAK, Composed((WEAK, STRONG))), (0.5, 0.5)).can_be_told


def test_description_names_the_probabilities():
    text = Mixture((WEAK, STRONG), (0.25, 0.75)).description
    assert text.startswith("25% Gaussian noise, sigma 0.05")
    assert "; or 75% Gaussian noise, sigma 0.2" in text


@pytest.mark.parametrize(
    ("parts", "weights"),
    [((WEAK,), (1.0,)), ((WEAK, STRONG), (1.0,)), ((WEAK, STRONG), (0.5, 0.6))],
)
def test_parts_need_weights_that_add_up_to_1(parts, weights):
    with pytest.raises(InvalidInputError):
        Mixture(parts, weights)
