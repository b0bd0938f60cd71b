"""Results are compressed as their sources are, or as the user says."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tifffile
import zarr
from command import run
from stored_stacks import MODEL, image_of

from napari_denoise_ae import denoise
from napari_denoise_ae.io.source import open_image

PYRAMID = {"tile": (64, 64), "photometric": "minisblack", "compression": "jpeg"}


@pytest.mark.parametrize(
    ("options", "given", "name", "expected"),
    [
        ({}, [], "out.tif", "none"),
        ({"compression": "lzw"}, [], "out.tif", "lzw"),
        ({"compression": "zstd"}, [], "out.ome.tif", "zstd"),
        ({"compression": "jpeg"}, [], "out.tif", "deflate"),
        ({"compression": "lzw"}, [], "out.zarr", "zstd"),
        ({"compression": "lzw"}, ["none"], "out.tif", "none"),
        ({}, ["zstd"], "out.tif", "zstd"),
        ({}, ["jpeg"], "out.tif", "other"),
        ({}, ["none"], "out.zarr", "none"),
        ({}, ["blosc"], "out.zarr", "blosc"),
    ],
)
def test_a_result_is_compressed(options, given, name, expected, gray, tmp_path):
    image = image_of((72, 50), "uint8")
    tifffile.imwrite(tmp_path / "in.tif", image, **options)
    arguments = [f"--compression={each}" for each in given]
    command = ["denoise", tmp_path / "in.tif", tmp_path / name, "--model", gray]
    assert run(*command, *arguments) == 0
    result = open_image(tmp_path / name)
    assert result.compression == expected
    if "jpeg" not in (*given, options.get("compression")):
        pixels = np.asarray(result.array[...])
        np.testing.assert_array_equal(pixels, denoise(image, model=MODEL))
    if name == "out.tif" and given != ["jpeg"]:
        # ImageJ knows neither tiles nor predictors.
        with tifffile.TiffFile(tmp_path / name) as tiff:
            assert not tiff.pages.first.is_tiled


def test_an_imagej_tiff_stays_one_without_predictors(gray, tmp_path):
    stack = image_of((3, 40, 50), "uint16")
    metadata = {"axes": "TYX", "unit": "um", "spacing": 2.0, "finterval": 0.5}
    tifffile.imwrite(
        tmp_path / "in.tif",
        stack,
        imagej=True,
        resolution=(4, 4),
        metadata=metadata,
        compression="zlib",
    )
    command = ["denoise", tmp_path / "in.tif", tmp_path / "out.tif", "--model", gray]
    assert run(*command) == 0
    with tifffile.TiffFile(tmp_path / "out.tif") as tiff:
        assert tiff.is_imagej
        assert tiff.pages.first.compression == tifffile.COMPRESSION.ADOBE_DEFLATE
        assert tiff.pages.first.predictor == 1
        assert tiff.imagej_metadata["finterval"] == 0.5
        expected = denoise(stack, model=MODEL, axes="TYX")
        np.testing.assert_array_equal(tiff.asarray(), expected)


@pytest.mark.parametrize(
    ("name", "added"),
    [
        ("out.ome.tif", []),
        ("out.ome.tif", ["--add-noise", "gaussian:0.1"]),
        ("out.zarr", []),
    ],
)
def test_a_pyramid_is_written_again(name, added, gray, tmp_path):
    image = image_of((2, 300, 200), "uint8")
    with tifffile.TiffWriter(tmp_path / "in.tif", ome=True) as writer:
        writer.write(image, subifds=2, metadata={"axes": "ZYX"}, **PYRAMID)
        for step in (2, 4):
            level = np.ascontiguousarray(image[:, ::step, ::step])
            writer.write(level, subfiletype=1, metadata=None, **PYRAMID)
    command = ["denoise", tmp_path / "in.tif", tmp_path / name, "--model", gray]
    assert run(*command, *added) == 0
    if name == "out.zarr":
        group = zarr.open_group(tmp_path / name, mode="r")
        levels = [np.asarray(group[str(number)][...]) for number in range(3)]
    else:
        levels = [
            tifffile.imread(tmp_path / name, series=0, level=number)
            for number in range(3)
        ]
    shapes = [(2, 300, 200), (2, 150, 100), (2, 75, 50)]
    assert [level.shape for level in levels] == shapes
    for before, level in itertools.pairwise(levels):
        squares = before.reshape(2, level.shape[1], 2, level.shape[2], 2)
        np.testing.assert_allclose(level, squares.mean((2, 4)), atol=0.5)


def test_a_jpeg_has_no_color_map_and_few_channels(gray, tmp_path, capsys):
    ramp = np.stack([np.arange(256), np.zeros(256), np.zeros(256)]).astype(np.uint16)
    image = image_of((40, 50), "uint8")
    options = {"photometric": "palette", "colormap": ramp * 257}
    tifffile.imwrite(tmp_path / "in.tif", image, **options)
    given = ["--compression", "jpeg", "--model", gray]
    assert run("denoise", tmp_path / "in.tif", tmp_path / "out.tif", *given) == 0
    assert "cannot hold the image's colors" in capsys.readouterr().err
    expected = denoise(image, model=MODEL).astype(float)
    result = tifffile.imread(tmp_path / "out.tif")
    np.testing.assert_allclose(result, expected, atol=20)
    channels = image_of((40, 50, 5), "uint8")
    options = {"photometric": "minisblack", "metadata": {"axes": "YXC"}}
    tifffile.imwrite(tmp_path / "five.tif", channels, planarconfig="contig", **options)
    assert run("denoise", tmp_path / "five.tif", tmp_path / "b.tif", *given) == 2
    assert "5 samples" in capsys.readouterr().err


def test_a_compression_without_effect_is_refused(gray, tmp_path, capsys):
    tifffile.imwrite(tmp_path / "in.tif", image_of((40, 50), "uint16"))
    for name, asked, message in (
        ("out.png", "zstd", "out.png with the compression zstd"),
        ("out.tif", "jpeg", "jpeg: it stores uint8"),
    ):
        command = ["denoise", tmp_path / "in.tif", tmp_path / name, "--model", gray]
        assert run(*command, "--compression", asked) == 2
        assert message in capsys.readouterr().err
