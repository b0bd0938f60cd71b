from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest

from napari_denoise_ae.errors import OutputError
from napari_denoise_ae.io.lock import locked

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
