"""Images to train on: files, folders, patterns and arrays."""

from __future__ import annotations

import re

import dask.array as da
import numpy as np
import pytest
import tifffile
import zarr
from collections_of import numbered, write

from napari_denoise_ae.errors import DatasetError, InvalidInputError
from napari_denoise_ae.image.planes import whole_plane
from napari_denoise_ae.io.images import ImageFile, write_image
from napari_denoise_ae.training.images.open import open_images


def names(collection):
    return [image.name for image in collection.images]


def pixels(image, plane=None):
    plane = plane if plane is not None else (0,) * len(image.stack_shape)
    return image.read(plane, whole_plane(image.planes))


def test_a_folder_gives_its_images_sorted_by_name(folder):
    collection = open_images(folder)
    assert names(collection) == ["a.png", "b.tif", "c.jpg"]
    assert (collection.name, collection.notes) == ("photos", ())
    assert [image.plane_shape for image in collection.images] == [
        (24, 60),
        (40, 30),
        (32, 32),
    ]
    assert collection.images[1].dtype == np.uint16
    assert pixels(collection.images[2]).max() == 100


def test_a_pattern_a_file_and_a_list_are_opened(folder):
    assert names(open_images(str(folder / "*.[pt]*"))) == ["a.png", "b.tif"]
    single = open_images(folder / "a.png")
    assert (names(single), single.name) == (["a.png"], "a.png")
    mixed = open_images([folder / "b.tif", numbered((9, 9)), folder / "a.png"])
    assert names(mixed) == ["b.tif", "image 1", "a.png"]
    assert mixed.name == "3 images"


def test_a_mapping_names_arrays_and_files(folder):
    found = open_images({"layer": numbered((9, 9)), "file": folder / "a.png"})
    assert names(found) == ["layer", "file"]


def test_a_zarr_folder_is_one_image(tmp_path):
    zarr.save_array(str(tmp_path / "a.zarr"), numbered((3, 9, 9)))
    (image,) = open_images(tmp_path / "a.zarr", axes="tyx").images
    assert (image.axes, image.n_planes) == ("TYX", 3)
    np.testing.assert_array_equal(pixels(image, (2,))[..., 0], numbered((3, 9, 9))[2])


@pytest.mark.parametrize("kind", ["numpy", "dask", "zarr", "masked dask", ">u4"])
def test_arrays_of_every_kind_give_the_same_pixels(kind):
    array = numbered((2, 3, 9, 8))
    given = {
        "numpy": array,
        "dask": da.from_array(array, chunks=(1, 2, 4, 8)),
        "zarr": zarr.array(array, chunks=(1, 2, 4, 8)),
        "masked dask": da.ma.masked_equal(da.from_array(array, chunks=5), 25),
        ">u4": array.astype(">u4"),
    }[kind]
    (image,) = open_images(given, axes="TCYX").images
    assert (image.axes, image.stack_shape, image.plane_shape) == (
        "TCYX",
        (2, 3),
        (9, 8),
    )
    expected = array[1, 2].astype(float)
    if kind == "masked dask":
        assert np.isnan(pixels(image, (0, 0))[3, 1, 0])
    found = pixels(image, (1, 2))
    assert found.dtype == image.dtype == image.dtype.newbyteorder("=")
    np.testing.assert_array_equal(found[..., 0], expected)


def test_masked_pixels_become_nan():
    masked = np.ma.masked_equal(numbered((8, 8)), 9)
    (image,) = open_images(masked).images
    assert image.dtype == np.float64
    assert np.argwhere(np.isnan(pixels(image))).tolist() == [[1, 1, 0]]


def test_alpha_is_dropped():
    (image,) = open_images(numbered((8, 9, 4))).images
    assert (image.n_colors, pixels(image).shape) == (3, (8, 9, 3))


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float16", "float64", "uint64"])
def test_every_real_dtype_is_kept(dtype):
    (image,) = open_images(numbered((8, 8)).astype(dtype)).images
    assert pixels(image).dtype == dtype


def test_one_channel_can_be_chosen(tmp_path):
    array = numbered((2, 3, 9, 8))
    path = write(tmp_path / "a.tif", array)
    for given in (path, array):
        (image,) = open_images(given, axes="TCYX", channel=1).images
        assert (image.axes, image.n_planes) == ("TYX", 2)
        np.testing.assert_array_equal(pixels(image, (1,))[..., 0], array[1, 1])


def test_a_file_that_is_given_twice_is_used_once(folder):
    """Otherwise it could be in training and in validation."""
    collection = open_images([folder, folder / ".." / folder.name / "a.png"])
    assert names(collection) == ["a.png", "b.tif", "c.jpg"]
    assert collection.notes == ("Used once, although given twice: a.png.",)


def test_pixels_are_not_read_when_files_are_opened(folder, monkeypatch):
    def fail(path):
        raise AssertionError(path)

    monkeypatch.setattr("napari_denoise_ae.io.pictures._decode_png", fail)
    assert len(open_images(folder)) == 3


# --- bad input --------------------------------------------------------------


def test_an_empty_folder_says_what_was_looked_for(tmp_path):
    (tmp_path / "inner").mkdir()
    write(tmp_path / "inner" / "a.png", np.zeros((8, 8), np.uint8))
    with pytest.raises(DatasetError, match=r"no images at .*: expected .*\.tiff"):
        open_images(tmp_path)
    with pytest.raises(DatasetError, match="no images at"):
        open_images(tmp_path / "*.png")
    with pytest.raises(DatasetError, match="the list is empty"):
        open_images([])


@pytest.mark.parametrize("inside", [False, True])
def test_a_folder_of_cifar10_is_refused(inside, tmp_path):
    batches = tmp_path / "cifar-10-batches-py"
    batches.mkdir()
    given = batches if inside else tmp_path
    with pytest.raises(DatasetError, match=r"contains CIFAR-10.*--data"):
        open_images(given)


@pytest.mark.parametrize("name", ["missing", "missing.png", "x" * 5000])
def test_a_missing_path_is_named(name, tmp_path):
    with pytest.raises(InvalidInputError, match=f"{name}: it does not exist"):
        open_images(tmp_path / name)


def test_a_file_of_another_format_is_named(tmp_path):
    (tmp_path / "a.png").write_text("text")
    (tmp_path / "a.txt").write_text("text")
    with pytest.raises(InvalidInputError, match=r"Cannot read .*a\.png"):
        open_images(tmp_path)
    with pytest.raises(InvalidInputError, match=r"a\.txt"):
        open_images(tmp_path / "a.txt")


@pytest.mark.parametrize("name", ["a.png", "b.tif"])
def test_damaged_pixels_are_found_when_they_are_read(name, folder, tmp_path):
    data = bytearray((folder / name).read_bytes())
    if name == "b.tif":
        write(folder / name, numbered((40, 30)), compression="zlib")
        data = bytearray((folder / name).read_bytes())
    middle = len(data) // 2
    data[middle : middle + 40] = bytes(40)
    (tmp_path / name).write_bytes(data)
    (image,) = open_images(tmp_path / name).images
    with pytest.raises(DatasetError, match=re.escape(name)):
        pixels(image)


@pytest.mark.parametrize("dtype", [bool, complex])
def test_other_dtypes_are_refused_by_name(dtype, tmp_path):
    array = np.ones((8, 8), dtype)
    for given in (array, da.from_array(array), zarr.array(array)):
        with pytest.raises(InvalidInputError, match=r"image 1.*dtype of an image"):
            open_images(given)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.ones((8, 8), complex), photometric="minisblack")
    with pytest.raises(InvalidInputError, match=r"a\.tif.*dtype of an image"):
        open_images(path)


@pytest.mark.parametrize(
    ("axes", "expected"),
    [
        ("TYX", r"a\.tif: axes='TYX' names 3 dimensions"),
        ("YQ", "axes must have Y and X"),
    ],
)
def test_axes_that_do_not_fit_are_refused_by_name(axes, expected, tmp_path):
    path = write(tmp_path / "a.tif", numbered((8, 8)), metadata=None)
    with pytest.raises(InvalidInputError, match=expected):
        open_images(path, axes=axes)


def test_axes_that_cannot_be_inferred_are_asked_for():
    with pytest.raises(InvalidInputError, match="image 1: Cannot infer the axes"):
        open_images(numbered((5, 8, 8)))


def test_a_channel_that_does_not_exist_is_refused():
    array = numbered((2, 9, 9))
    with pytest.raises(InvalidInputError, match="less than the 2 channels"):
        open_images(array, axes="CYX", channel=2)
    with pytest.raises(InvalidInputError, match=r"image 1: .*no axis C"):
        open_images(array, axes="TYX", channel=0)


def test_what_is_no_image_is_refused():
    with pytest.raises(InvalidInputError, match="a path or an array, got a list"):
        open_images([[1, 2], [3, 4]])
    with pytest.raises(InvalidInputError, match=r"image 1: .*is masked"):
        open_images(np.ma.masked_all((8, 8)))
    with pytest.raises(InvalidInputError, match=r"image 1: .*group\['0'\]"):
        open_images(zarr.group())


def test_webp_photos_are_opened(tmp_path):
    photo = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    write_image(tmp_path / "a.webp", ImageFile(photo, "YXS"))
    (image,) = open_images(tmp_path).images
    assert (image.n_colors, image.plane_shape) == (3, (40, 30))
    np.testing.assert_array_equal(pixels(image), photo)
