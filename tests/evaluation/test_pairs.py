from __future__ import annotations

import numpy as np
import pytest
import tifffile
from noisy_images import photos, real_pair
from PIL import Image
from synthetic import (
    smooth_images,
)

from napari_denoise_ae.errors import (
    InvalidInputError,
)
from napari_denoise_ae.evaluation.pairs import (
    find_clean_images,
    noisy_pairs,
    read_clean_image,
    real_pairs,
)


def test_noise_is_added_without_rounding():
    pair = noisy_pairs(photos(1), "gaussian:0.1", seed=0)[0]
    assert pair.noisy.dtype == np.float64
    assert (pair.noisy != np.rint(pair.noisy)).mean() > 0.8
    unclipped = noisy_pairs(photos(1), "gaussian:0.5,unclipped", seed=0)[0]
    assert unclipped.noisy.min() < 0
    assert unclipped.noisy.max() > 255


def test_noise_differs_between_images():
    image = photos(1)[0]
    pairs = noisy_pairs([image, image], "gaussian:0.1", seed=0)
    assert not np.array_equal(pairs[0].noisy, pairs[1].noisy)
    # The noise of an image does not depend on the number of images.
    alone = noisy_pairs([image, image], "gaussian:0.1", seed=0, limit=1)
    np.testing.assert_array_equal(pairs[0].noisy, alone[0].noisy)


def test_alpha_is_ignored():
    image = np.concatenate([photos(1)[0], np.zeros((32, 48, 1), np.uint8)], axis=-1)
    assert noisy_pairs([image], "gaussian:0.1", seed=0)[0].clean.shape == (32, 48, 3)


@pytest.mark.parametrize(
    ("images", "settings", "words"),
    [
        (photos(1), {"limit": 0}, "limit must be at least 1"),
        (photos(1), {"limit": -1}, "limit must be at least 1"),
        (photos(1), {"noise": "gaussian"}, "Cannot parse .*gaussian"),
        ([np.zeros((15, 40), np.uint8)], {}, r"at least 16 pixels.*\(15, 40\)"),
        ([np.full((20, 20), 5.0)], {}, "constant"),
        ([np.full((20, 20), np.nan)], {}, "NaN"),
        ([np.full((20, 20), np.inf)], {}, None),
        ([np.eye(20, dtype=bool)], {}, "bool"),
        ([np.eye(20, dtype=complex)], {}, "complex"),
        ([np.zeros((20, 20, 20), np.uint8)], {}, None),
        ([np.zeros((20, 20, 2), np.uint8)], {}, None),
        ([], {}, "image"),
    ],
)
def test_invalid_images_and_settings_are_rejected(images, settings, words):
    settings = {"noise": "gaussian:0.1", "seed": 0} | settings
    with np.errstate(invalid="ignore"), pytest.raises(InvalidInputError, match=words):
        noisy_pairs(images, settings.pop("noise"), **settings)


def test_real_pairs_keep_their_intensities():
    noisy, reference = real_pair()
    pair = real_pairs(noisy, reference, (0, 4095))[0]
    np.testing.assert_array_equal(pair.noisy[..., 0], noisy)
    assert (pair.data_range.low, pair.data_range.high) == (0, 4095)
    # The input range does not depend on the reference.
    assert (pair.input_range.low, pair.input_range.high) == (noisy.min(), noisy.max())


@pytest.mark.parametrize(
    ("noisy", "reference"),
    [
        ((32, 48), (32, 47)),
        ((3, 32, 48), (3, 32, 48)),
        ((32, 48), (3, 32, 48)),
        ((2, 3, 32, 48), (32, 48)),
        ((32, 48, 2), (32, 48, 2)),
        ((32, 48, 3), (32, 48)),
        ((48,), (48,)),
    ],
)
def test_shapes_that_do_not_match_are_rejected(noisy, reference):
    with pytest.raises(InvalidInputError, match="must be one image"):
        real_pairs(np.zeros(noisy), np.zeros(reference), None)


@pytest.mark.parametrize("which", ["noisy", "reference"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_real_images_that_are_not_finite_are_rejected(which, value):
    images = dict(zip(("noisy", "reference"), real_pair(), strict=True))
    images[which] = images[which].astype(float)
    images[which][3, 4] = value
    with pytest.raises(InvalidInputError):
        real_pairs(images["noisy"], images["reference"], None)


def test_constant_reference_is_rejected():
    noisy, reference = real_pair()
    with pytest.raises(InvalidInputError, match="constant"):
        real_pairs(noisy, np.full_like(reference, 5), None)


def test_images_of_a_folder_are_sorted_by_name(tmp_path):
    images = smooth_images(3, side=32)
    for name, image in zip(["b.png", "a.tif", "c.JPG"], images, strict=True):
        Image.fromarray(image).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("not an image")
    read = [read_clean_image(path).pixels for path in find_clean_images(tmp_path)]
    assert len(read) == 3
    np.testing.assert_array_equal(read[0], images[1])
    np.testing.assert_array_equal(read[1], images[0])


@pytest.mark.parametrize("kind", ["missing", "file", "empty"])
def test_folder_without_images_is_rejected(tmp_path, kind):
    folder = tmp_path / "folder"
    if kind == "file":
        folder.write_text("")
    elif kind == "empty":
        folder.mkdir()
    with pytest.raises(InvalidInputError, match="folder"):
        find_clean_images(folder)


@pytest.mark.parametrize(
    ("shape", "axes"), [((20, 32, 32), "ZYX"), ((3, 32, 32), "SYX")]
)
def test_axes_of_a_tiff_distinguish_stacks_from_colors(tmp_path, shape, axes):
    stack = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    color = {"planarconfig": "separate", "photometric": "rgb"} if "S" in axes else {}
    tifffile.imwrite(tmp_path / "a.tif", stack, metadata={"axes": axes}, **color)
    if axes == "ZYX":
        with pytest.raises(InvalidInputError, match="expected single images"):
            read_clean_image(tmp_path / "a.tif")
    else:
        assert read_clean_image(tmp_path / "a.tif").pixels.shape == (32, 32, 3)
