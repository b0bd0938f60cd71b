"""Results are written to OME-Zarr chunk by chunk."""

from __future__ import annotations

import numpy as np
import pytest
import yaozarrs
import zarr
from stored_stacks import MODEL, assert_alike, image_of, pixels, run, write_zarr

from napari_denoise_ae import denoise
from napari_denoise_ae.io.ome_zarr import read_ome_zarr

# The command prints warnings; pytest would turn them into errors.
pytestmark = pytest.mark.filterwarnings(
    "default::napari_denoise_ae.errors.DenoiseAEWarning"
)


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
def test_an_ome_zarr_is_denoised_into_an_ome_zarr(
    shape, axes, chunks, version, gray, tmp_path, capsys
):
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


def test_large_planes_get_downsampled_levels(gray, tmp_path):
    image = image_of((2, 2500, 130), "uint8")
    source = write_zarr(tmp_path / "in.zarr", image, "TYX", chunks=(1, 512, 130))
    assert run("denoise", source, tmp_path / "out.zarr", "--model", gray) == 0
    root = zarr.open_group(tmp_path / "out.zarr", mode="r")
    whole, half = np.asarray(root["0"]), np.asarray(root["1"])
    assert half.shape == (2, 1250, 65)
    means = whole.reshape(2, 1250, 2, 65, 2).mean(axis=(2, 4))
    np.testing.assert_array_equal(half, np.rint(means))
    yaozarrs.validate_zarr_store(str(tmp_path / "out.zarr"))


def test_levels_of_a_float32_result_are_not_rounded(gray, tmp_path):
    image = image_of((2500, 130), "uint8")
    source = write_zarr(tmp_path / "in.zarr", image, "YX", chunks=(512, 130))
    given = ["--model", gray, "--dtype", "float32"]
    assert run("denoise", source, tmp_path / "out.zarr", *given) == 0
    root = zarr.open_group(tmp_path / "out.zarr", mode="r")
    whole, half = np.asarray(root["0"]), np.asarray(root["1"])
    assert whole.dtype == half.dtype == np.float32
    means = whole.reshape(1250, 2, 65, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(half, means, rtol=1e-5)
    assert not np.array_equal(half, np.rint(half))


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


def test_display_settings_without_intensities_are_completed(gray, tmp_path):
    omero = {"channels": [{"label": "a", "color": "FF0000"}]}
    image = image_of((1, 32, 32))
    source = write_zarr(tmp_path / "in.zarr", image, "CYX", omero=omero)
    assert run("denoise", source, tmp_path / "out.zarr", "--model", gray) == 0
    yaozarrs.validate_zarr_store(str(tmp_path / "out.zarr"))
    (channel,) = read_ome_zarr(tmp_path / "out.zarr")[1].channels
    assert (channel.name, channel.color) == ("a", "FF0000")
    assert channel.window == (image.min(), image.max())


def test_missing_chunks_are_counted(gray, tmp_path, capsys):
    image = image_of((2, 64, 64)) + 1
    source = write_zarr(tmp_path / "in.zarr", image, "ZYX", chunks=(1, 32, 64))
    (source / "full" / "c" / "1" / "1" / "0").unlink()
    assert run("denoise", source, tmp_path / "out.zarr", "--model", gray) == 0
    said = capsys.readouterr().err
    assert "1 of the 4 chunks of the image are missing. They are read as 0" in said
