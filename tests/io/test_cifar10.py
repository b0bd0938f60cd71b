from __future__ import annotations

import http.server
import pickle
import tarfile
import threading
from contextlib import contextmanager
from functools import partial
from hashlib import md5
from typing import TYPE_CHECKING

import numpy as np
import pooch
import pytest
import requests
from fake_cifar10 import FOLDER_NAME, N_TEST, N_TRAIN
from synthetic import image_set

from napari_denoise_ae.errors import DatasetError
from napari_denoise_ae.io import download
from napari_denoise_ae.io.cifar10 import (
    CIFAR10_URL,
    ImageSet,
    load_cifar10,
    load_test_images,
    load_training_images,
)
from napari_denoise_ae.io.download import download_cifar10
from napari_denoise_ae.training.split import split_indices

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.mark.parametrize(
    ("n_images", "val_fraction"), [(2, 0.5), (10, 0.1), (10, 0.9), (1001, 0.1)]
)
def test_a_split_is_disjoint_and_complete(n_images, val_fraction):
    split = split_indices(n_images, val_fraction, seed=3)
    assert len(split.val) == round(n_images * val_fraction)
    both = np.concatenate([split.train, split.val])
    np.testing.assert_array_equal(np.sort(both), np.arange(n_images))


def test_the_seed_decides_the_split():
    first, again = split_indices(100, 0.1, seed=0), split_indices(100, 0.1, seed=0)
    other = split_indices(100, 0.1, seed=1)
    np.testing.assert_array_equal(first.val, again.val)
    assert set(first.val) != set(other.val)


@pytest.mark.parametrize(
    ("n_images", "val_fraction"), [(0, 0.5), (1, 0.5), (4, 0.1), (4, 0.9)]
)
def test_an_empty_part_is_refused(n_images, val_fraction):
    with pytest.raises(DatasetError, match=f"{n_images} images cannot be split"):
        split_indices(n_images, val_fraction, seed=0)


def test_the_checksum_tells_images_apart():
    first, other = image_set(), image_set(seed=1)
    assert first.sha256 == image_set().sha256
    assert first.sha256 != other.sha256
    # Whatever way they lie in memory.
    turned = np.asfortranarray(first.images)
    assert ImageSet("turned", turned).sha256 == first.sha256


@pytest.mark.parametrize(("train", "n_images"), [(True, N_TRAIN), (False, N_TEST)])
def test_cifar10_is_read_as_rgb_bytes(cifar10, train, n_images):
    images = load_cifar10(cifar10, train=train)
    assert images.images.shape == (n_images, 32, 32, 3)
    assert images.images.dtype == np.uint8
    assert ("training" if train else "test") in images.name
    # The first quarter of a row of the file is the first square, in red.
    batch = "data_batch_1" if train else "test_batch"
    content = pickle.loads((cifar10 / FOLDER_NAME / batch).read_bytes())
    expected = content["data"][0].reshape(3, 32, 32)
    np.testing.assert_array_equal(images.images[0].transpose(2, 0, 1), expected)


@pytest.mark.parametrize("n_test", [1, 10, N_TEST])
def test_the_first_test_images_are_kept_apart_and_the_others_train(cifar10, n_test):
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


def test_the_inner_folder_may_be_named(cifar10):
    named = load_cifar10(cifar10 / FOLDER_NAME, train=False)
    assert named.sha256 == load_cifar10(str(cifar10), train=False).sha256


def test_missing_data_says_what_to_put_where(tmp_path):
    with pytest.raises(DatasetError) as caught:
        load_cifar10(tmp_path, train=True)
    assert str(tmp_path / FOLDER_NAME) in str(caught.value)
    assert CIFAR10_URL in str(caught.value)


@pytest.mark.parametrize("damage", ["change", "remove", "truncate"])
def test_damaged_data_is_refused_before_it_is_unpickled(cifar10, damage):
    file = cifar10 / FOLDER_NAME / "test_batch"
    if damage == "remove":
        file.unlink()
    else:
        content = file.read_bytes()
        file.write_bytes(content[:100] if damage == "truncate" else content + b"!")
    with pytest.raises(DatasetError, match="incomplete or damaged") as caught:
        load_cifar10(cifar10, train=False)
    assert str(cifar10 / FOLDER_NAME) in str(caught.value)


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine alone."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Handler, directory=str(folder))
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def served(cifar10, tmp_path, monkeypatch) -> Iterator[Path]:
    """The data as an archive on a server, and an empty folder to fetch it to."""
    server, target = tmp_path / "server", tmp_path / "target"
    server.mkdir()
    archive = server / "cifar-10-python.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(cifar10 / FOLDER_NAME, FOLDER_NAME)
    checksum = md5(archive.read_bytes()).hexdigest()
    monkeypatch.setattr(download, "CIFAR10_HASH", f"md5:{checksum}")
    with serve(server) as address:
        monkeypatch.setattr(download, "CIFAR10_URL", f"{address}/{archive.name}")
        yield target


def test_missing_data_is_fetched_checked_and_read(served, cifar10):
    fetch = partial(download_cifar10, progress=False)
    fetched = load_cifar10(served, train=True, download=fetch)
    assert fetched.sha256 == load_cifar10(cifar10, train=True).sha256


def test_data_that_is_there_is_not_fetched(cifar10):
    def fetch(_folder: Path) -> None:
        raise AssertionError("fetched")

    assert len(load_cifar10(cifar10, train=True, download=fetch).images) == N_TRAIN


def test_a_download_with_another_checksum_is_refused(served, monkeypatch):
    monkeypatch.setattr(download, "CIFAR10_HASH", "md5:" + "0" * 32)
    with pytest.raises(DatasetError, match="another checksum"):
        download_cifar10(served, progress=False)
    assert not served.exists()


def test_a_page_that_is_not_there_is_a_data_set_error(served, monkeypatch):
    monkeypatch.setattr(download, "CIFAR10_URL", download.CIFAR10_URL + "x")
    with pytest.raises(DatasetError, match="HTTPError"):
        download_cifar10(served, progress=False)


def test_offline_the_error_says_what_to_put_where(tmp_path, monkeypatch):
    def offline(*_: object, **__: object) -> None:
        raise requests.ConnectionError("no network")

    monkeypatch.setattr(pooch, "retrieve", offline)
    with pytest.raises(DatasetError) as caught:
        download_cifar10(tmp_path)
    message = str(caught.value)
    assert all(part in message for part in (str(tmp_path), CIFAR10_URL, "offline"))


def test_a_folder_that_cannot_be_made_is_a_data_set_error(served):
    served.write_text("a file")
    with pytest.raises(DatasetError, match="Fetching it failed"):
        download_cifar10(served, progress=False)


def test_an_interrupted_download_leaves_nothing(served, monkeypatch):
    def interrupted(*_: object, **__: object) -> Iterator[bytes]:
        yield b"the first bytes"
        raise KeyboardInterrupt

    monkeypatch.setattr(requests.Response, "iter_content", interrupted)
    with pytest.raises(KeyboardInterrupt):
        download_cifar10(served, progress=False)
    assert not served.exists()


def test_a_failed_download_leaves_a_folder_that_was_there(served, monkeypatch):
    served.mkdir()
    monkeypatch.setattr(download, "CIFAR10_URL", download.CIFAR10_URL + "x")
    with pytest.raises(DatasetError):
        download_cifar10(served, progress=False)
    assert list(served.iterdir()) == []


def test_interrupted_while_unpacking_it_can_be_fetched_again(served, monkeypatch):
    """A folder that is only partly there must not pass for the data."""
    copy, copied = tarfile.copyfileobj, []

    def interrupted(source, target, *rest, **options):
        copied.append(target)
        if len(copied) == 3:
            raise KeyboardInterrupt
        copy(source, target, *rest, **options)

    fetch = partial(download_cifar10, progress=False)
    with monkeypatch.context() as patch:
        patch.setattr(tarfile, "copyfileobj", interrupted)
        with pytest.raises(KeyboardInterrupt):
            load_cifar10(served, train=True, download=fetch)
    assert len(load_cifar10(served, train=True, download=fetch).images) == N_TRAIN
