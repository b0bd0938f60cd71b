from __future__ import annotations

import numpy as np
import pytest
import torch
from noisy_sources import KINDS, config_of, make_source
from synthetic import CPU

from napari_denoise_ae.training.images.open import open_images
from napari_denoise_ae.training.sources.clean import CleanPatchSource
from napari_denoise_ae.training.sources.previews import choose_previews


def patches(contrasts, *, noise=0.0) -> torch.Tensor:
    """Return patches, the left and right halves of which differ."""
    generator = torch.Generator().manual_seed(0)
    halves = torch.ones(1, 1, 16, 16)
    halves[..., :8] = -1.0
    found = torch.tensor(contrasts).reshape(-1, 1, 1, 1) * halves
    return found + noise * torch.randn(found.shape, generator=generator)


def test_flat_patches_are_not_chosen():
    contrasts = [0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 2.0, 0.0]
    assert choose_previews(patches(contrasts), 2) == [2, 6]


def test_noise_is_not_taken_for_contrast():
    noisy = patches([0.0, 0.0, 0.5, 0.0], noise=0.2)
    noisy[0] *= 3.0
    assert choose_previews(noisy, 1) == [2]


def test_different_parts_of_the_patches_are_shown():
    contrasts = [9.0, 9.0, 8.0, 0.0, 0.0, 0.0, 0.0, 2.0]
    assert choose_previews(patches(contrasts), 2) == [0, 2]
    contrasts = [9.0, 8.0, 0.0, 0.0, 0.0, 0.0, 5.0, 6.0]
    assert choose_previews(patches(contrasts), 2) == [0, 7]


def test_few_patches_are_all_chosen():
    assert choose_previews(patches([1.0, 0.0, 2.0]), 8) == [0, 1, 2]


def test_equal_patches_are_chosen_evenly():
    assert choose_previews(patches([0.0] * 4), 2) == [0, 2]


def test_patches_smaller_than_a_block_are_chosen():
    assert choose_previews(torch.rand(2, 1, 3, 3), 1) in ([0], [1])


@pytest.mark.parametrize("kind", ["images", *KINDS])
def test_examples_of_every_source_show_something(kind):
    source = half_flat_source(kind)
    first, again = source.examples(2), source.examples(2)
    assert torch.equal(first.noisy, again.noisy)
    shown = contrast(first)
    assert len(shown) == 2
    flattest = min(contrast(batch).min() for batch in source.validation())
    assert (shown > 2 * flattest).all()


def half_flat_source(kind: str):
    """Return a source of an image whose upper half shows nothing."""
    clean = np.full((64, 256), 100.0, np.float32)
    clean[32:] += 80.0 * np.sin(np.arange(256) / 5.0)
    noise = 5.0 * np.random.default_rng(0).standard_normal((3, 64, 256))
    noisy = (clean + noise).astype(np.float32)
    if kind == "images":
        config = config_of(batch_size=8)
        return CleanPatchSource(open_images(clean), config, CPU.device)
    given = {"pairs": (noisy[0], clean), "repeats": noisy}
    return make_source(kind, given.get(kind, noisy[0]), batch_size=8)


def contrast(batch) -> torch.Tensor:
    return torch.nn.functional.avg_pool2d(batch.noisy, 8).std(dim=(1, 2, 3))
