"""Conversion of arrays to dask, and pyramids."""

from __future__ import annotations

import dask
import dask.array as da
import dask.bag as db
import numpy as np
import pytest
import zarr
from lazy_arrays import image_of
from synthetic import random_checkpoint

from napari_denoise_ae import denoise
from napari_denoise_ae.denoising.dask_stack import DaskPlanes, pyramid
from napari_denoise_ae.errors import InvalidInputError


@pytest.fixture(scope="module")
def gray_model():
    return random_checkpoint(in_channels=1)


def test_a_zarr_array_is_denoised_lazily(tmp_path, gray_model):
    image = image_of((3, 70, 90), "uint8")
    stored = zarr.create_array(
        tmp_path / "a.zarr", shape=image.shape, chunks=(1, 32, 32), dtype="uint8"
    )
    stored[:] = image
    lazy = denoise(stored, model=gray_model, axes="TYX")
    assert isinstance(lazy, da.Array)
    expected = denoise(image, model=gray_model, axes="TYX")
    assert np.abs(lazy.compute().astype(int) - expected).max() <= 1


def test_a_zarr_group_is_rejected_but_its_arrays_are_not(gray_model):
    group = zarr.create_group({})
    group.create_array("0", shape=(8, 8), dtype="uint8")
    with pytest.raises(InvalidInputError, match=r"a zarr Group.*group\['0'\]"):
        denoise(group, model=gray_model)
    assert denoise(group["0"], model=gray_model).shape == (8, 8)


@pytest.mark.parametrize(
    "lazy", [dask.delayed(1), db.from_sequence([1])], ids=["delayed", "bag"]
)
def test_lazy_objects_other_than_arrays_are_rejected(lazy, gray_model):
    with pytest.raises(InvalidInputError, match="Expected an array, got a dask"):
        denoise(lazy, model=gray_model)


def test_a_pyramid_ends_at_2048_pixels():
    image = da.zeros((2, 5001, 300), dtype="uint16", chunks=(1, 512, 300))
    shapes = [level.shape for level in pyramid(image, "TYX")]
    assert shapes == [(2, 5001, 300), (2, 2500, 150), (2, 1250, 75)]
    assert len(pyramid(image[:, :2048], "TYX")) == 1


def test_each_pixel_of_a_pyramid_is_the_mean_of_four():
    image = np.zeros((2050, 4), dtype="uint8")
    image[:2, :2] = [[255, 255], [254, 255]]
    half = pyramid(image)[1].compute()
    assert half.dtype == np.uint8
    assert half[0, 0] == 255
    assert half.sum() == 255


def test_nan_does_not_spread_in_a_pyramid():
    image = np.ones((2050, 4))
    image[0, 0] = np.nan
    image[2:4, 2:4] = np.nan
    half = pyramid(image)[1].compute()
    assert np.argwhere(np.isnan(half)).tolist() == [[1, 1]]


def test_gray_with_alpha_is_a_gray_plane():
    image = np.arange(40, dtype=np.uint8).reshape(4, 5, 2)
    planes = DaskPlanes.of(da.from_array(image), "YXS")
    assert planes.shape == (4, 5, 1)
    part = planes.read((), (slice(1, 3), slice(0, 5)))
    np.testing.assert_array_equal(part, image[1:3, :, :1])
