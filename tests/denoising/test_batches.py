"""Images of any size and number of channels as batches of a network, and back."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_denoise_ae.denoising.batches import (
    add_noise_inputs,
    images_of_batch,
    make_batch,
    pad_end,
)
from napari_denoise_ae.models.networks.registry import build_network


@pytest.mark.parametrize("n_images", [1, 4])
@pytest.mark.parametrize(
    ("channels", "wanted", "n_in_batch"), [(1, 1, 1), (3, 3, 1), (1, 3, 1), (3, 1, 3)]
)
def test_a_batch_becomes_images_again(n_images, channels, wanted, n_in_batch):
    network = build_network("conv", {"in_channels": wanted})
    unit = torch.rand(5, 6, n_images * channels, dtype=torch.float64)
    batch = make_batch(unit, n_images, network)
    assert batch.shape == (n_images * n_in_batch, wanted, 5, 6)
    assert batch.dtype == torch.float32
    images = images_of_batch(batch, unit, n_images)
    torch.testing.assert_close(images, unit, rtol=0, atol=1e-6)


def test_colors_of_a_gray_image_are_averaged():
    unit = torch.zeros(5, 6, 2)
    output = torch.arange(6.0).reshape(2, 3, 1, 1).expand(2, 3, 5, 6)
    images = images_of_batch(output, unit, 2)
    assert images[0, 0].tolist() == [1.0, 4.0]


def test_noise_is_told_as_a_value_or_a_map():
    batch, level = torch.rand(2, 1, 3, 4), torch.rand(3, 4, dtype=torch.float64)
    told = add_noise_inputs(batch, [0.5, level])
    assert told.shape == (2, 3, 3, 4)
    assert (told[:, 1] == 0.5).all()
    torch.testing.assert_close(told[1, 2], level.float())


@pytest.mark.parametrize("side", [1, 3, 8, 9, 15])
def test_sides_are_padded_by_reflection(side):
    network = build_network("conv", {})
    batch = torch.rand(1, 3, side, 8)
    wanted = -(-side // 8) * 8
    expected = np.pad(batch, [(0, 0), (0, 0), (0, wanted - side), (0, 0)], "reflect")
    np.testing.assert_array_equal(pad_end(batch, network), expected)
