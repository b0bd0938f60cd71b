from __future__ import annotations

import pickle

import numpy as np
import pytest
from fake_cifar10 import FOLDER_NAME, N_TEST, N_TRAIN
from synthetic import image_set

from napari_denoise_ae.errors import DatasetError
from napari_denoise_ae.io.cifar10 import (
    CIFAR10_URL,
    ImageSet,
    load_cifar10,
    load_test_images,
    load_training_images,
)


def test_the_checksum_depends_on_the_pixels_only():
    first, other = image_set(), image_set(seed=1)
    assert first.sha256 == image_set().sha256
    assert first.sha256 != other.sha256
    # Independent of the memory layout.
    turned = np.asfortranarray(first.images)
    assert ImageSet("turned", turned).sha256 == first.sha256


@pytest.mark.parametrize(("train", "n_images"), [(True, N_TRAIN), (False, N_TEST)])
def test_cifar10_is_read_as_8_bit_rgb(cifar10, train, n_images):
    images = load_cifar10(cifar10, train=train)
    assert images.images.shape == (n_images, 32, 32, 3)
    assert images.images.dtype == np.uint8
    assert ("training" if train else "test") in images.name
    # The first third of a row of the file is the red channel.
    batch = "data_batch_1" if train else "test_batch"
    content = pickle.loads((cifar10 / FOLDER_NAME / batch).read_bytes())
    expected = content["data"][0].reshape(3, 32, 32)
    np.testing.assert_array_equal(images.images[0].transpose(2, 0, 1), expected)


@pytest.mark.parametrize("n_test", [1, 10, N_TEST])
def test_the_test_images_beyond_the_test_set_train(cifar10, n_test):
    training = load_training_images(cifar10, n_test=n_test)
    test = load_test_images(cifar10, n_test=n_test)
    whole = load_cifar10(cifar10, train=False).images
    np.testing.assert_array_equal(test.images, whole[:n_test])
    assert len(training.images) == N_TRAIN + N_TEST - n_test
    np.testing.assert_array_equal(training.images[N_TRAIN:], whole[n_test:])
    np.testing.assert_array_equal(
        training.images[:N_TRAIN], load_cifar10(cifar10, train=True).images
    )
    assert ("from" in training.name) == (n_test < N_TEST)


def test_the_inner_folder_is_accepted(cifar10):
    named = load_cifar10(cifar10 / FOLDER_NAME, train=False)
    assert named.sha256 == load_cifar10(str(cifar10), train=False).sha256


def test_the_error_for_missing_data_says_where_to_unpack_it(tmp_path):
    with pytest.raises(DatasetError) as caught:
        load_cifar10(tmp_path, train=True)
    assert str(tmp_path / FOLDER_NAME) in str(caught.value)
    assert CIFAR10_URL in str(caught.value)


@pytest.mark.parametrize("damage", ["change", "remove", "truncate"])
def test_damaged_data_is_rejected_before_it_is_unpickled(cifar10, damage):
    file = cifar10 / FOLDER_NAME / "test_batch"
    if damage == "remove":
        file.unlink()
    else:
        content = file.read_bytes()
        file.write_bytes(content[:100] if damage == "truncate" else content + b"!")
    with pytest.raises(DatasetError, match="incomplete or damaged") as caught:
        load_cifar10(cifar10, train=False)
    assert str(cifar10 / FOLDER_NAME) in str(caught.value)
