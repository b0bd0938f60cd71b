from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from napari_denoise_ae._version import __version__
from napari_denoise_ae.errors import DeviceError
from napari_denoise_ae.files.cluster_connection import connect, has_workers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

distributed = pytest.importorskip("distributed")

# distributed leaves resources open when its processes end.
pytestmark = [
    pytest.mark.xdist_group("cluster"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
MODULE = "napari_denoise_ae.files.cluster_connection"


@pytest.fixture(autouse=True)
def _short_timeout(monkeypatch):
    monkeypatch.setattr(f"{MODULE}._TIMEOUT", 2)


@pytest.fixture
def cluster():
    with distributed.LocalCluster(
        n_workers=1, processes=False, dashboard_address=":0", protocol="tcp"
    ) as cluster:
        yield cluster


def error_of(address: str) -> str:
    with pytest.raises(DeviceError) as error, connect(address):
        pass
    return str(error.value)


@pytest.mark.parametrize(
    "address",
    [
        *("http://127.0.0.1:9", "ucx://127.0.0.1:9", "inproc://x", "tcp://127.0.0.1"),
        *("tcp://", "://", "local", "/tmp/x.json", "tcp://127.0.0.1:0", "a\nb:1"),
        *("tcp://127.0.0.1:99999", "tcp://[::1:9"),
    ],
)
def test_an_address_of_another_form_is_refused_at_once(address):
    error = error_of(address)
    assert "is not the address of a scheduler" in error
    assert "\n" not in error


def test_an_encrypted_address_needs_certificates():
    assert "has no certificates" in error_of("tls://127.0.0.1:9")


@pytest.mark.parametrize(
    "address", ["127.0.0.1:1", "tcp://[::1]:1", "ws://127.0.0.1:1"]
)
def test_a_scheduler_that_does_not_answer_is_one_error(address, monkeypatch):
    monkeypatch.setattr(f"{MODULE}._TIMEOUT", 0.3)
    assert "No scheduler answered at" in error_of(address)
    # A client would keep Python from ending.
    assert not [c for c in distributed.Client._instances if c.status != "closed"]


def test_another_program_at_the_address_is_one_error():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 9)
            connection.close()

        threading.Thread(target=answer, daemon=True).start()
        port = server.getsockname()[1]
        assert "No scheduler answered at" in error_of(f"tcp://127.0.0.1:{port}")


@contextmanager
def worker(address: str, folder: Path, module: str) -> Iterator[subprocess.Popen]:
    """Run a worker in a process of its own, in which a module comes first."""
    folder.mkdir(parents=True)
    (folder / module).parent.mkdir(exist_ok=True)
    ((folder / module).parent / "__init__.py").touch()
    (folder / module).write_text(FOREIGN[module])
    command = [sys.executable, "-m", "distributed.cli.dask_worker", address]
    process = subprocess.Popen(
        [*command, "--no-nanny", "--no-dashboard", "--local-directory", folder / "x"],
        env={**os.environ, "PYTHONPATH": str(folder)},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


# A package of another version, and a Python that finds none.
FOREIGN = {
    "napari_denoise_ae/_version.py": "__version__ = '0.0.7'",
    "sitecustomize.py": "import sys; sys.modules['napari_denoise_ae'] = None",
}


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGSTOP there")
def test_workers_of_other_installations_are_one_error(tmp_path, monkeypatch):
    old, without = FOREIGN
    monkeypatch.setattr(f"{MODULE}._TIMEOUT", 30)
    with (
        distributed.LocalCluster(
            n_workers=0, dashboard_address=":0", protocol="tcp", processes=False
        ) as cluster,
        worker(cluster.scheduler_address, tmp_path / "old", old),
        worker(cluster.scheduler_address, tmp_path / "without", without) as process,
    ):
        while len(cluster.scheduler.workers) < 2:
            time.sleep(0.1)
        error = error_of(cluster.scheduler_address)
        assert "has 0.0.7" in error
        assert "lacks it" in error
        process.send_signal(signal.SIGSTOP)
        monkeypatch.setattr(f"{MODULE}._TIMEOUT", 2)
        error = error_of(cluster.scheduler_address)
        assert "did not answer within 2 s, although" in error


def test_workers_are_asked_for_their_version(cluster, monkeypatch):
    address = cluster.scheduler_address
    with connect(address) as client:
        assert has_workers(client)
    monkeypatch.setattr(f"{MODULE}.__version__", "9.9")
    error = error_of(address.removeprefix("tcp://"))
    assert "All workers need napari-denoise-ae 9.9" in error
    assert f"has {__version__}. Install it" in error
    monkeypatch.setattr(f"{MODULE}._VERSION", "no_such_package:__version__")
    assert "lacks it" in error_of(address)
