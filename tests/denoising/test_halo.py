"""Denoising a part of a plane gives the same pixels as denoising the whole plane."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic import CPU, random_checkpoint

from napari_denoise_ae.denoising.array import Denoising
from napari_denoise_ae.denoising.denoiser import Denoiser
from napari_denoise_ae.denoising.halo import (
    align_chunks,
    choose_side,
    find_halo,
    padded_length,
    plan_tiles,
    read_around,
    usual_tile_size,
    without_halo,
)
from napari_denoise_ae.denoising.options import DenoiseOptions
from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.models.networks.registry import NETWORKS, build_network

# --- around a part ---------------------------------------------------------


@pytest.mark.parametrize("name", NETWORKS)
def test_halo_is_the_receptive_field_rounded_up_to_the_stride(name):
    network = build_network(name, {})
    halo = find_halo(network)
    assert halo % network.stride == 0
    assert 0 <= halo - network.receptive_field_radius < network.stride


@pytest.mark.parametrize(
    ("part", "read", "keep"),
    [
        ((40, 60), (24, 76), (16, 36)),
        # `read` begins at a multiple of the stride.
        ((43, 60), (24, 76), (19, 36)),
        # `read` does not extend beyond the plane.
        ((3, 9), (0, 25), (3, 9)),
        ((90, 100), (72, 100), (18, 28)),
        ((0, 100), (0, 100), (0, 100)),
        ((0, 1), (0, 17), (0, 1)),
    ],
)
def test_part_is_read_with_a_halo_from_a_multiple_of_the_stride(part, read, keep):
    found = read_around(part, 100, halo=16, stride=8)
    assert found == (slice(*read), slice(*keep))


@pytest.mark.parametrize("start", range(0, 60, 7))
@pytest.mark.parametrize("length", [1, 5, 40])
def test_kept_rows_are_the_part(start, length):
    plane = np.arange(100)
    read, keep = read_around((start, start + length), 100, halo=32, stride=16)
    np.testing.assert_array_equal(plane[read][keep], plane[start : start + length])
    assert read.start % 16 == 0


@pytest.mark.parametrize(
    ("number", "n_blocks", "expected"),
    [(0, 1, (0, 50)), (0, 3, (0, 34)), (1, 3, (16, 34)), (2, 3, (16, 50))],
)
def test_block_has_no_halo_at_the_borders_of_the_plane(number, n_blocks, expected):
    keep = without_halo(50, number=number, n_blocks=n_blocks, halo=16)
    assert keep == slice(*expected)


# --- the size of parts -----------------------------------------------------


@pytest.mark.parametrize(
    ("length", "stride", "shortest", "expected"),
    [(8, 8, 0, 8), (9, 8, 0, 16), (1, 1, 0, 1), (5, 16, 32, 32), (33, 16, 32, 48)],
)
def test_side_is_padded_to_a_length_that_the_network_takes(
    length, stride, shortest, expected
):
    assert padded_length(length, stride=stride, shortest=shortest) == expected


@pytest.mark.parametrize(
    ("halo", "size"), [(0, 512), (51, 512), (52, 1024), (200, 2048)]
)
def test_halo_is_at_most_a_tenth_of_the_usual_tile(halo, size):
    assert usual_tile_size(halo) == size


@pytest.mark.parametrize(
    ("length", "chunk", "expected"),
    [
        (5000, None, 1024),
        (5000, 256, 256),
        (5000, 2048, 2048),
        # Too large, too small, and not a multiple of the stride.
        (5000, 4096, 1024),
        (5000, 64, 1024),
        (5000, 300, 1024),
        # At most the side of the plane.
        (100, None, 100),
        (100, 256, 100),
    ],
)
def test_parts_of_a_file_are_its_chunks_if_suitable(length, chunk, expected):
    assert choose_side(length, chunk=chunk, stride=8) == expected


@pytest.mark.parametrize("stride", [1, 8, 16])
@pytest.mark.parametrize("halo", [16, 32])
@pytest.mark.parametrize(
    "chunks",
    [(100,) * 9, (64, 64, 1), (1,) * 300, (5000,), (7, 900, 3), (3,), (4096,) * 3],
)
def test_chunks_are_aligned_and_as_large_as_the_halo(chunks, stride, halo):
    aligned = align_chunks(chunks, stride, halo)
    assert sum(aligned) == sum(chunks)
    assert all(chunk % stride == 0 for chunk in aligned[:-1])
    assert len(aligned) == 1 or min(aligned) >= halo
    assert max(aligned) <= 2048 + halo


@pytest.mark.parametrize("chunks", [(1024,) * 8, (128, 128, 40), (512, 256, 64)])
def test_suitable_chunks_are_kept(chunks):
    assert align_chunks(chunks, 8, 16) == chunks


# --- tiles -----------------------------------------------------------------

SHAPES = [(1, 1), (7, 300), (100, 131), (257, 64), (8, 8), (9, 16)]
TILE_SIZES = [1, 8, 16, 64, 100, 1000]


@pytest.mark.parametrize("tile_size", TILE_SIZES)
@pytest.mark.parametrize("shape", SHAPES)
def test_tiles_cover_the_plane_exactly_once(shape, tile_size):
    covered = np.zeros(shape, dtype=int)
    for tile in plan_tiles(shape, tile_size=tile_size, halo=16, stride=8):
        covered[tile.write] += 1
    assert (covered == 1).all()


@pytest.mark.parametrize("tile_size", TILE_SIZES)
@pytest.mark.parametrize("shape", SHAPES)
def test_kept_pixels_are_the_written_pixels(shape, tile_size):
    plane = np.arange(np.prod(shape)).reshape(shape)
    for tile in plan_tiles(shape, tile_size=tile_size, halo=16, stride=8):
        np.testing.assert_array_equal(plane[tile.read][tile.keep], plane[tile.write])


@pytest.mark.parametrize("stride", [1, 2, 8])
@pytest.mark.parametrize("shape", SHAPES)
def test_tiles_are_read_from_multiples_of_the_stride(shape, stride):
    for tile in plan_tiles(shape, tile_size=20, halo=16, stride=stride):
        assert all(side.start % stride == 0 for side in tile.read)


@pytest.mark.parametrize("shape", SHAPES)
def test_halo_is_complete_or_ends_at_the_border(shape):
    halo = 16
    for tile in plan_tiles(shape, tile_size=16, halo=halo, stride=8):
        for read, write, length in zip(tile.read, tile.write, shape, strict=True):
            assert write.start - read.start >= halo or read.start == 0
            assert read.stop - write.stop >= halo or read.stop == length


def test_read_regions_do_not_grow_with_the_image():
    tiles = plan_tiles((5000, 3000), tile_size=64, halo=16, stride=8)
    sides = [side.stop - side.start for tile in tiles for side in tile.read]
    assert max(sides) == 64 + 2 * 16


def test_tile_size_may_be_a_numpy_integer():
    from_numpy, from_int = (
        plan_tiles((90, 70), tile_size=size, halo=16, stride=8)
        for size in (np.int64(40), 40)
    )
    assert from_numpy == from_int


@pytest.mark.parametrize("tile_size", [0, -8, 8.5, "64"])
def test_invalid_tile_size_is_rejected(tile_size):
    with pytest.raises(InvalidInputError, match="tile_size"):
        plan_tiles((9, 9), tile_size=tile_size, halo=16, stride=8)


@pytest.fixture(scope="module")
def denoiser() -> Denoiser:
    checkpoint = random_checkpoint()
    # Larger weights than the initial ones, so that the output varies.
    for weights in checkpoint.state_dict.values():
        weights.mul_(3)
    return Denoiser(checkpoint, CPU)


def denoise_in_tiles(image: np.ndarray, denoiser: Denoiser, size: int) -> np.ndarray:
    options = DenoiseOptions(intensity_range=(0.0, 1.0), tile_size=size)
    run = Denoising(image, denoiser, options)
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
