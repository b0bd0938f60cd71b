"""xarray's arrays and h5py's data sets are denoised as what they are."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from lazy_arrays import image_of
from synthetic import random_checkpoint

from napari_denoise_ae import denoise, estimate_noise, measure_noise
from napari_denoise_ae.errors import InvalidInputError

xarray = pytest.importorskip("xarray")
h5py = pytest.importorskip("h5py")

MODEL = random_checkpoint(in_channels=1)
STACK = image_of((3, 40, 48), "uint8")
EXPECTED = denoise(STACK, model=MODEL, axes="TYX")


def labeled(pixels: object) -> xarray.DataArray:
    return xarray.DataArray(
        pixels,
        dims=("time", "y", "x"),
        coords={"time": [0.0, 0.5, 1.0], "y": np.arange(40), "site": "B2"},
        attrs={"units": "photons"},
        name="counts",
    )


def test_dimensions_are_axes_and_coordinates_are_kept():
    image = labeled(STACK)
    result = denoise(image, model=MODEL)
    xarray.testing.assert_identical(result, image.copy(data=EXPECTED))
    np.testing.assert_array_equal(image, STACK)
    other = image.rename(time="plate")
    np.testing.assert_array_equal(denoise(other, model=MODEL, axes="TYX"), EXPECTED)
    with pytest.raises(InvalidInputError, match="Cannot infer the axes"):
        denoise(other, model=MODEL)


def test_a_lazy_array_stays_lazy():
    read: list[int] = []
    source = da.from_array(STACK, chunks=(1, 40, 48)).map_blocks(
        lambda block: read.append(1) or block, dtype=np.uint8, meta=STACK[:0]
    )
    image = labeled(source)
    result = denoise(image, model=MODEL)
    assert isinstance(result.data, da.Array)
    assert read == []
    xarray.testing.assert_identical(result[1:2], image.copy(data=EXPECTED)[1:2])


@pytest.mark.parametrize("kind", [np.asarray, da.from_array, labeled])
def test_the_axis_of_the_channels_may_be_given_alone(kind):
    image = kind(STACK)
    result = denoise(image, model=MODEL, channel_axis=0)
    expected = denoise(STACK, model=MODEL, axes="CYX")
    assert isinstance(result, type(image))
    np.testing.assert_array_equal(result, expected)
    # Each channel has its own noise.
    assert measure_noise(image, channel_axis=-3) == measure_noise(STACK, axes="CYX")
    noise = estimate_noise(image, channel_axis=0)
    assert noise == estimate_noise(STACK, axes="CYX")
    with pytest.raises(InvalidInputError, match="but not both"):
        denoise(image, model=MODEL, axes="CYX", channel_axis=0)


def test_an_array_in_a_file_becomes_lazy(tmp_path):
    numbers = STACK.astype("float32")
    labeled(numbers).to_netcdf(tmp_path / "a.nc", engine="scipy")
    options = {"model": MODEL, "intensity_range": (0, 255)}
    with xarray.open_dataarray(tmp_path / "a.nc", engine="scipy") as image:
        result = denoise(image, **options)
        assert isinstance(result.data, da.Array)
        assert not image.variable._in_memory
        expected = denoise(numbers, axes="TYX", **options)
        np.testing.assert_array_equal(result, expected)


def test_a_data_set_of_h5py_is_read_when_computed(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as content:
        content.create_dataset("a", data=STACK, chunks=(1, 20, 48))
        result = denoise(content["a"], model=MODEL, axes="TYX")
        assert isinstance(result, da.Array)
        np.testing.assert_array_equal(result, EXPECTED)
        with pytest.raises(InvalidInputError, match="Expected an array, got a h5py"):
            denoise(content, model=MODEL)
