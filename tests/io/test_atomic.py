from __future__ import annotations

import errno
import os
import stat
import tempfile
from pathlib import Path

import pytest

from napari_denoise_ae.errors import OutputError
from napari_denoise_ae.io.atomic import atomic_write, require_writable


def test_a_file_is_written(tmp_path):
    path = tmp_path / "a.txt"
    with atomic_write(path) as temporary:
        assert temporary.suffix == ".txt"
        assert not path.exists()
        temporary.write_text("new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_replaced(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with atomic_write(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


@pytest.mark.parametrize("exists", [True, False])
def test_the_file_that_a_link_points_to_is_replaced(tmp_path, exists):
    (tmp_path / "folder").mkdir()
    path, target = tmp_path / "a.txt", tmp_path / "folder" / "b.txt"
    if exists:
        target.write_text("old")
    path.symlink_to(target)
    with atomic_write(path) as temporary:
        temporary.write_text("new")
    assert path.is_symlink()
    assert target.read_text() == "new"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_after_an_error_only_the_old_file_remains(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write() -> None:
        with atomic_write(path) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        write()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_the_file_has_default_permissions(tmp_path):
    (tmp_path / "plain").write_text("")
    with atomic_write(tmp_path / "atomic") as temporary:
        temporary.write_text("")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1


def test_the_umask_is_never_changed(tmp_path, monkeypatch):
    """All threads share it: files written meanwhile would get other permissions."""
    monkeypatch.setattr(os, "umask", pytest.fail)
    with atomic_write(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "a.txt").read_text() == "new"


def test_a_full_disk_is_an_error_and_leaves_no_file(tmp_path, monkeypatch):
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with (
        pytest.raises(OutputError, match="No space left on device"),
        atomic_write(tmp_path / "a.txt") as temporary,
    ):
        temporary.write_text("new")
    assert list(tmp_path.iterdir()) == []


def deny(*_: object, **__: object) -> None:
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def test_a_read_only_folder_is_an_error(tmp_path, monkeypatch):
    # root may write anywhere, so the error is simulated.
    monkeypatch.setattr(Path, "touch", deny)
    with (
        pytest.raises(OutputError, match=r"Cannot write .*a\.txt: Permission denied"),
        atomic_write(tmp_path / "a.txt"),
    ):
        pass


def test_the_error_names_a_missing_folder(tmp_path):
    path = tmp_path / "missing" / "a.txt"
    with (
        pytest.raises(OutputError, match=r"missing does not exist\. Create it"),
        atomic_write(path),
    ):
        pass
    with pytest.raises(OutputError, match=r"missing does not exist\. Create it"):
        require_writable(path)


def test_require_writable_leaves_no_file(tmp_path):
    require_writable(tmp_path / "a.txt")
    assert list(tmp_path.iterdir()) == []


def test_require_writable_rejects_a_folder(tmp_path):
    with pytest.raises(OutputError, match="it is a folder"):
        require_writable(tmp_path)


def test_require_writable_rejects_a_read_only_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "TemporaryFile", deny)
    with pytest.raises(OutputError, match="Permission denied"):
        require_writable(tmp_path / "a.txt")


def test_require_writable_rejects_a_file_as_parent(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Not a directory"):
        require_writable(tmp_path / "file" / "a.txt")


def test_require_writable_rejects_a_name_that_is_too_long(tmp_path):
    with pytest.raises(OutputError, match="name too long"):
        require_writable(tmp_path / ("a" * 300))
