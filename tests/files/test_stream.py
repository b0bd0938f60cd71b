"""Files of any size through the command, chunk by chunk."""

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
import torch
import yaozarrs
import zarr
from synthetic import random_checkpoint

from napari_denoise_ae import denoise
from napari_denoise_ae.cli.main import main
from napari_denoise_ae.denoising.dask_blocks import ModelRun, loaded_denoiser
from napari_denoise_ae.denoising.denoiser import Denoiser
from napari_denoise_ae.files import stream_run, zarr_output
from napari_denoise_ae.files.range_scan import RangeScan
from napari_denoise_ae.io import tiff
from napari_denoise_ae.io.images import ImageFile, read_image, write_image
from napari_denoise_ae.io.ome_zarr import read_ome_zarr
from napari_denoise_ae.io.source import Volume, open_volume
from napari_denoise_ae.io.zarr_target import ZarrTarget
from napari_denoise_ae.models.checkpoint_file import save_checkpoint
from napari_denoise_ae.models.devices import DeviceChoice

if TYPE_CHECKING:
    from pathlib import Path

# The command prints warnings itself; here they shall not become errors.
pytestmark = pytest.mark.filterwarnings(
    "default::napari_denoise_ae.errors.DenoiseAEWarning"
)

MODEL = random_checkpoint(in_channels=1)
TYPES = {"T": "time", "C": "channel"}


@pytest.fixture(scope="module")
def gray(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("model") / "gray.pt"
    save_checkpoint(MODEL, path)
    return path


def image_of(shape: tuple[int, ...], dtype: str = "uint16") -> np.ndarray:
    return (4000 * np.random.default_rng(0).random(shape)).astype(dtype)


def write_zarr(
    path: Path,
    image: np.ndarray,
    axes: str,
    *,
    chunks: tuple[int, ...] | None = None,
    version: str = "0.5",
    **more: object,
) -> Path:
    """An OME-Zarr of one level, as another program writes it."""
    scale = [0.5 if letter in "YX" else 2.0 for letter in axes]
    described = [
        {"name": letter.lower(), "type": TYPES.get(letter, "space")}
        | ({"unit": "micrometer"} if letter in "ZYX" else {})
        for letter in axes
    ]
    dataset = {
        "path": "full",
        "coordinateTransformations": [{"type": "scale", "scale": scale}],
    }
    content = {"multiscales": [{"axes": described, "datasets": [dataset]}], **more}
    if version == "0.5":
        content = {"ome": {"version": "0.5", **content}}
    root = zarr.create_group(
        path, zarr_format=3 if version == "0.5" else 2, attributes=content
    )
    stored = root.create_array(
        "full", shape=image.shape, chunks=chunks or image.shape, dtype=image.dtype
    )
    stored[:] = image
    return path


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def pixels(path: Path) -> np.ndarray:
    return np.asarray(read_ome_zarr(path)[0])


def assert_alike(result: np.ndarray, expected: np.ndarray) -> None:
    assert (result.shape, result.dtype) == (expected.shape, expected.dtype)
    assert np.abs(result.astype(float) - expected).max() <= 1


# --- OME-Zarr --------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "axes", "chunks"),
    [
        ((300, 290), "YX", (128, 128)),
        ((300, 290), "YX", (100, 100)),
        ((2, 3, 70, 90), "TCYX", (1, 3, 70, 90)),
        ((2, 2, 70, 90), "CZYX", (1, 2, 32, 32)),
        ((9, 8), "YX", (9, 8)),
    ],
)
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_an_ome_zarr_becomes_one(shape, axes, chunks, version, gray, tmp_path, capsys):
    image = image_of(shape)
    source = write_zarr(
        tmp_path / "in.ome.zarr", image, axes, chunks=chunks, version=version
    )
    target = tmp_path / "out.ome.zarr"
    assert run("denoise", source, target, "--model", gray) == 0
    assert f"({axes}), uint16" in capsys.readouterr().out
    assert_alike(pixels(target), denoise(image, model=MODEL, axes=axes))
    yaozarrs.validate_zarr_store(str(target))
    metadata = read_ome_zarr(target)[1]
    given = read_ome_zarr(source)[1]
    assert (metadata.axes, metadata.version) == (axes, version)
    assert (metadata.scale, metadata.units) == (given.scale, given.units)


def test_large_planes_get_levels_that_are_means(gray, tmp_path):
    image = image_of((2, 2500, 130), "uint8")
    source = write_zarr(tmp_path / "in.zarr", image, "TYX", chunks=(1, 512, 130))
    assert run("denoise", source, tmp_path / "out.zarr", "--model", gray) == 0
    root = zarr.open_group(tmp_path / "out.zarr", mode="r")
    whole, half = np.asarray(root["0"]), np.asarray(root["1"])
    assert half.shape == (2, 1250, 65)
    means = whole.reshape(2, 1250, 2, 65, 2).mean(axis=(2, 4))
    np.testing.assert_array_equal(half, np.rint(means))
    yaozarrs.validate_zarr_store(str(tmp_path / "out.zarr"))


def test_names_and_colors_of_channels_are_kept(gray, tmp_path):
    window = {"start": 0, "end": 4000, "min": 0, "max": 65535}
    channels = [
        {"label": name, "color": "FF0000", "window": window} for name in ("a", "b")
    ]
    source = write_zarr(
        tmp_path / "in.zarr", image_of((2, 32, 32)), "CYX", omero={"channels": channels}
    )
    target = tmp_path / "out.zarr"
    assert run("denoise", source, target, "--model", gray, "--select", "C=1") == 0
    omero = read_ome_zarr(target)[1].omero
    assert [channel["label"] for channel in omero["channels"]] == ["b"]


def test_nan_and_what_exceeds_a_given_range_are_kept(gray, tmp_path):
    image = image_of((200, 200), "float32")
    image[50:60, :] = np.nan
    image[0, 0] = 1e6
    source = write_zarr(tmp_path / "in.zarr", image, "YX", chunks=(128, 128))
    given = ["--model", gray, "--intensity-range", "0,4000"]
    assert run("denoise", source, tmp_path / "out.zarr", *given) == 0
    result = pixels(tmp_path / "out.zarr")
    np.testing.assert_array_equal(np.isnan(result), np.isnan(image))
    expected = denoise(image, model=MODEL, intensity_range=(0, 4000))
    np.testing.assert_allclose(result, expected, atol=0.1, rtol=1e-5)


@pytest.mark.parametrize("options", [[], ["--range-of", "image"]])
def test_ranges_are_those_of_the_image_in_memory(options, gray, tmp_path):
    image = image_of((3, 2, 150, 140), "int16") * np.array([1, 8]).reshape(2, 1, 1)
    image = image.astype("int16")
    source = write_zarr(tmp_path / "in.zarr", image, "TCYX", chunks=(1, 1, 64, 64))
    given = ["--model", gray, *options]
    assert run("denoise", source, tmp_path / "out.zarr", *given) == 0
    range_of = options[1] if options else "stack"
    expected = denoise(image, model=MODEL, axes="TCYX", range_of=range_of)
    assert_alike(pixels(tmp_path / "out.zarr"), expected)


def test_a_range_may_be_given_for_each_channel(gray, tmp_path, capsys):
    image = image_of((2, 40, 40))
    source = write_zarr(tmp_path / "in.zarr", image, "CYX")
    ranges = ["--intensity-range", "0,4000", "--intensity-range", "0,8000"]
    assert run("denoise", source, tmp_path / "out.zarr", "--model", gray, *ranges) == 0
    expected = denoise(
        image, model=MODEL, axes="CYX", intensity_range=[(0, 4000), (0, 8000)]
    )
    assert_alike(pixels(tmp_path / "out.zarr"), expected)
    assert "channel 0: 0 to 4000, channel 1: 0 to 8000" in capsys.readouterr().out


def test_a_plain_zarr_array_needs_axes(gray, tmp_path, capsys):
    image = image_of((2, 40, 40))
    path = tmp_path / "in.zarr"
    zarr.create_array(path, data=image)
    assert run("denoise", path, tmp_path / "out.zarr", "--model", gray) == 2
    assert "with axes" in capsys.readouterr().err
    given = ["--model", gray, "--axes", "ZYX"]
    assert run("denoise", path, tmp_path / "out.zarr", *given) == 0
    expected = denoise(image, model=MODEL, axes="ZYX")
    assert_alike(pixels(tmp_path / "out.zarr"), expected)


def test_a_part_is_what_it_is_in_the_whole(gray, tmp_path):
    image = image_of((4, 300, 290), "uint8")
    source = write_zarr(tmp_path / "in.zarr", image, "TYX", chunks=(1, 128, 128))
    part = ["--select", "T=1:3", "--select", "Y=37:201", "--select", "x=130:290"]
    for name in ("out.zarr", "out.tif"):
        assert run("denoise", source, tmp_path / name, "--model", gray, *part) == 0
    expected = denoise(image, model=MODEL, axes="TYX")[1:3, 37:201, 130:290]
    assert_alike(pixels(tmp_path / "out.zarr"), expected)
    assert_alike(tifffile.imread(tmp_path / "out.tif"), expected)
    origin = read_ome_zarr(tmp_path / "out.zarr")[1].origin
    assert origin == {"T": 2.0, "Y": 18.5, "X": 65.0}


@pytest.mark.parametrize("options", ["", "--figure", "--reference"])
@pytest.mark.parametrize("names", [("in.png", "out.png"), ("in.zarr", "out.tif")])
def test_a_part_denoised_in_memory_is_what_it_is_in_the_whole(
    names, options, gray, tmp_path
):
    image = image_of((300, 290), "uint8")
    source, target = (tmp_path / name for name in names)
    write_image(tmp_path / "whole.png", ImageFile(image, "YX"))
    write_image(tmp_path / "in.png", ImageFile(image, "YX"))
    write_zarr(tmp_path / "in.zarr", image, "YX", chunks=(128, 128))
    more = {"--figure": tmp_path / "f.png", "--reference": tmp_path / "whole.png"}
    given = [options, more[options]] if options else []
    part = ["--select", "Y=37:201", "--select", "X=130:290"]
    assert run("denoise", source, target, "--model", gray, *part, *given) == 0
    expected = denoise(image, model=MODEL)[37:201, 130:290]
    assert_alike(read_image(target).pixels, expected)


def test_the_range_of_a_part_is_its_own(gray, tmp_path):
    """Whether it is denoised in memory or written chunk by chunk."""
    image = image_of((300, 290))
    image[0, 0] = 60000
    write_image(tmp_path / "in.png", ImageFile(image, "YX"))
    part = ["--select", "Y=37:201", "--select", "X=130:290"]
    for name in ("out.png", "out.zarr"):
        given = [tmp_path / "in.png", tmp_path / name, "--model", gray]
        assert run("denoise", *given, *part) == 0
    cut = image[37:201, 130:290]
    ranges = (int(cut.min()), int(cut.max()))
    expected = denoise(image, model=MODEL, intensity_range=ranges)[37:201, 130:290]
    assert_alike(read_image(tmp_path / "out.png").pixels, expected)
    assert_alike(pixels(tmp_path / "out.zarr"), expected)


@pytest.mark.parametrize("shape", [(60, 50), (20, 30)])
def test_a_reference_of_a_part_is_cut_or_fits(shape, gray, tmp_path, capsys):
    image = image_of((60, 50), "uint8")
    write_image(tmp_path / "in.png", ImageFile(image, "YX"))
    reference = image if shape == (60, 50) else image[20:40, 10:40]
    write_image(tmp_path / "clean.png", ImageFile(reference.copy(), "YX"))
    part = ["--select", "Y=20:40", "--select", "X=10:40"]
    given = ["--model", gray, "--reference", tmp_path / "clean.png", *part]
    assert run("denoise", tmp_path / "in.png", tmp_path / "out.png", *given) == 0
    assert "inf" in capsys.readouterr().out  # the noisy image is the clean one


def test_a_part_with_added_noise_has_the_shape_of_the_part(gray, tmp_path):
    write_image(tmp_path / "in.png", ImageFile(image_of((300, 290), "uint8"), "YX"))
    part = ["--select", "Y=37:201", "--select", "X=130:290"]
    given = ["--model", gray, "--add-noise", "gaussian:0.1", *part]
    assert run("denoise", tmp_path / "in.png", tmp_path / "out.png", *given) == 0
    for name in ("out.png", "out_noisy.png"):
        assert read_image(tmp_path / name).pixels.shape == (164, 160)


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("Z=1", "no axis Z"),
        ("T=2:9", "T=0:4"),
        ("Y=5:5", "Y=0:32"),
        ("Y=-3:5", "Y=0:32"),
    ],
)
def test_a_part_that_is_not_there_is_refused(part, words, gray, tmp_path, capsys):
    source = write_zarr(tmp_path / "in.zarr", image_of((4, 32, 32)), "TYX")
    given = ["--model", gray, "--select", part]
    assert run("denoise", source, tmp_path / "out.zarr", *given) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out.zarr").exists()


@pytest.mark.parametrize("part", ["T", "T=", "T=a:b", "1:2"])
def test_a_part_that_cannot_be_read_is_a_mistake(part, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        run("denoise", "in.zarr", "out.zarr", "--select", part)
    assert ended.value.code == 2


@pytest.mark.parametrize("size", [0, -64])
@pytest.mark.parametrize("name", ["out.zarr", "out.tif"])
def test_tiles_of_no_size_are_refused_and_leave_nothing(
    name, size, gray, tmp_path, capsys
):
    source = write_zarr(tmp_path / "in.zarr", image_of((32, 32)), "YX")
    given = ["--model", gray, "--tile-size", size]
    assert run("denoise", source, tmp_path / name, *given) == 2
    assert "above 0" in capsys.readouterr().err
    assert not (tmp_path / name).exists()


def test_two_parts_of_one_axis_are_refused(gray, tmp_path, capsys):
    source = write_zarr(tmp_path / "in.zarr", image_of((32, 32)), "YX")
    part = ["--select", "Y=0:9", "--select", "y=20:29"]
    assert run("denoise", source, tmp_path / "out.zarr", "--model", gray, *part) == 2
    assert "Y is selected from twice" in capsys.readouterr().err
    assert not (tmp_path / "out.zarr").exists()


def test_a_scheduler_without_an_address_is_a_mistake(gray, tmp_path, capsys):
    source = write_zarr(tmp_path / "in.zarr", image_of((32, 32)), "YX")
    given = ["--model", gray, "--scheduler", ""]
    assert run("denoise", source, tmp_path / "out.zarr", *given) == 2
    assert "address" in capsys.readouterr().err
    assert not (tmp_path / "out.zarr").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
@pytest.mark.parametrize("name", ["out.tif", "out.png", "out.zarr"])
def test_a_link_to_itself_gives_no_traceback(name, gray, tmp_path, capsys):
    image = image_of((32, 32), "uint8")
    tifffile.imwrite(tmp_path / "in.tif", image)
    (tmp_path / name).symlink_to(tmp_path / name)
    given = [tmp_path / "in.tif", tmp_path / name, "--model", gray]
    if name == "out.zarr":
        assert run("denoise", *given) == 2
        assert "out.zarr" in capsys.readouterr().err
    else:
        assert run("denoise", *given) == 0
        assert_alike(read_image(tmp_path / name).pixels, denoise(image, model=MODEL))


def test_infinity_ends_a_run_with_one_error(gray, tmp_path, capsys):
    image = image_of((64, 64), "float32")
    image[3, 3] = np.inf
    source = write_zarr(tmp_path / "in.zarr", image, "YX")
    for given in ([], ["--intensity-range", "0,4000"]):
        command = ["denoise", source, tmp_path / "out.zarr", "--model", gray, *given]
        assert run(*command, "--overwrite") == 2
        assert "infinite" in capsys.readouterr().err


def test_nothing_but_nan_is_an_error(gray, tmp_path, capsys):
    image = np.full((64, 64), np.nan, "float32")
    source = write_zarr(tmp_path / "in.zarr", image, "YX")
    assert run("denoise", source, tmp_path / "out.zarr", "--model", gray) == 2
    assert "nothing but NaN" in capsys.readouterr().err


def test_a_result_is_not_written_into_its_source(gray, tmp_path, capsys):
    source = write_zarr(tmp_path / "in.zarr", image_of((64, 64)), "YX")
    for target in (source, source / "out.zarr"):
        assert run("denoise", source, target, "--model", gray) == 2
        assert "replace the input" in capsys.readouterr().err


def test_a_chunk_that_is_damaged_is_one_error(gray, tmp_path, capsys):
    source = write_zarr(
        tmp_path / "in.zarr", image_of((300, 300)), "YX", chunks=(128, 128)
    )
    (source / "full" / "c" / "2" / "2").write_bytes(b"damaged")
    assert run("denoise", source, tmp_path / "out.zarr", "--model", gray) == 2
    assert "in.zarr" in capsys.readouterr().err


@pytest.mark.parametrize("options", [[], ["--figure", "f.png"]])
def test_a_damaged_chunk_is_one_error_in_memory_too(
    options, gray, tmp_path, monkeypatch, capsys
):
    source = write_zarr(tmp_path / "in.zarr", image_of((64, 64), "uint8"), "YX")
    (source / "full" / "c" / "0" / "0").write_bytes(b"damaged")
    monkeypatch.chdir(tmp_path)
    given = ["--model", gray, "--select", "Y=3:40", *options]
    assert run("denoise", source, "out.png", *given) == 2
    assert "Cannot read a part" in capsys.readouterr().err


# --- going on --------------------------------------------------------------


def test_what_is_done_is_not_done_again(gray, tmp_path, monkeypatch, capsys):
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
    assert "the same command goes on" in capsys.readouterr().err

    def counting(self, level, chunk, block):
        written.append(chunk)
        write(self, level, chunk, block)

    monkeypatch.setattr(ZarrTarget, "write", counting)
    assert run(*command) == 0
    assert len(written) == len(set(written)) == 27
    assert "kept       10 of 27 chunks" in capsys.readouterr().out
    assert_alike(pixels(tmp_path / "out.zarr"), denoise(image, model=MODEL, axes="TYX"))
    # A result that is finished is left as it is.
    assert run(*command) == 0
    assert len(written) == 27


def test_what_is_kept_is_said_whatever_the_case_of_the_suffix(
    gray, tmp_path, monkeypatch, capsys
):
    def interrupted(*_):
        raise KeyboardInterrupt

    source = write_zarr(tmp_path / "in.zarr", image_of((32, 32)), "YX")
    monkeypatch.setattr(ZarrTarget, "write", interrupted)
    with pytest.raises(SystemExit) as ended:
        run("denoise", source, tmp_path / "out.ZARR", "--model", gray)
    assert ended.value.code == 130
    assert "the same command goes on" in capsys.readouterr().err


def test_the_lowest_and_highest_value_are_not_sought_again(
    gray, tmp_path, monkeypatch, capsys
):
    image = image_of((2, 300, 290))
    source = write_zarr(tmp_path / "in.zarr", image, "TYX", chunks=(1, 128, 128))
    target = tmp_path / "out.zarr"
    command = ["denoise", source, target, "--model", gray]
    assert run(*command) == 0

    def not_again(self):
        raise AssertionError("the source is read once more")

    monkeypatch.setattr(RangeScan, "__iter__", not_again)
    (target / "0" / "c" / "1" / "0" / "0").unlink()
    assert run(*command) == 0
    assert "kept       17 of 18 chunks" in capsys.readouterr().out
    assert_alike(pixels(target), denoise(image, model=MODEL, axes="TYX"))
    # Of what is finished nothing is read at all.
    monkeypatch.setattr(Volume, "read", not_again)
    assert run(*command) == 0
    assert "kept       18 of 18 chunks" in capsys.readouterr().out


@pytest.mark.parametrize("axes", [["--axes", "yx"], ["--axes", "YX"]])
def test_the_same_axes_in_other_words_are_no_other_run(axes, gray, tmp_path, capsys):
    source = write_zarr(tmp_path / "in.zarr", image_of((40, 40)), "YX")
    command = ["denoise", source, tmp_path / "out.zarr", "--model", gray]
    assert run(*command) == 0
    assert run(*command, *axes) == 0
    assert "kept       1 of 1 chunks" in capsys.readouterr().out


def test_a_changed_source_is_noticed(gray, tmp_path, capsys):
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


def kill_when(process: subprocess.Popen[bytes], come) -> None:
    """Kill a process with SIGKILL as soon as something has come."""
    while not come():
        assert process.poll() is None, "it has ended by itself"
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_a_killed_run_goes_on_and_gives_the_same(gray, tmp_path):
    image = image_of((60, 300, 290), "uint8")
    source = write_zarr(tmp_path / "in.zarr", image, "TYX", chunks=(1, 128, 128))
    target = tmp_path / "out.zarr"
    command = ["denoise", source, target, "--model", gray]

    def chunks() -> set[Path]:
        return {path for path in target.glob("0/c/*/*/*") if not path.suffix}

    for more in (1, 20):
        wanted = len(chunks()) + more
        kill_when(start(*command), lambda wanted=wanted: len(chunks()) >= wanted)
    there = {path: path.stat().st_mtime_ns for path in chunks()}
    assert 21 <= len(there) < 540
    assert run(*command) == 0
    for path, changed in there.items():
        assert path.stat().st_mtime_ns == changed
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
    """A stand-in for a cluster: what is sent to it is used in another folder."""
    image = image_of((40, 40))
    write_zarr(tmp_path / "in.zarr", image, "YX")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    def on_cluster(stream, target, model, *, device, scheduler):
        monkeypatch.chdir(elsewhere)
        denoiser = loaded_denoiser(ModelRun.start(model), device)
        return zarr_output.write_zarr(stream, target, denoiser)

    monkeypatch.setattr(stream_run, "write_zarr_on_cluster", on_cluster)
    monkeypatch.chdir(tmp_path)
    given = ["--model", gray, "--scheduler", "tcp://nowhere:1"]
    assert run("denoise", "in.zarr", "out.zarr", *given) == 0
    assert_alike(pixels(tmp_path / "out.zarr"), denoise(image, model=MODEL))


# --- TIFF ------------------------------------------------------------------


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float16", "float32"])
def test_a_tiff_is_denoised_page_by_page(dtype, compression, gray, tmp_path):
    image = image_of((3, 40, 50), dtype)
    tifffile.imwrite(
        tmp_path / "in.tif",
        image,
        photometric="minisblack",
        compression=compression,
        metadata={"axes": "ZYX"},
        byteorder=">",
    )
    target = tmp_path / "out.tif"
    assert run("denoise", tmp_path / "in.tif", target, "--model", gray) == 0
    expected = denoise(image, model=MODEL, axes="ZYX")
    assert_alike(tifffile.imread(target).astype(dtype), expected)
    with tifffile.TiffFile(target) as tiff:
        assert (tiff.series[0].axes, tiff.series[0].dtype) == ("ZYX", dtype)


@pytest.mark.parametrize("layout", ["contiguous", "tiled", "strips"])
@pytest.mark.parametrize("axes", ["YX", "YXS"])
def test_large_pages_are_read_and_written_in_tiles(layout, axes, tmp_path):
    shape = (2200, 600) if axes == "YX" else (2200, 600, 3)
    model = random_checkpoint(in_channels=3 if "S" in axes else 1)
    save_checkpoint(model, tmp_path / "model.pt")
    image = image_of(shape, "uint8")
    options = {
        "contiguous": {},
        "tiled": {"tile": (256, 256), "compression": "zlib"},
        "strips": {"rowsperstrip": 64, "compression": "zlib"},
    }[layout]
    photometric = "rgb" if "S" in axes else "minisblack"
    tifffile.imwrite(tmp_path / "in.tif", image, photometric=photometric, **options)
    target = tmp_path / "out.tif"
    given = ["--model", tmp_path / "model.pt"]
    assert run("denoise", tmp_path / "in.tif", target, *given) == 0
    assert_alike(tifffile.imread(target), denoise(image, model=model))
    with tifffile.TiffFile(target) as tiff:
        assert tiff.pages[0].is_tiled
        assert tiff.series[0].axes == axes


@pytest.mark.parametrize("name", ["out.tif", "out.ome.tif"])
@pytest.mark.parametrize(
    ("shape", "axes", "n_bytes"),
    [((3, 40, 50), "ZYX", 3 * 40 * 50 * 2), ((2, 2100, 20), "ZYX", 2 * 2560 * 512 * 2)],
)
def test_what_is_too_large_for_a_tiff_is_a_bigtiff(
    shape, axes, n_bytes, name, gray, tmp_path, monkeypatch
):
    """The limit is lowered, for 4 GB take too long. Tiles are filled up."""
    image = image_of(shape)
    metadata = {"axes": axes}
    tifffile.imwrite(
        tmp_path / "in.tif", image, photometric="minisblack", metadata=metadata
    )
    command = ["denoise", tmp_path / "in.tif", tmp_path / name, "--model", gray]
    for limit, sign in ((n_bytes, b"*\0"), (n_bytes - 1, b"+\0")):
        monkeypatch.setattr(tiff, "_LARGEST_CLASSIC_TIFF", limit)
        assert run(*command) == 0
        header = (tmp_path / name).read_bytes()[:4]
        assert header in (b"II" + sign, b"MM" + sign[::-1])
    expected = denoise(image, model=MODEL, axes=axes)
    assert_alike(tifffile.imread(tmp_path / name), expected)


def test_an_ome_tiff_keeps_the_size_of_its_pixels(gray, tmp_path):
    image = image_of((2, 3, 40, 50))
    metadata = {
        "axes": "TCYX",
        "PhysicalSizeX": 0.1,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": 0.2,
        "TimeIncrement": 3.0,
        "TimeIncrementUnit": "s",
    }
    tifffile.imwrite(tmp_path / "in.ome.tif", image, metadata=metadata)
    expected = denoise(image, model=MODEL, axes="TCYX")
    for name in ("out.ome.tif", "out.ome.zarr"):
        given = [tmp_path / "in.ome.tif", tmp_path / name, "--model", gray]
        assert run("denoise", *given) == 0
    assert_alike(tifffile.imread(tmp_path / "out.ome.tif"), expected)
    assert_alike(pixels(tmp_path / "out.ome.zarr"), expected)
    for name in ("out.ome.tif", "out.ome.zarr"):
        volume = open_volume(tmp_path / name)
        assert volume.axes == "TCYX"
        known = {k: v for k, v in volume.scale.items() if k != "C"}
        assert known == {"T": 3.0, "Y": 0.2, "X": 0.1}
        assert volume.units == {"T": "second", "Y": "micrometer", "X": "micrometer"}


def test_an_ome_zarr_becomes_a_tiff_for_imagej(gray, tmp_path):
    image = image_of((3, 40, 50))
    source = write_zarr(tmp_path / "in.zarr", image, "ZYX")
    assert run("denoise", source, tmp_path / "out.tif", "--model", gray) == 0
    with tifffile.TiffFile(tmp_path / "out.tif") as tiff:
        assert_alike(tiff.asarray(), denoise(image, model=MODEL, axes="ZYX"))
        assert tiff.imagej_metadata["unit"] == "micron"
        assert tiff.imagej_metadata["spacing"] == 2.0
        assert tiff.series[0].keyframe.resolution == (2.0, 2.0)


def test_colors_become_channels_in_an_ome_zarr(checkpoint, tmp_path):
    save_checkpoint(checkpoint, tmp_path / "model.pt")
    image = image_of((50, 40, 3), "uint8")
    tifffile.imwrite(tmp_path / "in.tif", image, photometric="rgb")
    target = tmp_path / "out.zarr"
    given = ["--model", tmp_path / "model.pt"]
    assert run("denoise", tmp_path / "in.tif", target, *given) == 0
    expected = denoise(image, model=checkpoint)
    assert_alike(pixels(target).transpose(1, 2, 0), expected)
    metadata = read_ome_zarr(target)[1]
    assert metadata.axes == "CYX"
    colors = [channel["color"] for channel in metadata.omero["channels"]]
    assert colors == ["FF0000", "00FF00", "0000FF"]


def test_a_tiff_whose_colors_come_first_is_denoised_in_memory(checkpoint, tmp_path):
    save_checkpoint(checkpoint, tmp_path / "model.pt")
    image = image_of((3, 50, 40), "uint8")
    tifffile.imwrite(
        tmp_path / "in.tif", image, photometric="rgb", planarconfig="separate"
    )
    given = ["--model", tmp_path / "model.pt"]
    assert run("denoise", tmp_path / "in.tif", tmp_path / "out.tif", *given) == 0
    expected = denoise(image, model=checkpoint, axes="SYX")
    assert_alike(tifffile.imread(tmp_path / "out.tif"), expected)


def test_a_failure_leaves_no_tiff(gray, tmp_path, capsys):
    image = image_of((3, 40, 50), "float32")
    image[2, 3, 3] = np.inf
    tifffile.imwrite(
        tmp_path / "in.tif", image, photometric="minisblack", metadata={"axes": "TYX"}
    )
    before = sorted(tmp_path.iterdir())
    given = ["--model", gray, "--intensity-range", "0,4000"]
    assert run("denoise", tmp_path / "in.tif", tmp_path / "out.tif", *given) == 2
    assert "infinite" in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "options", [["--add-noise", "gaussian:0.1"], ["--figure", "out.png"]]
)
def test_an_ome_zarr_is_not_compared(options, gray, tmp_path, capsys):
    source = write_zarr(tmp_path / "in.zarr", image_of((64, 64)), "YX")
    command = ["denoise", source, tmp_path / "out.zarr", "--model", gray, *options]
    assert run(*command) == 2
    assert "Omit --add-noise" in capsys.readouterr().err


def test_an_ome_zarr_may_be_the_clean_image(gray, tmp_path, capsys):
    source = write_zarr(tmp_path / "in.zarr", image_of((64, 64)), "YX")
    options = ["--add-noise", "gaussian:0.1", "--model", gray]
    assert run("denoise", source, tmp_path / "out.tif", *options) == 0
    assert "PSNR" in capsys.readouterr().out
    assert (tmp_path / "out_noisy.tif").is_file()


@pytest.mark.parametrize("name", ["out.png", "out.tif", "out.zarr"])
def test_a_report_names_the_device_that_finished(
    name, gray, tmp_path, monkeypatch, capsys
):
    denoise_tile = Denoiser.denoise_tile

    def fallen(self, *arguments):
        self.device = DeviceChoice(torch.device("cpu"), "cuda ran out of memory")
        denoise_tile(self, *arguments)

    monkeypatch.setattr(Denoiser, "denoise_tile", fallen)
    tifffile.imwrite(tmp_path / "in.tif", image_of((32, 32), "uint8"))
    given = [tmp_path / "in.tif", tmp_path / name, "--model", gray]
    assert run("denoise", *given) == 0
    assert "cpu (cuda ran out of memory)" in capsys.readouterr().out


# --- memory ----------------------------------------------------------------


def test_no_more_is_read_at_once_than_a_chunk_and_its_halo(gray, tmp_path, monkeypatch):
    """So that the memory that is needed does not grow with the image."""
    sizes = []
    denoise_tile = Denoiser.denoise_tile

    def noted(self, source, *rest):
        sizes.append(source.shape)
        denoise_tile(self, source, *rest)

    monkeypatch.setattr(Denoiser, "denoise_tile", noted)
    tifffile.imwrite(tmp_path / "in.tif", image_of((2100, 2100), "uint8"))
    source = write_zarr(
        tmp_path / "in.zarr", image_of((600, 600), "uint8"), "YX", chunks=(128, 128)
    )
    assert run("denoise", source, tmp_path / "out.zarr", "--model", gray) == 0
    assert max(max(shape) for shape in sizes) == 128 + 2 * 16
    sizes.clear()
    given = [tmp_path / "in.tif", tmp_path / "out.tif"]
    assert run("denoise", *given, "--model", gray) == 0
    assert max(max(shape) for shape in sizes) == 512 + 2 * 16
