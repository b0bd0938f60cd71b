from __future__ import annotations

import os
import subprocess
import sys

import pytest

from napari_denoise_ae.io import temporary
from napari_denoise_ae.io.find import list_images, matching_images
from napari_denoise_ae.io.temporary import remove, temporary_beside


@pytest.fixture
def ended() -> int:
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-S", "-c", ""])
    process.wait()
    return process.pid


def left_by(process: int, path, host: str | None = None):
    """Return the name that a process would have chosen."""
    name = temporary_beside(path).name.replace(f"-{os.getpid()}-", f"-{process}-")
    return path.with_name(name.replace(temporary._host(), host or temporary._host()))


def test_what_a_process_left_that_has_ended_is_removed(tmp_path, ended):
    folder = tmp_path / "out"
    folder.mkdir()
    elsewhere = tmp_path / "a.tif"
    file, image = left_by(ended, elsewhere).name, left_by(ended, elsewhere).name
    running = left_by(os.getppid(), elsewhere).name
    other_host = left_by(ended, elsewhere, "0a1b2c3d").name
    for name in (file, running, other_host, ".writing-notes", "a.tif"):
        (folder / name).write_text("")
    (folder / image).mkdir()
    (folder / image / "zarr.json").write_text("")
    temporary_beside(folder / "a.tif")
    kept = {path.name for path in folder.iterdir()}
    assert kept == {running, other_host, ".writing-notes", "a.tif"}


def test_a_temporary_file_is_never_an_input(tmp_path):
    file = temporary_beside(tmp_path / "a.tif")
    assert file.suffix == ".tif"
    file.write_text("")
    assert list_images(tmp_path) == []
    assert matching_images(tmp_path / "*.tif") == []


def test_remove_never_raises(tmp_path):
    remove(tmp_path / "missing")
    (tmp_path / "file").write_text("")
    remove(tmp_path / "file" / "below")
    remove(tmp_path / "file")
    assert list(tmp_path.iterdir()) == []
