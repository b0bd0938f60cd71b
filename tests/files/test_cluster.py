"""Denoising with dask.distributed, on a local cluster."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

import dask.array as da
import numpy as np
import pytest
import zarr
from synthetic import random_checkpoint

from napari_denoise_ae import denoise
from napari_denoise_ae.cli.main import main
from napari_denoise_ae.denoising.options import DenoiseOptions
from napari_denoise_ae.files.job import FileJob
from napari_denoise_ae.files.route import FileDenoising
from napari_denoise_ae.models.checkpoint_file import save_checkpoint

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
    pytest.mark.filterwarnings("default::napari_denoise_ae.errors.DenoiseAEWarning"),
]

MODEL = random_checkpoint(in_channels=1)


@pytest.fixture
def cluster() -> Iterator[distributed.LocalCluster]:
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address=":0",
        host="127.0.0.1",
    ) as cluster:
        yield cluster


def image_of(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def assert_alike(result: np.ndarray, expected: np.ndarray) -> None:
    assert np.abs(result.astype(int) - expected).max() <= 1


def files(folder: Path, image: np.ndarray) -> list[object]:
    """Write an image and a model; return the arguments of the command."""
    save_checkpoint(MODEL, folder / "gray.pt")
    chunks = (1, 128, 128)
    stored = zarr.create_array(
        folder / "in.zarr", shape=image.shape, chunks=chunks, dtype=image.dtype
    )
    stored[:] = image
    paths = [folder / "in.zarr", folder / "out.zarr"]
    return ["denoise", *paths, "--model", folder / "gray.pt", "--axes", "TYX"]


@pytest.mark.slow
def test_the_graph_and_the_command_run_on_a_cluster(cluster, tmp_path, capsys):
    image = image_of((3, 300, 2100))
    expected = denoise(image, model=MODEL, axes="TYX")
    with distributed.Client(cluster) as client:
        lazy = denoise(
            da.from_array(image, chunks=(1, 128, 512)), model=MODEL, axes="TYX"
        )
        assert_alike(lazy.compute(), expected)

        # A local function is pickled by value; workers cannot import the tests.
        def n_loaded() -> int:
            from napari_denoise_ae.denoising import dask_blocks

            return dask_blocks._load.cache_info().misses

        loaded = client.run(n_loaded)
    # Each process has loaded the network at most once.
    assert set(loaded.values()) <= {0, 1}
    assert sum(loaded.values()) >= 1
    command = files(tmp_path, image)
    address = cluster.scheduler_address
    assert main([*map(str, command), "--scheduler", address]) == 0
    printed = capsys.readouterr().out
    assert f"device     workers of {address}" in printed
    root = zarr.open_group(tmp_path / "out.zarr", mode="r")
    assert_alike(np.asarray(root["0"]), expected)
    assert root["1"].shape == (3, 150, 1050)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_a_worker_that_is_killed_does_not_change_the_result(cluster, tmp_path):
    image = image_of((40, 500, 500))
    command = files(tmp_path, image)
    workers = [info["id"] for info in cluster.scheduler_info["workers"].values()]
    assert len(workers) == 2
    with distributed.Client(cluster, set_as_default=False) as client:
        process = min(client.run(os.getpid).values())

    def kill_during_run() -> None:
        while len(list((tmp_path / "out.zarr" / "0").rglob("*"))) < 60:
            time.sleep(0.01)
        os.kill(process, signal.SIGKILL)
        killed.set()

    killed = threading.Event()
    killer = threading.Thread(target=kill_during_run, daemon=True)
    killer.start()
    address = cluster.scheduler_address
    assert main([*map(str, command), "--scheduler", address]) == 0
    assert killed.is_set()
    result = np.asarray(zarr.open_group(tmp_path / "out.zarr", mode="r")["0"])
    assert_alike(result, denoise(image, model=MODEL, axes="TYX"))


def test_an_unreachable_scheduler_is_reported(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("napari_denoise_ae.files.cluster_connection._TIMEOUT", 0.2)
    command = files(tmp_path, image_of((1, 64, 64)))
    assert main([*map(str, command), "--scheduler", "tcp://127.0.0.1:1"]) == 2
    assert "No scheduler answered at 'tcp://127.0.0.1:1'" in capsys.readouterr().err


def small_cluster(n_workers: int) -> distributed.LocalCluster:
    """Return a cluster of threads of this process."""
    return distributed.LocalCluster(
        n_workers=n_workers, processes=False, dashboard_address=":0", protocol="tcp"
    )


def test_a_scheduler_without_workers_is_reported(tmp_path, capsys, monkeypatch):
    command = files(tmp_path, image_of((1, 64, 64)))
    with small_cluster(0) as cluster:
        monkeypatch.setattr("napari_denoise_ae.files.cluster_connection._TIMEOUT", 2)
        address = cluster.scheduler_address
        assert main([*map(str, command), "--scheduler", address]) == 2
    printed = capsys.readouterr().err
    assert "No worker connected to the scheduler" in printed
    assert f"dask worker {address}" in printed


def test_a_run_ends_if_no_worker_is_left(tmp_path, capsys, monkeypatch):
    command = files(tmp_path, image_of((1, 64, 64)))
    finished = threading.Event()
    module = "napari_denoise_ae.files.cluster"
    monkeypatch.setattr(f"{module}.write_chunk", lambda *_: finished.wait(20))
    monkeypatch.setattr(f"{module}.has_workers", lambda _: False)
    monkeypatch.setattr(f"{module}._LOOK", 0.1)
    monkeypatch.setattr(f"{module}._PATIENCE", 0.3)
    with small_cluster(1) as cluster:
        status = main([*map(str, command), "--scheduler", cluster.scheduler_address])
        finished.set()
    assert status == 2
    assert "has had no worker for" in capsys.readouterr().err


def test_a_lost_connection_is_reported(tmp_path, capsys, monkeypatch):
    command = files(tmp_path, image_of((1, 64, 64)))
    finished = threading.Event()

    def lose_connection(*_: object) -> None:
        for client in list(distributed.Client._instances):
            for state in list(client.futures.values()):
                # A client does this when its scheduler stops answering.
                client.loop.add_callback(state.cancel)
        finished.wait(20)

    monkeypatch.setattr("napari_denoise_ae.files.cluster.write_chunk", lose_connection)
    with small_cluster(1) as cluster:
        address = cluster.scheduler_address
        status = main([*map(str, command), "--scheduler", address])
        finished.set()
    assert status == 2
    error = capsys.readouterr().err
    assert f"connection to the scheduler at '{address}' was lost" in error


def test_a_stopped_run_closes_its_client_and_can_be_resumed(tmp_path):
    image = image_of((20, 256, 256))
    files(tmp_path, image)
    with small_cluster(1) as cluster:
        job = FileJob(
            input=tmp_path / "in.zarr",
            output=tmp_path / "out.zarr",
            model=str(tmp_path / "gray.pt"),
            options=DenoiseOptions(axes="TYX"),
            scheduler=cluster.scheduler_address,
        )
        steps = iter(FileDenoising(job))
        next(steps)
        steps.close()
        assert not [c for c in distributed.Client._instances if c.status == "running"]
        run = FileDenoising(job)
        *_, last = run
    assert run.result.n_kept >= 1
    assert last.done == last.total == run.result.n_chunks
    result = np.asarray(zarr.open_group(tmp_path / "out.zarr", mode="r")["0"])
    assert_alike(result, denoise(image, model=MODEL, axes="TYX"))


def test_a_cluster_writes_only_ome_zarr(tmp_path, capsys):
    command = files(tmp_path, image_of((1, 64, 64)))
    command[2] = tmp_path / "out.tif"
    assert main([*map(str, command), "--scheduler", "tcp://127.0.0.1:1"]) == 2
    assert "omit --scheduler" in capsys.readouterr().err


def test_a_missing_package_is_reported(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    command = files(tmp_path, image_of((1, 64, 64)))
    assert main([*map(str, command), "--scheduler", "tcp://127.0.0.1:1"]) == 2
    assert "napari-denoise-ae[distributed]" in capsys.readouterr().err
