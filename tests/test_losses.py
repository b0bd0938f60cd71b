from __future__ import annotations

import pytest
import torch

from napari_denoise_ae.losses import LOSSES


@pytest.mark.parametrize(("name", "expected"), [("mse", 0.0125), ("l1", 0.075)])
def test_losses_against_a_hand_computation(name, expected):
    denoised = torch.tensor([[0.0, 0.5], [0.7, 1.0]])
    clean = torch.tensor([[0.2, 0.5], [0.6, 1.0]])
    assert float(LOSSES[name](denoised, clean)) == pytest.approx(expected)


@pytest.mark.parametrize("name", LOSSES)
def test_equal_images_have_no_loss(name):
    image = torch.rand(2, 3, 4, 4)
    assert float(LOSSES[name](image, image.clone())) == 0
