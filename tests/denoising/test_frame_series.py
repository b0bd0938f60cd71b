"""Frames in memory: what is computed, and that tiles do not change the result."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic import CPU, random_checkpoint

from napari_denoise_ae import denoise
from napari_denoise_ae.denoising import frame_series
from napari_denoise_ae.denoising.array import Denoising
from napari_denoise_ae.denoising.denoiser import Denoiser
from napari_denoise_ae.denoising.options import DenoiseOptions
from napari_denoise_ae.errors import DenoiseAEWarning

MODEL = random_checkpoint(network="unet", in_channels=1)


def movie(*shape: int) -> np.ndarray:
    """Return a smooth image that hardly changes, with noise of sigma 10."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[: shape[-2], : shape[-1]]
    clean = 100 + 50 * np.sin(x / 9) * np.cos(y / 7)
    return clean + rng.normal(0, 10, shape)


@pytest.fixture
def calls(monkeypatch):
    """Shapes of the batches that the network gets."""
    run_network, shapes = Denoiser.run_network, []

    def count(self, batch, *noise):
        shapes.append(batch.shape)
        return run_network(self, batch, *noise)

    monkeypatch.setattr(Denoiser, "run_network", count)
    return shapes


def test_the_network_sees_each_frame_three_times(calls):
    denoise(movie(9, 40, 50), model=MODEL, axes="TYX", sigma=10, frames=3)
    assert len(calls) == 3 * 9


def test_planes_of_other_axes_are_no_neighbors(calls):
    image = movie(2, 4, 40, 50)
    options = {"model": MODEL, "sigma": 10, "frames": 2}
    both = denoise(image, axes="CTYX", **options)
    assert len(calls) == 3 * 8
    for channel in range(2):
        alone = denoise(image[channel], axes="TYX", **options)
        np.testing.assert_allclose(both[channel], alone, rtol=1e-5, atol=0.01)


def test_where_few_results_are_kept_they_are_computed_again(calls, monkeypatch):
    image = movie(4, 40, 50)
    options = {"model": MODEL, "axes": "TYX", "sigma": 10, "frames": 2}
    expected = denoise(image, **options)
    calls.clear()
    monkeypatch.setattr(frame_series, "_MOST_KEPT", 2 * 40 * 50 * 4)
    np.testing.assert_array_equal(denoise(image, **options), expected)
    assert len(calls) > 3 * 4


def test_a_single_plane_takes_the_first_pass_of_its_neighbors_only(calls):
    run = started(movie(9, 40, 50), planes=(slice(4, 5),), frames=2)
    list(run)
    assert len(calls) == 2 * 2 + 3


@pytest.mark.parametrize("tile_size", [64, 100])
def test_tiles_do_not_change_the_result(tile_size):
    image = movie(4, 150, 230)
    image[1, 20, 30] = np.nan
    options = {"model": MODEL, "axes": "TYX", "sigma": 10, "frames": 2}
    expected = denoise(image, **options)
    tiled = denoise(image, tile_size=tile_size, **options)
    np.testing.assert_allclose(tiled, expected, rtol=1e-5, atol=0.01)


def started(image: np.ndarray, *, region=None, planes=None, **options) -> Denoising:
    options = DenoiseOptions(axes="TYX", sigma=10, **options)
    denoiser = Denoiser(MODEL, CPU)
    return Denoising(image, denoiser, options, region=region, planes=planes)


def test_a_region_of_some_planes_equals_that_of_the_whole(calls):
    image = movie(6, 360, 420)
    list(whole := started(image, frames=1, tile_size=128))
    n_pixels = sum(np.prod(shape) for shape in calls)
    calls.clear()
    region = slice(100, 140), slice(310, 420)
    list(part := started(image, frames=1, region=region, planes=(slice(2, 4),)))
    assert part.result.shape == (2, 360, 420)
    expected = whole.result[(slice(2, 4), *region)]
    np.testing.assert_allclose(
        part.result[(..., *region)], expected, rtol=1e-5, atol=0.01
    )
    assert sum(np.prod(shape) for shape in calls) < n_pixels / 2


def test_where_memory_runs_out_the_result_is_the_same(monkeypatch):
    image = movie(2, 300, 340)
    options = {"model": MODEL, "axes": "TYX", "sigma": 10, "frames": 1}
    expected = denoise(image, **options)
    run_network = Denoiser.run_network

    def limited(self, batch, *noise):
        if batch.numel() > 85_000:
            raise MemoryError
        return run_network(self, batch, *noise)

    monkeypatch.setattr(Denoiser, "run_network", limited)
    with pytest.warns(DenoiseAEWarning, match="ran out of memory"):
        result = denoise(image, **options)
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=0.01)


def test_without_noise_nothing_is_computed(calls):
    image = movie(3, 40, 50)
    result = denoise(image, model=MODEL, axes="TYX", strength=0, frames=1)
    np.testing.assert_array_equal(result, image)
    assert calls == []
