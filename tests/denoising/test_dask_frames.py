"""Frames of lazy arrays: equal to those in memory, and computed only once."""

from __future__ import annotations

import pickle

import dask
import dask.array as da
import numpy as np
import pytest
from lazy_arrays import CountedReads
from synthetic import random_checkpoint

from napari_denoise_ae import denoise
from napari_denoise_ae.denoising.denoiser import Denoiser
from napari_denoise_ae.errors import InvalidInputError

MODEL = random_checkpoint(network="unet", in_channels=1)


@pytest.fixture
def calls(monkeypatch):
    """Shapes of the batches that the network gets."""
    run_network, shapes = Denoiser.run_network, []

    def count(self, batch, *noise):
        shapes.append(batch.shape)
        return run_network(self, batch, *noise)

    monkeypatch.setattr(Denoiser, "run_network", count)
    return shapes


def movie(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(100, 10, shape)


@pytest.mark.parametrize(
    ("shape", "axes", "chunks"),
    [
        ((4, 60, 70), "TYX", (4, 60, 70)),
        ((3, 400, 130), "ZYX", (2, 200, 130)),
        ((2, 3, 40, 50), "CTYX", (1, 1, 40, 50)),
        ((40, 4, 50), "YTX", (40, 2, 50)),
    ],
)
def test_a_lazy_result_equals_the_eager_one(shape, axes, chunks):
    image = movie(*shape)
    image.flat[123] = np.nan
    options = {"model": MODEL, "axes": axes, "sigma": 10, "frames": 2}
    lazy = denoise(da.from_array(image, chunks=chunks), **options)
    assert (lazy.shape, lazy.dtype) == (image.shape, image.dtype)
    np.testing.assert_allclose(
        lazy.compute(), denoise(image, **options), rtol=1e-5, atol=0.01
    )


@pytest.mark.parametrize("noise", [{"sigma": 10}, {"range_of": "image"}, {}])
def test_every_part_equals_that_of_the_eager_result(noise):
    image = movie(5, 420, 450)
    options = {"model": MODEL, "axes": "TYX", "frames": 1, **noise}
    expected = denoise(image, **options)
    lazy = denoise(da.from_array(image, chunks=(1, 210, 450)), **options)
    parts = (
        np.s_[2],
        np.s_[0, 100:130, 200:240],
        np.s_[3:, 5:90],
        np.s_[::2, 300:, 400],
        np.s_[-1, 350:],
    )
    for part in parts:
        np.testing.assert_allclose(
            lazy[part].compute(),
            expected[part],
            rtol=1e-4,
            atol=0.01,
            err_msg=str(part),
        )


@pytest.mark.parametrize("n_samples", [3, 4])
def test_colors_and_alpha_equal_those_in_memory(n_samples):
    image = movie(3, 40, 50, n_samples).astype(np.uint8)
    model = random_checkpoint(network="unet", in_channels=3)
    options = {"model": model, "axes": "TYXS", "sigma": 10, "frames": 1}
    options["dtype"] = "float32"
    lazy = denoise(da.from_array(image, chunks=(1, 40, 50, 1)), **options)
    assert lazy.dtype == np.float32
    np.testing.assert_allclose(
        lazy.compute(), denoise(image, **options), rtol=1e-4, atol=0.01
    )
    np.testing.assert_array_equal(lazy[..., 3:], image[..., 3:])


def test_the_network_sees_each_frame_of_a_stack_three_times(calls):
    image = da.from_array(movie(8, 40, 50), chunks=(1, 40, 50))
    denoise(image, model=MODEL, axes="TYX", sigma=10, frames=3).compute()
    assert len(calls) == 3 * 8


def test_a_single_plane_reads_and_computes_its_neighbors_only(calls):
    counted = CountedReads(movie(12, 40, 50), (1, 40, 50))
    options = {"model": MODEL, "axes": "TYX", "frames": 2}
    # The noise is measured in a few planes.
    options["sigma"] = 10
    lazy = denoise(counted.array, **options)
    denoise(lazy[6:7], model=MODEL, axes="TYX", sigma=10)
    assert not counted.read
    counted.read.clear()
    lazy[6].compute()
    assert len(calls) == 2 * 2 + 3
    read = {number[0] for number in counted.read}
    assert {4, 5, 6, 7, 8} <= read <= {0, 4, 5, 6, 7, 8, 11}


def test_one_part_of_a_plane_is_computed_with_its_halo_only(calls):
    image = da.from_array(movie(3, 900, 900), chunks=(1, 900, 900))
    lazy = denoise(image, model=MODEL, axes="TYX", sigma=10, frames=1)
    lazy[1, 400:432, 400:432].compute()
    # Three halos of 112 pixels on each side.
    assert max(max(shape[-2:]) for shape in calls) <= 32 + 6 * 112 + 8
    assert len(calls) <= 2 + 3


def test_the_graph_can_be_pickled():
    image = da.from_array(movie(3, 40, 50), chunks=(1, 40, 50))
    lazy = denoise(image, model=MODEL, axes="TYX", sigma=10, frames=1)
    again = pickle.loads(pickle.dumps(lazy))
    with dask.config.set(scheduler="synchronous"):
        np.testing.assert_array_equal(again.compute(), lazy.compute())


def test_a_lazy_image_without_frames_is_refused_at_once():
    image = da.zeros((30, 40), chunks=20)
    with pytest.raises(InvalidInputError, match="frames needs an axis T or Z"):
        denoise(image, model=MODEL, frames=1)
