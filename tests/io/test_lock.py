from __future__ import annotations

import errno
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from napari_denoise_ae.errors import OutputError
from napari_denoise_ae.io import lock as lock_module
from napari_denoise_ae.io.lock import locked, remove_free_lock

HOLD = """
import sys, pathlib, time
from napari_denoise_ae.io.lock import locked
with locked(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def refuse(path) -> None:
    with pytest.raises(OutputError, match="another run is writing it"), locked(path):
        pass


@pytest.fixture(params=["this system", "Windows"])
def _system(request, monkeypatch):
    """Also run the code for Windows, with a stand-in for its function."""
    if request.param == "this system":
        return
    fcntl = pytest.importorskip("fcntl")

    def locking(descriptor: int, mode: str, n_bytes: int) -> None:
        assert (mode, n_bytes) == ("at once", 1)
        assert os.lseek(descriptor, 0, os.SEEK_CUR) == lock_module._LOCKED_BYTE
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise PermissionError(errno.EACCES, "Permission denied") from error

    windows = SimpleNamespace(locking=locking, LK_NBLCK="at once", LK_LOCK="wait")
    monkeypatch.setitem(sys.modules, "msvcrt", windows)
    monkeypatch.setattr(lock_module, "sys", SimpleNamespace(platform="win32"))


@pytest.mark.usefixtures("_system")
def test_a_second_run_is_refused_until_the_first_has_ended(tmp_path):
    path = tmp_path / "a.pt"
    with locked(path):
        refuse(path)
        with locked(tmp_path / "b.pt"):
            pass
    with locked(path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_the_lock_of_a_process_that_is_killed_is_free(tmp_path):
    path = tmp_path / "a.pt"
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        refuse(path)
        process.kill()
    with locked(path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_was_left_is_removed_unless_someone_holds_it(tmp_path):
    path, file = tmp_path / "a.zarr", tmp_path / ".a.zarr.lock"
    remove_free_lock(path)
    with locked(path):
        remove_free_lock(path)
        assert file.exists()
    file.touch()
    remove_free_lock(path)
    assert not file.exists()


@pytest.mark.skipif(os.name != "posix", reason="a lock of POSIX")
def test_a_file_system_without_locks_is_written(tmp_path, monkeypatch):
    import fcntl

    def unsupported(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", unsupported)
    with locked(tmp_path / "a.pt"):
        pass


def test_a_lock_that_cannot_be_written_is_an_error(tmp_path):
    with (
        pytest.raises(OutputError, match=r"Cannot write .*a\.pt: the folder"),
        locked(tmp_path / "missing" / "a.pt"),
    ):
        pass
