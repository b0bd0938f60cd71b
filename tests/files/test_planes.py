"""Every source of planes gives the same pixels for the same image."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import dask.array as da
import numpy as np
import pytest
import tifffile
import zarr
from synthetic import random_checkpoint

from napari_denoise_ae.denoising.dask_stack import DaskPlanes
from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.files.planes import FilePlanes
from napari_denoise_ae.image.planes import ArrayPlanes
from napari_denoise_ae.io.source import open_volume

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_denoise_ae.image.planes import Planes

NETWORK = random_checkpoint().outline()


def in_memory(image: np.ndarray, axes: str, _folder: Path) -> Planes:
    return ArrayPlanes.of(image, axes)


def in_dask(image: np.ndarray, axes: str, _folder: Path) -> Planes:
    return DaskPlanes.of(da.from_array(image, chunks=3), axes)


def in_zarr(image: np.ndarray, axes: str, folder: Path) -> Planes:
    zarr.save_array(str(folder / "image.zarr"), image)
    return FilePlanes.of(open_volume(folder / "image.zarr", axes))


def in_tiff(image: np.ndarray, axes: str, folder: Path) -> Planes:
    tifffile.imwrite(folder / "image.tif", image, photometric="minisblack")
    return FilePlanes.of(open_volume(folder / "image.tif", axes))


@pytest.mark.parametrize("make", [in_memory, in_dask, in_zarr, in_tiff])
@pytest.mark.parametrize(
    ("shape", "axes"),
    [((7, 9), "YX"), ((7, 9, 4), "YXS"), ((2, 7, 3, 9), "CYTX"), ((9, 3, 7), "XSY")],
)
def test_sources_give_the_same_planes(
    shape: tuple[int, ...], axes: str, make: Callable[..., Planes], tmp_path: Path
):
    image = np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)
    planes, expected = make(image, axes, tmp_path), ArrayPlanes.of(image, axes)
    assert planes.axes == expected.axes
    assert planes.shape == expected.shape
    assert planes.dtype == expected.dtype
    last = tuple(length - 1 for length in planes.shape[:-3])
    part = slice(1, 5), slice(2, 9)
    pixels = np.asarray(planes.read(last, part))
    np.testing.assert_array_equal(pixels, expected.read(last, part))


@pytest.fixture
def volume(tmp_path):
    image = np.arange(5 * 70 * 80, dtype=np.uint16).reshape(5, 70, 80)
    stored = zarr.create_array(
        tmp_path / "image.zarr", shape=image.shape, chunks=(1, 32, 32), dtype="uint16"
    )
    stored[:] = image
    return open_volume(tmp_path / "image.zarr", "TYX")


def test_indices_count_from_the_first_selected_plane(volume):
    planes = FilePlanes.of(volume, {"T": (3, 5), "X": (10, 60)})
    assert planes.shape == (2, 70, 50, 1)
    assert planes.file_shape == (2, 70, 50)
    part = planes.read((1,), (slice(5, 9), slice(0, 4)))
    np.testing.assert_array_equal(part[..., 0], volume.array[4, 5:9, 10:14])


def test_halo_is_read_from_outside_the_selection(volume):
    planes = FilePlanes.of(volume, {"X": (30, 60)})
    part = slice(0, 70), slice(0, 10)
    block, (rows, columns) = planes.read_around((2,), part, NETWORK)
    # The halo is 16 pixels, and the block begins at a multiple of 8.
    np.testing.assert_array_equal(block[0], volume.array[2, :, 8:56])
    assert (rows, columns) == (slice(0, 70), slice(22, 32))


def test_planes_of_a_file_can_be_pickled(volume):
    planes = pickle.loads(pickle.dumps(FilePlanes.of(volume)))
    part = slice(0, 3), slice(0, 3)
    np.testing.assert_array_equal(
        planes.read((1,), part)[..., 0], volume.array[1, :3, :3]
    )


@pytest.mark.parametrize("selection", [{"Z": (0, 1)}, {"T": (0, 6)}, {"Y": (3, 3)}])
def test_a_selection_outside_the_image_is_rejected(selection, volume):
    with pytest.raises(InvalidInputError, match="select"):
        FilePlanes.of(volume, selection)
