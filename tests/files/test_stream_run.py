"""Runs that are stopped, resumed or repeated."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
import zarr
from stored_stacks import MODEL, assert_alike, image_of, pixels, run, write_zarr

from napari_denoise_ae import denoise
from napari_denoise_ae.denoising.dask_blocks import ModelRun, loaded_denoiser
from napari_denoise_ae.files import stream_run, zarr_output
from napari_denoise_ae.io.zarr_target import ZarrTarget

if TYPE_CHECKING:
    from pathlib import Path

# The command prints warnings; pytest would turn them into errors.
pytestmark = pytest.mark.filterwarnings(
    "default::napari_denoise_ae.errors.DenoiseAEWarning"
)


@pytest.mark.parametrize("size", [0, -64])
@pytest.mark.parametrize("name", ["out.zarr", "out.tif"])
def test_an_invalid_tile_size_is_rejected_and_leaves_no_file(
    name, size, gray, tmp_path, capsys
):
    source = write_zarr(tmp_path / "in.zarr", image_of((32, 32)), "YX")
    given = ["--model", gray, "--tile-size", size]
    assert run("denoise", source, tmp_path / name, *given) == 2
    assert "above 0" in capsys.readouterr().err
    assert not (tmp_path / name).exists()


def test_a_resumed_run_computes_only_missing_chunks(
    gray, tmp_path, monkeypatch, capsys
):
    image = image_of((3, 300, 290), "uint8")
    source = write_zarr(tmp_path / "in.zarr", image, "TYX", chunks=(1, 128, 128))
    command = ["denoise", source, tmp_path / "out.zarr", "--model", gray]
    write, written = ZarrTarget.write, []

    def failing(self, level, chunk, block):
        if len(written) == 10:
            raise KeyboardInterrupt
        written.append(chunk)
        write(self, level, chunk, block)

    monkeypatch.setattr(ZarrTarget, "write", failing)
    with pytest.raises(SystemExit) as ended:
        run(*command)
    assert ended.value.code == 130
    assert "the same command resumes the run" in capsys.readouterr().err

    def counting(self, level, chunk, block):
        written.append(chunk)
        write(self, level, chunk, block)

    monkeypatch.setattr(ZarrTarget, "write", counting)
    assert run(*command) == 0
    assert len(written) == len(set(written)) == 27
    assert "kept       10 of 27 chunks" in capsys.readouterr().out
    assert_alike(pixels(tmp_path / "out.zarr"), denoise(image, model=MODEL, axes="TYX"))
    # A finished result is not written again.
    assert run(*command) == 0
    assert len(written) == 27


def test_the_resume_hint_does_not_depend_on_the_case_of_the_suffix(
    gray, tmp_path, monkeypatch, capsys
):
    def interrupted(*_):
        raise KeyboardInterrupt

    source = write_zarr(tmp_path / "in.zarr", image_of((32, 32)), "YX")
    monkeypatch.setattr(ZarrTarget, "write", interrupted)
    with pytest.raises(SystemExit) as ended:
        run("denoise", source, tmp_path / "out.ZARR", "--model", gray)
    assert ended.value.code == 130
    assert "the same command resumes the run" in capsys.readouterr().err


@pytest.mark.parametrize("axes", [["--axes", "yx"], ["--axes", "YX"]])
def test_equivalent_axes_are_the_same_settings(axes, gray, tmp_path, capsys):
    source = write_zarr(tmp_path / "in.zarr", image_of((40, 40)), "YX")
    command = ["denoise", source, tmp_path / "out.zarr", "--model", gray]
    assert run(*command) == 0
    assert run(*command, *axes) == 0
    assert "kept       1 of 1 chunks" in capsys.readouterr().out


def test_a_run_for_another_dtype_is_not_resumed(gray, tmp_path, monkeypatch, capsys):
    image = image_of((2, 40, 40))
    source = write_zarr(tmp_path / "in.zarr", image, "TYX", chunks=(1, 40, 40))
    command = ["denoise", source, tmp_path / "out.zarr", "--model", gray]
    write, written = ZarrTarget.write, []

    def interrupted(self, *arguments):
        if written:
            raise KeyboardInterrupt
        written.append(arguments)
        write(self, *arguments)

    monkeypatch.setattr(ZarrTarget, "write", interrupted)
    with pytest.raises(SystemExit):
        run(*command)
    monkeypatch.setattr(ZarrTarget, "write", write)
    assert run(*command, "--dtype", "float32") == 2
    assert "dtype differ" in capsys.readouterr().err
    assert run(*command, "--dtype", "float32", "--overwrite") == 0
    result = pixels(tmp_path / "out.zarr")
    assert result.dtype == np.float32
    expected = denoise(image, model=MODEL, axes="TYX", dtype="float32")
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-2)
    assert run(*command) == 2
    assert "dtype differ" in capsys.readouterr().err


def test_a_changed_source_is_detected(gray, tmp_path, capsys):
    source = write_zarr(tmp_path / "in.zarr", image_of((40, 40)), "YX")
    command = ["denoise", source, tmp_path / "out.zarr", "--model", gray]
    assert run(*command) == 0
    zarr.open_array(source / "full", mode="r+")[:5] = 7
    assert run(*command) == 2
    assert "signature differ" in capsys.readouterr().err
    assert run(*command, "--overwrite") == 0
    expected = denoise(np.asarray(zarr.open_array(source / "full")), model=MODEL)
    assert_alike(pixels(tmp_path / "out.zarr"), expected)


def start(*arguments: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "napari_denoise_ae", *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def kill_when(process: subprocess.Popen[bytes], condition) -> None:
    """Kill a process with SIGKILL as soon as a condition is true."""
    while not condition():
        assert process.poll() is None, "the process ended before it was killed"
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_a_killed_run_can_be_resumed_with_the_same_result(gray, tmp_path):
    image = image_of((60, 300, 290), "uint8")
    source = write_zarr(tmp_path / "in.zarr", image, "TYX", chunks=(1, 128, 128))
    target = tmp_path / "out.zarr"
    command = ["denoise", source, target, "--model", gray]

    def chunks() -> set[Path]:
        return {path for path in target.glob("0/c/*/*/*") if not path.suffix}

    for more in (1, 20):
        expected = len(chunks()) + more
        kill_when(start(*command), lambda n=expected: len(chunks()) >= n)
    modified = {path: path.stat().st_mtime_ns for path in chunks()}
    assert 21 <= len(modified) < 540
    assert run(*command) == 0
    for path, time_ns in modified.items():
        assert path.stat().st_mtime_ns == time_ns
    assert_alike(pixels(target), denoise(image, model=MODEL, axes="TYX"))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_a_killed_run_leaves_no_tiff(gray, tmp_path):
    image = image_of((60, 300, 290), "uint8")
    tifffile.imwrite(tmp_path / "in.tif", image, metadata={"axes": "TYX"})
    target = tmp_path / "out.tif"
    process = start("denoise", tmp_path / "in.tif", target, "--model", gray)
    kill_when(
        process,
        lambda: any(p.stat().st_size > 2**20 for p in tmp_path.glob(".writing*")),
    )
    assert not target.exists()


def test_a_worker_in_another_folder_finds_the_source(gray, tmp_path, monkeypatch):
    """The cluster is replaced by a function that changes the current folder."""
    image = image_of((40, 40))
    write_zarr(tmp_path / "in.zarr", image, "YX")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    def on_cluster(stream, target, model, *, options, scheduler):
        monkeypatch.chdir(elsewhere)
        denoiser = loaded_denoiser(ModelRun.start(model, "fast"), options.device)
        return zarr_output.write_zarr(stream, target, denoiser)

    monkeypatch.setattr(stream_run, "write_zarr_on_cluster", on_cluster)
    monkeypatch.chdir(tmp_path)
    given = ["--model", gray, "--scheduler", "tcp://nowhere:1"]
    assert run("denoise", "in.zarr", "out.zarr", *given) == 0
    assert_alike(pixels(tmp_path / "out.zarr"), denoise(image, model=MODEL))
