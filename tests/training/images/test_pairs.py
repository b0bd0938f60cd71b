"""Noisy and clean images are matched by name or by order."""

from __future__ import annotations

import numpy as np
import pytest
from collections_of import arrays, numbered, write

from napari_denoise_ae.errors import DatasetError
from napari_denoise_ae.training.images.open import open_images
from napari_denoise_ae.training.images.pairs import match_pairs


def in_folder(folder, names, shape=(9, 9)):
    folder.mkdir()
    for name in names:
        write(folder / name, np.zeros(shape, np.uint8))
    return open_images(folder)


def names(pairs):
    return [
        (noisy.name, clean.name)
        for noisy, clean in zip(*(side.images for side in pairs), strict=True)
    ]


@pytest.mark.parametrize(
    ("noisy", "clean"),
    [
        (["a.tif", "b.tif"], ["a.png", "b.tif"]),
        (["a.ome.tif", "b.tif"], ["A.tif", "b.png"]),
        (["a_noisy.tif", "b_noisy.tif"], ["a_clean.tif", "b_clean.tif"]),
        (["noisy-1.png", "noisy-2.png"], ["1-GT.png", "2-GT.png"]),
        (["cell low 1.png", "cell low 2.png"], ["cell high 1.png", "cell high 2.png"]),
        (["01.png", "02.png"], ["01_clean.png", "02_clean.png"]),
        (["any.png"], ["other.png"]),
    ],
)
def test_files_are_matched_by_name(noisy, clean, tmp_path):
    pairs = match_pairs(
        in_folder(tmp_path / "x", noisy), in_folder(tmp_path / "y", clean)
    )
    assert names(pairs) == list(zip(noisy, clean, strict=True))


def test_the_order_of_the_clean_files_does_not_matter(tmp_path):
    noisy = in_folder(tmp_path / "x", ["a.png", "b.png"])
    clean = in_folder(tmp_path / "y", ["a.png", "b.png"])
    backward = open_images([image.path for image in clean.images[::-1]])
    assert names(match_pairs(noisy, backward)) == [("a.png",) * 2, ("b.png",) * 2]


def test_words_inside_names_are_kept(tmp_path):
    noisy = in_folder(tmp_path / "x", ["yellow.png", "cleaned.png"])
    clean = in_folder(tmp_path / "y", ["yel.png", "ed.png"])
    with pytest.raises(DatasetError, match="4 images of x and y have no partner"):
        match_pairs(noisy, clean)


def test_arrays_are_matched_by_order():
    pairs = match_pairs(arrays((9, 9), (8, 9)), arrays((9, 9), (8, 9)))
    assert names(pairs) == [("image 1", "image 1"), ("image 2", "image 2")]
    layers = [{"raw a": numbered((9, 9)), "raw b": numbered((8, 9))}]
    layers.append({"first": numbered((9, 9)), "second": numbered((8, 9))})
    pairs = match_pairs(*map(open_images, layers))
    assert names(pairs) == [("raw a", "first"), ("raw b", "second")]


def test_images_without_a_partner_are_named(tmp_path):
    noisy = in_folder(tmp_path / "x", ["a_noisy.png", "b_noisy.png"])
    clean = in_folder(tmp_path / "y", ["a_clean.png", "c_clean.png"])
    with pytest.raises(
        DatasetError, match=r"no partner: b_noisy\.png, c_clean\.png\. The two"
    ):
        match_pairs(noisy, clean)


def test_two_images_for_one_partner_are_named(tmp_path):
    noisy = in_folder(tmp_path / "x", ["a_noisy.png", "a_raw.png"])
    clean = in_folder(tmp_path / "y", ["a_clean.png", "b_clean.png"])
    with pytest.raises(DatasetError, match=r"a_noisy\.png and a_raw\.png of x"):
        match_pairs(noisy, clean)


def test_pairs_of_different_shapes_are_named(tmp_path):
    noisy = in_folder(tmp_path / "x", ["a.png"])
    clean = in_folder(tmp_path / "y", ["a.png"], (9, 8))
    with pytest.raises(
        DatasetError,
        match=r"a\.png \(9 x 9, YX, gray\) and a\.png \(9 x 8, YX, gray\)",
    ):
        match_pairs(noisy, clean)


def test_pairs_of_different_axes_are_refused():
    noisy, clean = arrays((2, 9, 9), axes="TYX"), arrays((2, 9, 9), axes="ZYX")
    with pytest.raises(DatasetError, match="same shape, axes"):
        match_pairs(noisy, clean)
