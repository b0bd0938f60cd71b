from __future__ import annotations

import pytest
import torch

from napari_denoise_ae.training.augmentation import random_flip
from napari_denoise_ae.training.patterns import add_stripes, make_dead_leaves


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(n_images: int = 400, channels: int = 1, side: int = 32) -> torch.Tensor:
    return torch.rand((n_images, channels, side, side), generator=generator(1))


def test_about_half_of_the_images_are_partly_striped():
    clean = torch.full((400, 1, 32, 32), 0.5)
    change = add_stripes(clean, generator()) - clean
    covered = (change != 0).double().mean(dim=(1, 2, 3))
    striped = covered > 0
    assert 0.4 < striped.double().mean() < 0.6
    assert (covered[striped] < 1).any()
    assert change.abs().max() <= 0.3 + 1e-6
    assert change.abs().amax(dim=(1, 2, 3))[striped].max() > 0.2


def test_stripes_have_both_signs():
    change = add_stripes(torch.zeros((200, 1, 64, 64)), generator())[:, 0]
    for image in change[change.abs().amax(dim=(1, 2)) > 0]:
        assert image.max() > 0
        assert image.min() < 0


def test_stripes_are_curved(monkeypatch):
    def count_bent() -> int:
        """Count images whose dominant frequency differs between the two halves."""
        changes = add_stripes(torch.zeros((200, 1, 64, 64)), generator())[:, 0]
        left, right = (torch.fft.rfft2(half).abs() for half in changes.chunk(2, dim=2))
        return int((left.flatten(1).argmax(1) != right.flatten(1).argmax(1)).sum())

    n_bent = count_bent()
    monkeypatch.setattr("napari_denoise_ae.training.patterns._BENDS", (0.0, 1e-9))
    # Straight stripes count too if their disc lies in one half.
    assert n_bent > 1.5 * count_bent()


def test_stripes_have_the_same_sign_but_another_amplitude_in_each_channel():
    change = add_stripes(torch.zeros((50, 3, 32, 32)), generator())
    red, green = change[:, 0], change[:, 1]
    assert torch.equal(red.sign(), green.sign())
    assert not torch.allclose(red, green)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("n_images", "n_made"), [(16, 4), (9, 2), (1, 1)])
def test_dead_leaves_are_a_fourth_as_many_at_twice_the_size(n_images, n_made, channels):
    dead_leaves = make_dead_leaves(images(n_images, channels), generator())
    assert dead_leaves.shape == (n_made, channels, 64, 64)
    assert dead_leaves.min() >= 0
    assert dead_leaves.max() <= 1


def test_dead_leaves_have_long_edges_and_large_smooth_areas():
    plain = torch.rand((64, 1, 1, 1), generator=generator()).expand(64, 1, 32, 32)
    steps = make_dead_leaves(plain, generator()).diff(dim=-1).abs()
    assert (steps < 1e-4).double().mean() > 0.7
    edges = (steps > 0.05).double().mean(dim=(1, 2, 3))
    assert (edges > 0.01).double().mean() > 0.7


def test_dead_leaves_contain_several_magnifications():
    """Stripes of equal width become up to four times as wide."""
    x = torch.arange(32)
    striped = (x // 4 % 2).to(torch.float32).expand(400, 1, 32, 32)
    dead_leaves = make_dead_leaves(striped, generator())[:, 0]
    crossings = (dead_leaves.diff(dim=-1).abs() > 0.02).double().mean(dim=(1, 2))
    assert crossings.max() > 2 * crossings.min()
    assert dead_leaves.std() > 0.1


@pytest.mark.parametrize("function", [random_flip, add_stripes, make_dead_leaves])
def test_seed_determines_the_result_and_the_input_is_unchanged(function):
    clean = images(20)
    before = clean.clone()
    assert torch.equal(function(clean, generator(3)), function(clean, generator(3)))
    assert not torch.equal(function(clean, generator(3)), function(clean, generator(4)))
    assert torch.equal(clean, before)
