"""OME-Zarr is read from an address; a server on this machine stands for others."""

from __future__ import annotations

import socket
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import zarr
from command import run
from stored_stacks import MODEL, image_of, write_zarr

from napari_denoise_ae import denoise
from napari_denoise_ae.errors import InvalidInputError, MissingDependencyError
from napari_denoise_ae.io import remote
from napari_denoise_ae.io.ome_zarr import missing_chunks
from napari_denoise_ae.io.source import READERS, open_volume
from napari_denoise_ae.models.checkpoint_file import save_checkpoint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_denoise_ae.io.source import Volume

pytest.importorskip("aiohttp")
STACK = image_of((2, 40, 48))
ALL = (slice(None),) * 3


class _Handler(SimpleHTTPRequestHandler):
    broken = False

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.broken and "/c/" in self.path:
            self.send_error(500)
        else:
            super().do_GET()


@pytest.fixture
def address(tmp_path) -> Iterator[str]:
    """The address of a server that has the image a.ome.zarr."""
    folder = tmp_path / "served"
    write_zarr(folder / "a.ome.zarr", STACK, "ZYX", chunks=(1, 16, 16))
    handler = partial(_Handler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def opened(address: str) -> Volume:
    return open_volume(Path(address))


def test_an_image_is_read_and_denoised(address, tmp_path, capsys):
    volume = opened(f"{address}/a.ome.zarr")
    assert (volume.axes, volume.chunks) == ("ZYX", (1, 16, 16))
    part = volume.read((1,), (slice(3, 20), slice(0, 48)))
    np.testing.assert_array_equal(part[0], STACK[1, 3:20])
    save_checkpoint(MODEL, tmp_path / "gray.pt")
    (tmp_path / "out").mkdir()
    source, given = f"{address}/a.ome.zarr", ["--model", tmp_path / "gray.pt"]
    assert run("denoise", source, tmp_path / "out", *given) == 0
    assert "missing" not in capsys.readouterr().err
    result = open_volume(tmp_path / "out" / "a.ome.zarr")
    expected = denoise(STACK, model=MODEL, axes="ZYX")
    np.testing.assert_array_equal(result.read_part(ALL), expected)
    (tmp_path / "served" / "a.ome.zarr" / "full" / "c" / "0" / "0" / "0").unlink()
    assert run("denoise", source, tmp_path / "b.tif", *given) == 0
    assert "1 of the 18 chunks of the image are missing" in capsys.readouterr().err


def test_an_image_is_opened_once_for_a_run_in_memory(
    address, tmp_path, capsys, monkeypatch
):
    opened_paths, reader = [], READERS[".zarr"]
    monkeypatch.setitem(
        READERS, ".zarr", lambda path: opened_paths.append(path) or reader(path)
    )
    (tmp_path / "served" / "a.ome.zarr" / "full" / "c" / "0" / "0" / "0").unlink()
    source = f"{address}/a.ome.zarr"
    given = ["--model", "conv", "--add-noise", "gaussian:0.1", "--device", "cpu"]
    assert run("denoise", source, tmp_path / "a.tif", *given) == 0
    assert "1 of the 18 chunks of the image are missing" in capsys.readouterr().err
    assert len(opened_paths) == 1


def test_missing_chunks_are_counted_when_they_are_read(address, tmp_path):
    folder = tmp_path / "served" / "b.zarr"
    zarr.create_array(folder, data=STACK + 1, chunks=(1, 32, 48), zarr_format=2)
    (folder / "1.0.0").unlink()
    volume = open_volume(Path(f"{address}/b.zarr"), "ZYX")
    volume.read((0,), (slice(0, 40), slice(0, 48)))
    assert missing_chunks(volume) == ""
    volume.read_part(ALL)
    assert "1 of the 4 chunks of the image are missing" in missing_chunks(volume)
    store = SimpleNamespace(missing={"zarr.json", "c/1/0/0"})
    sharded = SimpleNamespace(chunks=(1, 16, 16), shards=(1, 32, 48), store=store)
    assert remote.RemoteArray(sharded, address).n_missing == 6


def test_what_cannot_be_read_or_written_is_said(address, tmp_path, monkeypatch, capsys):
    with pytest.raises(InvalidInputError, match=rf"{address}/b.zarr: there is no Zarr"):
        opened(f"{address}/b.zarr")
    with pytest.raises(InvalidInputError, match="only OME-Zarr images are read"):
        opened(f"{address}/b.tif")
    volume = opened(f"{address}/a.ome.zarr")
    monkeypatch.setattr(_Handler, "broken", True)
    with pytest.raises(InvalidInputError, match=rf"Cannot read {address}.*: 500"):
        volume.read_part(ALL)
    source = tmp_path / "served" / "a.ome.zarr"
    assert run("denoise", source, f"{address}/out.zarr") == 2
    assert f"Cannot write {address}/out.zarr" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(
        MissingDependencyError, match=r"s3://b/a.zarr.*s3fs.*\[remote\]"
    ):
        opened("s3://b/a.zarr")


def test_a_server_that_does_not_answer_is_given_up(monkeypatch):
    monkeypatch.setattr(remote, "TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(InvalidInputError, match=r"no answer within 0.3 s"):
            opened(f"http://127.0.0.1:{port}/a.zarr")
    with pytest.raises(
        InvalidInputError, match=rf"Cannot read http://127.0.0.1:{port}"
    ):
        opened(f"http://127.0.0.1:{port}/a.zarr")


def test_s3_is_read_without_credentials_if_there_are_none(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for name in remote._CREDENTIALS:
        monkeypatch.delenv(name, raising=False)
    assert remote._options("s3://bucket/a.zarr")["anon"]
    monkeypatch.setenv("AWS_PROFILE", "mine")
    assert not remote._options("s3://bucket/a.zarr")["anon"]
