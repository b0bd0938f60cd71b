from __future__ import annotations

import numpy as np
import pytest
from synthetic import CPU, random_checkpoint

from napari_denoise_ae.denoising.array import Denoising
from napari_denoise_ae.denoising.denoiser import Denoiser
from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.image.tiling import plan_tiles

SHAPES = [(1, 1), (7, 300), (100, 131), (257, 64), (8, 8), (9, 16)]
TILE_SIZES = [1, 8, 16, 64, 100, 1000]


@pytest.mark.parametrize("tile_size", TILE_SIZES)
@pytest.mark.parametrize("shape", SHAPES)
def test_tiles_cover_the_plane_exactly_once(shape, tile_size):
    covered = np.zeros(shape, dtype=int)
    for tile in plan_tiles(shape, tile_size=tile_size, radius=14, stride=8):
        covered[tile.write] += 1
    assert (covered == 1).all()


@pytest.mark.parametrize("tile_size", TILE_SIZES)
@pytest.mark.parametrize("shape", SHAPES)
def test_kept_pixels_are_the_written_pixels(shape, tile_size):
    plane = np.arange(np.prod(shape)).reshape(shape)
    for tile in plan_tiles(shape, tile_size=tile_size, radius=14, stride=8):
        np.testing.assert_array_equal(plane[tile.read][tile.keep], plane[tile.write])


@pytest.mark.parametrize("stride", [1, 2, 8])
@pytest.mark.parametrize("shape", SHAPES)
def test_tiles_are_read_from_multiples_of_the_stride(shape, stride):
    for tile in plan_tiles(shape, tile_size=20, radius=14, stride=stride):
        assert all(side.start % stride == 0 for side in tile.read)


@pytest.mark.parametrize("shape", SHAPES)
def test_halo_is_at_least_the_radius_or_ends_at_the_border(shape):
    radius = 14
    for tile in plan_tiles(shape, tile_size=16, radius=radius, stride=8):
        for read, write, length in zip(tile.read, tile.write, shape, strict=True):
            assert write.start - read.start >= radius or read.start == 0
            assert read.stop - write.stop >= radius or read.stop == length


def test_read_regions_do_not_grow_with_the_image():
    tiles = plan_tiles((5000, 3000), tile_size=64, radius=14, stride=8)
    sides = [side.stop - side.start for tile in tiles for side in tile.read]
    assert max(sides) == 64 + 2 * 16


def test_tile_size_may_be_a_numpy_integer():
    from_numpy, from_int = (
        plan_tiles((90, 70), tile_size=size, radius=14, stride=8)
        for size in (np.int64(40), 40)
    )
    assert from_numpy == from_int


@pytest.mark.parametrize("tile_size", [0, -8, 8.5, "64", None])
def test_invalid_tile_size_is_rejected(tile_size):
    with pytest.raises(InvalidInputError, match="tile_size"):
        plan_tiles((9, 9), tile_size=tile_size, radius=14, stride=8)


@pytest.fixture(scope="module")
def denoiser() -> Denoiser:
    checkpoint = random_checkpoint()
    # Larger weights than the initial ones, so that the output varies.
    for weights in checkpoint.state_dict.values():
        weights.mul_(3)
    return Denoiser(checkpoint, CPU)


def denoise_in_tiles(image: np.ndarray, denoiser: Denoiser, size: int) -> np.ndarray:
    run = Denoising(image, denoiser, intensity_range=(0.0, 1.0), tile_size=size)
    for _ in run:
        pass
    return run.result


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", [(1, 1), (7, 300), (100, 131), (257, 64)])
def test_tiled_result_equals_untiled_result(shape, channels, denoiser):
    image = np.random.default_rng(0).random((*shape, channels))
    image = image[..., 0] if channels == 1 else image
    untiled = denoise_in_tiles(image, denoiser, 1000)
    for size in (8, 16, 64, 100):
        tiled = denoise_in_tiles(image, denoiser, size)
        np.testing.assert_allclose(tiled, untiled, rtol=0, atol=1e-6)


def test_without_a_halo_there_is_a_seam(denoiser, monkeypatch):
    """The tolerance of the previous test is small enough to detect a seam."""
    image = np.random.default_rng(0).random((64, 64))
    untiled = denoise_in_tiles(image, denoiser, 1000)
    monkeypatch.setattr(type(denoiser.network), "receptive_field_radius", 0)
    tiled = denoise_in_tiles(image, denoiser, 16)
    assert np.abs(tiled - untiled).max() > 1e-3
