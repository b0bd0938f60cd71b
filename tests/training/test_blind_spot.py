from __future__ import annotations

import pytest
import torch
from torch.nn.functional import max_pool2d

from napari_denoise_ae.noise.blur import blur_of_correlation, blurred_normal
from napari_denoise_ae.training.blind_spot import BlindSpots, extent_of_correlation


def numbered(n=2, channels=1, height=20, width=26):
    """Return images whose values are all different."""
    values = torch.arange(n * channels * height * width, dtype=torch.float32)
    return values.reshape(n, channels, height, width)


def hide(spots, images, seed=0):
    return spots.hide(images, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("spacing", [3, 4])
def test_each_square_has_one_blind_spot(spacing):
    images = numbered(height=12, width=24)
    _, spots = hide(BlindSpots(spacing), images)
    assert spots.shape == (2, 1, 12, 24)
    squares = spots.reshape(2, 12 // spacing, spacing, 24 // spacing, spacing)
    assert squares.sum(dim=(2, 4)).eq(1).all()
    assert not torch.equal(spots[0], spots[1])


def test_every_pixel_becomes_a_blind_spot_equally_often():
    images = torch.zeros((4000, 1, 8, 8))
    _, spots = hide(BlindSpots(4), images)
    frequency = spots.float().mean(dim=(0, 1))
    torch.testing.assert_close(frequency, torch.full((8, 8), 1 / 16), atol=0.02, rtol=0)


@pytest.mark.parametrize("extent", [(0, 0), (0, 2), (1, 1), (6, 6)])
def test_only_blind_spots_and_what_shares_their_noise_are_replaced(extent):
    images = numbered(height=40, width=33)
    hidden, spots = hide(BlindSpots(8, extent), images)
    sides = [2 * each + 1 for each in extent]
    around = max_pool2d(spots.float(), sides, stride=1, padding=extent) > 0
    changed = hidden != images
    torch.testing.assert_close(changed, around)


def test_replacements_are_neighbors_and_never_the_pixel_itself():
    images = numbered()
    hidden, spots = hide(BlindSpots(2), images)
    numbers = hidden[spots].long()
    rows, columns = numbers % (20 * 26) // 26, numbers % 26
    _, _, own_rows, own_columns = spots.nonzero(as_tuple=True)
    distance = torch.maximum((rows - own_rows).abs(), (columns - own_columns).abs())
    assert distance.min() == 1
    assert distance.max() == 2


def test_replacements_share_no_noise_with_the_blind_spot():
    spots = BlindSpots(8, (0, 3))
    for y, x in spots.offsets():
        # Wherever among the hidden pixels the replaced one is.
        assert all(abs(x + place) > 3 or y for place in range(-3, 4))


def test_all_channels_of_a_pixel_are_hidden_together():
    images = numbered(channels=3)
    hidden, spots = hide(BlindSpots(4), images)
    changed = hidden != images
    assert changed.eq(spots).all()
    # From the same neighbor.
    steps = (hidden - images)[:, 1:] - (hidden - images)[:, :1]
    assert steps.eq(0).all()


def test_the_seed_decides_and_images_are_not_modified():
    images = numbered()
    first, again = (hide(BlindSpots(4), images, seed=3) for _ in range(2))
    torch.testing.assert_close(first, again)
    assert not torch.equal(first[1], hide(BlindSpots(4), images, seed=4)[1])
    torch.testing.assert_close(images, numbered())


@pytest.mark.parametrize(
    ("correlation", "extent"),
    [((0.0, 0.0), (0, 0)), ((0.6, 0.05), (0, 2)), ((0.78, 0.78), (3, 3))],
)
def test_the_extent_covers_correlated_pixels(correlation, extent):
    assert extent_of_correlation(correlation) == extent


def test_pixels_beyond_the_extent_are_nearly_independent():
    blur = blur_of_correlation(0.7)
    clean = torch.zeros((1, 1, 300, 300))
    noise, _ = blurred_normal(clean, torch.Generator().manual_seed(0), 0.0, blur)
    _, extent = extent_of_correlation((0.7, 0.0))
    apart = (noise[..., extent + 1 :] * noise[..., : -extent - 1]).mean()
    assert float(apart) < 0.1
    last = (noise[..., extent:] * noise[..., :-extent]).mean()
    assert float(last) > 0.1
