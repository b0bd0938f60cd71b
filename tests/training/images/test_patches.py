"""Patches of images: pixels, unknown pixels, pairs, and reading ahead."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import zarr
from collections_of import arrays, lies_in, numbered, write

from napari_denoise_ae.errors import DatasetError
from napari_denoise_ae.training.images.open import open_images
from napari_denoise_ae.training.images.pairs import match_pairs
from napari_denoise_ae.training.images.patches import PairReader, PatchReader
from napari_denoise_ae.training.images.positions import Position, draw_positions
from napari_denoise_ae.training.images.split import split_images

SIDE = 16


def draw(images, count, seed=0):
    train, val = split_images(images, 0.3, 0, side=SIDE)
    rng = np.random.default_rng(seed)
    return draw_positions(images, (*train, *val), count, SIDE, rng)


def at(position, array):
    return array[(*position.plane, *position.region)]


@pytest.mark.parametrize("kind", ["numpy", "dask", "zarr", "tif", "zlib.tif"])
def test_patches_of_every_source_are_those_of_the_array(kind, tmp_path, monkeypatch):
    monkeypatch.setattr("napari_denoise_ae.training.images.image._WHOLE_PLANE", 0)
    monkeypatch.setattr("napari_denoise_ae.training.images.image._LEAST_BLOCK", 20)
    array = numbered((3, 50, 70))
    compression = "zlib" if kind == "zlib.tif" else None
    given = {
        "numpy": lambda: array,
        "dask": lambda: da.from_array(array, chunks=(2, 11, 30)),
        "zarr": lambda: zarr.array(array, chunks=(2, 11, 30)),
        "tif": lambda: write(tmp_path / "a.tif", array),
        "zlib.tif": lambda: write(
            tmp_path / "a.tif", array, compression=compression, tile=(16, 32)
        ),
    }[kind]()
    images = open_images(given, axes="TYX")
    reader, positions = PatchReader(images, 20_000), draw(images, 30)
    batch = reader.read_batch(positions)
    assert (batch.pixels.shape, batch.pixels.dtype) == ((30, 16, 16, 1), np.uint32)
    assert batch.positions == tuple(positions)
    assert not batch.unknown.any()
    for position, patch in zip(positions, batch.pixels, strict=True):
        np.testing.assert_array_equal(patch[..., 0], at(position, array))


def test_patches_of_a_folder_have_one_dtype(folder):
    images = open_images(folder)
    batch = PatchReader(images).read_batch(draw(images, 20))
    assert {position.image for position in batch.positions} == {0, 1, 2}
    assert batch.pixels.dtype == np.uint16
    for position, patch in zip(batch.positions, batch.pixels, strict=True):
        image = images.images[position.image]
        expected = image.read(position.plane, position.region)
        np.testing.assert_array_equal(patch, expected)


def test_padded_images_give_whole_patches():
    images = arrays((10, 40), (40, 12)).at_least(SIDE)
    batch = PatchReader(images).read_batch(draw(images, 20))
    assert batch.pixels.shape == (20, SIDE, SIDE, 1)


def test_reading_ahead_gives_the_same_patches(folder):
    images = open_images(folder)
    batches = [draw(images, 5, seed) for seed in range(6)]
    reader = PatchReader(images, 3000)
    found = list(reader.prefetch(batches))
    assert len(found) == 6
    for batch, positions in zip(found, batches, strict=True):
        expected = PatchReader(images).read_batch(positions)
        np.testing.assert_array_equal(batch.pixels, expected.pixels)
        assert batch.positions == expected.positions


@pytest.mark.parametrize(("n_planes", "kept"), [(4, 40_000), (5, 10_000)])
def test_less_is_kept_of_images_much_larger_than_the_limit(n_planes, kept, monkeypatch):
    monkeypatch.setattr("napari_denoise_ae.training.images.image._WHOLE_PLANE", 0)
    monkeypatch.setattr("napari_denoise_ae.training.images.image._LEAST_BLOCK", 25)
    array = da.zeros((n_planes, 100, 100), dtype=np.float32, chunks=(1, 25, 25))
    images = open_images(array, axes="TYX")
    reader = PatchReader(images, 40_000)
    reader.read_batch(draw(images, 300))
    assert kept - 2500 <= reader._cache.n_bytes <= kept


def test_a_file_that_disappears_is_named_by_the_consumer(folder):
    images = open_images(folder)
    (folder / "a.png").unlink()
    position = Position(0, (), (slice(0, SIDE), slice(0, SIDE)))
    with pytest.raises(DatasetError, match=r"a\.png"):
        list(PatchReader(images).prefetch([[position]]))


# --- unknown pixels ---------------------------------------------------------


@pytest.fixture
def half_known():
    """Two planes of which the left 40 columns of 80 are NaN."""
    pixels = numbered((2, 40, 80)).astype(np.float32)
    pixels[..., :40] = np.nan
    return open_images(pixels, axes="TYX")


def test_patches_without_known_pixels_are_drawn_again(half_known):
    reader = PatchReader(half_known)
    (part,), _ = split_images(half_known, 0.1, 0, side=SIDE)
    rng = np.random.default_rng(0)
    positions = draw_positions(half_known, [part], 40, SIDE, rng)
    batch = reader.read_batch(positions)
    assert batch.unknown.mean(axis=(1, 2)).max() <= 0.5
    np.testing.assert_array_equal(batch.unknown, np.isnan(batch.pixels[..., 0]))
    assert all(lies_in(position, part) for position in batch.positions)
    again = PatchReader(half_known).read_batch(positions[::-1])
    assert again.positions[::-1] == batch.positions
    kept = [a == b for a, b in zip(batch.positions, positions, strict=True)]
    usable = [np.isnan(reader.read(position)).mean() <= 0.5 for position in positions]
    assert kept == usable


def test_a_fixed_position_is_not_drawn_again(half_known):
    position = Position(0, (1,), (slice(0, SIDE), slice(0, SIDE)))
    batch = PatchReader(half_known).read_batch([position])
    assert batch.positions == (position,)
    assert batch.unknown.all()


def test_a_value_can_mean_no_data():
    array = numbered((40, 80)).astype(np.int16)
    array[:, :60] = -9999
    images = open_images(array)
    positions = draw(images, 20)
    whole = slice(0, 40), slice(0, 80)
    positions = [Position(0, (), p.region, within=whole) for p in positions]
    batch = PatchReader(images, no_data=[-9999.0]).read_batch(positions)
    np.testing.assert_array_equal(batch.unknown, batch.pixels[..., 0] == -9999)
    assert batch.unknown.mean(axis=(1, 2)).max() <= 0.5
    assert PatchReader(images).read_batch(positions).positions == tuple(positions)


def test_the_best_patch_is_taken_if_none_is_good():
    pixels = np.full((40, 40), np.nan)
    pixels[:, 20:24] = 1
    images = open_images(pixels)
    whole = slice(0, 40), slice(0, 40)
    position = Position(0, (), (slice(0, SIDE), slice(0, SIDE)), within=whole)
    batch = PatchReader(images).read_batch([position])
    assert batch.unknown.mean() == 0.75


def test_an_image_without_known_pixels_is_named():
    images = open_images([np.full((40, 40), np.nan), np.zeros((40, 40))])
    whole = slice(0, 40), slice(0, 40)
    position = Position(0, (), (slice(0, SIDE), slice(0, SIDE)), within=whole)
    with pytest.raises(DatasetError, match="image 1: no known pixels"):
        PatchReader(images).read_batch([position])


# --- pairs ------------------------------------------------------------------


def test_pairs_are_read_at_the_same_positions(half_known):
    array = numbered((2, 40, 80)) + 7
    noisy, clean = match_pairs(half_known, open_images(array, axes="TYX"))
    whole = slice(0, 40), slice(0, 80)
    positions = [
        Position(p.image, p.plane, p.region, within=whole) for p in draw(noisy, 10)
    ]
    reader = PairReader(PatchReader(noisy), PatchReader(clean))
    ((first, second),) = reader.prefetch([positions])
    assert first.positions == second.positions
    assert first.unknown.mean(axis=(1, 2)).max() <= 0.5
    assert first.unknown.any()
    known = ~first.unknown
    np.testing.assert_array_equal(second.pixels[known], first.pixels[known] + 7)
    again, _ = reader.read_batch(positions)
    np.testing.assert_array_equal(again.pixels, first.pixels)
