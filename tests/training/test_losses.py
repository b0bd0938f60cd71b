from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity as skimage_ssim

from napari_denoise_ae.training.losses import LOSSES, make_loss, structural_similarity


def images(seed: int, noise: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return noisy images and smooth clean ones, (3, 3, 32, 40)."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand((3, 3, 8, 10), generator=generator)
    clean = torch.nn.functional.interpolate(coarse, scale_factor=4, mode="bilinear")
    noisy = clean + noise * torch.randn(clean.shape, generator=generator)
    return noisy.clamp(0, 1), clean


@pytest.mark.parametrize(("name", "expected"), [("mse", 0.0125), ("l1", 0.075)])
def test_losses_equal_values_computed_by_hand(name, expected):
    denoised = torch.tensor([[0.0, 0.5], [0.7, 1.0]])
    clean = torch.tensor([[0.2, 0.5], [0.6, 1.0]])
    assert float(LOSSES[name](denoised, clean)) == pytest.approx(expected)


def test_psnr_loss_is_the_mean_distance_to_50_db():
    clean = torch.zeros(2, 1, 8, 8)
    at_20_and_40_db = torch.tensor([0.1, 0.01]).view(2, 1, 1, 1).expand_as(clean)
    found = float(LOSSES["psnr"](at_20_and_40_db, clean))
    assert found == pytest.approx(((50 - 20) + (50 - 40)) / 2, abs=0.25)
    far_off = float(LOSSES["psnr"](clean + 1.0, clean))
    assert far_off == pytest.approx(50, abs=1e-3)


@pytest.mark.parametrize("name", LOSSES)
def test_loss_of_equal_images_is_zero(name):
    image = torch.rand(2, 3, 12, 9)
    loss = make_loss(name, ssim_weight=0.5)
    assert float(loss(image, image.clone())) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("noise", [0.01, 0.1, 0.5])
def test_structural_similarity_equals_that_of_scikit_image(noise):
    noisy, clean = images(0, noise)
    expected = [
        skimage_ssim(a.numpy(), b.numpy(), data_range=1.0, channel_axis=0)
        for a, b in zip(noisy, clean, strict=True)
    ]
    found = float(structural_similarity(noisy, clean))
    assert found == pytest.approx(np.mean(expected), abs=1e-4)
    assert found < 0.999


@pytest.mark.parametrize("ssim_weight", [0.1, 0.7])
def test_mse_ssim_is_a_weighted_sum(ssim_weight):
    noisy, clean = images(1, 0.2)
    squared = float((noisy - clean).square().mean())
    dissimilarity = 1 - float(structural_similarity(noisy, clean))
    found = float(make_loss("mse_ssim", ssim_weight=ssim_weight)(noisy, clean))
    expected = (1 - ssim_weight) * squared + ssim_weight * dissimilarity
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_gradient_descent_lowers_the_loss(name):
    noisy, clean = images(2, 0.2)
    loss = make_loss(name, ssim_weight=0.5)
    noisy.requires_grad_()
    before = loss(noisy, clean)
    before.backward()
    assert torch.isfinite(noisy.grad).all()
    step = 1e-3 * noisy.grad / noisy.grad.abs().max()
    assert loss(noisy.detach() - step, clean) < before
