"""CIFAR-10 is downloaded from a server in this process."""

from __future__ import annotations

import tarfile
import threading
import time
from contextlib import contextmanager
from functools import partial
from hashlib import md5
from http.server import (
    BaseHTTPRequestHandler,
    HTTPServer,
    SimpleHTTPRequestHandler,
    ThreadingHTTPServer,
)
from typing import TYPE_CHECKING

import pooch
import pytest
import requests
from fake_cifar10 import FOLDER_NAME, N_TRAIN

from napari_denoise_ae.errors import DatasetError
from napari_denoise_ae.io import download
from napari_denoise_ae.io.cifar10 import CIFAR10_URL, has_cifar10, load_cifar10
from napari_denoise_ae.io.download import ensure_cifar10, fetch_cifar10

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve a folder on the loopback interface."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(
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
    """Archive of the data on a server, and an empty folder to download it to."""
    server, target = tmp_path / "server", tmp_path / "target"
    server.mkdir()
    archive = server / "cifar-10-python.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(cifar10 / FOLDER_NAME, FOLDER_NAME)
    checksum = md5(archive.read_bytes()).hexdigest()
    monkeypatch.setattr(download, "CIFAR10_HASH", f"md5:{checksum}")
    monkeypatch.setenv("NO_PROXY", "*")
    with serve(server) as address:
        monkeypatch.setattr(download, "CIFAR10_URL", f"{address}/{archive.name}")
        yield target


def fetch(folder: Path) -> None:
    """Run a download to its end."""
    for _ in fetch_cifar10(folder, threading.Event()):
        pass


def test_cifar10_is_downloaded_verified_and_read(served, cifar10):
    fetch(served)
    fetched = load_cifar10(served, train=True)
    assert fetched.sha256 == load_cifar10(cifar10, train=True).sha256


def test_a_download_with_a_wrong_checksum_is_rejected(served, monkeypatch):
    monkeypatch.setattr(download, "CIFAR10_HASH", "md5:" + "0" * 32)
    with pytest.raises(DatasetError, match="wrong checksum"):
        fetch(served)
    assert not served.exists()


def test_a_missing_page_is_a_dataset_error(served, monkeypatch):
    monkeypatch.setattr(download, "CIFAR10_URL", download.CIFAR10_URL + "x")
    with pytest.raises(DatasetError, match="HTTPError"):
        fetch(served)


def test_the_error_when_offline_says_where_to_unpack_the_data(tmp_path, monkeypatch):
    def offline(*_: object, **__: object) -> None:
        raise requests.ConnectionError("no network")

    monkeypatch.setattr(pooch, "retrieve", offline)
    with pytest.raises(DatasetError) as caught:
        fetch(tmp_path)
    message = str(caught.value)
    assert all(part in message for part in (str(tmp_path), CIFAR10_URL, "offline"))


def test_a_folder_that_cannot_be_created_is_a_dataset_error(served):
    served.write_text("a file")
    with pytest.raises(DatasetError, match="The download failed"):
        fetch(served)


def test_an_interrupted_download_leaves_no_file(served, monkeypatch):
    def interrupted(*_: object, **__: object) -> Iterator[bytes]:
        yield b"the first bytes"
        raise KeyboardInterrupt

    monkeypatch.setattr(requests.Response, "iter_content", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch(served)
    assert not served.exists()


def test_a_failed_download_keeps_an_existing_folder(served, monkeypatch):
    served.mkdir()
    monkeypatch.setattr(download, "CIFAR10_URL", download.CIFAR10_URL + "x")
    with pytest.raises(DatasetError):
        fetch(served)
    assert list(served.iterdir()) == []


def test_the_download_can_be_repeated_after_unpacking_was_interrupted(
    served, monkeypatch
):
    """An incomplete folder must not be mistaken for the data."""
    copy, copied = tarfile.copyfileobj, []

    def interrupted(source, target, *rest, **options):
        copied.append(target)
        if len(copied) == 3:
            raise KeyboardInterrupt
        copy(source, target, *rest, **options)

    with monkeypatch.context() as patch:
        patch.setattr(tarfile, "copyfileobj", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fetch(served)
    assert not has_cifar10(served)
    fetch(served)
    assert len(load_cifar10(served, train=True).images) == N_TRAIN


# --- only if asked, and only into a folder of its own


def ensure(folder: Path, *, download: bool) -> None:
    for _ in ensure_cifar10(folder, threading.Event(), download=download):
        pass


def test_data_that_exists_is_not_downloaded(cifar10, monkeypatch):
    monkeypatch.setattr(download, "fetch_cifar10", None)
    ensure(cifar10, download=True)
    ensure(cifar10 / FOLDER_NAME, download=False)


def test_missing_data_is_not_downloaded_unless_asked(served):
    with pytest.raises(DatasetError, match=r"170 MB\) with --download.*download=True"):
        ensure(served, download=False)
    assert not served.exists()
    ensure(served / FOLDER_NAME, download=True)
    assert has_cifar10(served)


@pytest.mark.parametrize("download", [True, False])
def test_nothing_is_downloaded_into_a_folder_with_other_files(served, download):
    served.mkdir()
    (served / "notes.txt").write_text("precious")
    with pytest.raises(DatasetError, match=r"other files, such as notes\.txt"):
        ensure(served, download=download)
    (served / "a.tif").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"holds images.*--images.*images="):
        ensure(served, download=download)
    assert sorted(path.name for path in served.iterdir()) == ["a.tif", "notes.txt"]


def test_leftovers_of_a_download_do_not_prevent_the_next(served):
    (served / "cifar-10-unpacking").mkdir(parents=True)
    for name in (".DS_Store", "cifar-10-python.tar.gz", "tmpab_12cd3"):
        (served / name).write_bytes(b"half")
    ensure(served, download=True)
    assert has_cifar10(served)


def test_unreadable_folder_is_an_error(tmp_path, monkeypatch):
    def deny(_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(tmp_path), "iterdir", deny)
    with pytest.raises(DatasetError, match=r"Cannot read .*: Permission denied"):
        ensure(tmp_path, download=True)


class _Trickle(BaseHTTPRequestHandler):
    """Send the first bytes of a large file, then stall until released."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(10**8))
        self.end_headers()
        self.wfile.write(bytes(10**6))
        self.server.released.wait()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def stalling_server(monkeypatch):
    server = HTTPServer(("127.0.0.1", 0), _Trickle)
    server.released = threading.Event()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("NO_PROXY", "*")
    url = f"http://127.0.0.1:{server.server_port}/cifar-10-python.tar.gz"
    monkeypatch.setattr(download, "CIFAR10_URL", url)
    yield server
    server.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_stalled_download_is_cancelled_at_once(stalling_server, tmp_path):
    stop = threading.Event()
    for progress in fetch_cifar10(tmp_path / "data", stop):
        if progress.done > 0:
            assert progress.total == 10**8
            stop.set()
    # The server keeps the connection open: waiting for it would never end.
    stalling_server.released.set()
    deadline = time.perf_counter() + 120
    while (tmp_path / "data").exists() and time.perf_counter() < deadline:
        time.sleep(0.05)
    assert not (tmp_path / "data").exists()


def test_a_truncated_download_is_an_error(stalling_server, tmp_path):
    stalling_server.released.set()  # fewer bytes arrive than were announced
    with pytest.raises(DatasetError, match="The download failed"):
        list(fetch_cifar10(tmp_path / "data", threading.Event()))
