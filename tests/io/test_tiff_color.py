"""Every photometric interpretation of TIFF is treated, kept or refused."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.io.images import ImageFile, read_image, write_image
from napari_denoise_ae.io.source import open_volume

GRAY = np.random.default_rng(0).integers(0, 256, (20, 24), dtype=np.uint8)
RAMP = np.linspace(0, 65535, 256).astype(np.uint16)
GREEN = np.stack([0 * RAMP, RAMP, 0 * RAMP])
# As ImageJ's HiLo: clipped intensities are blue and red.
HILO = np.stack([RAMP, RAMP, RAMP])
HILO[:, 0], HILO[:, -1] = (0, 0, 65535), (65535, 0, 0)


def photo() -> np.ndarray:
    y, x = np.mgrid[:20, :24]
    return np.stack([10 * y, 10 * x, 200 - 8 * y], axis=-1).astype(np.uint8)


def write_as(path, pixels, photometric: int, **options) -> None:
    """Write a TIFF, then change the interpretation to one tifffile does not write."""
    tifffile.imwrite(path, pixels, photometric="minisblack", metadata=None, **options)
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        tiff.pages[0].tags["PhotometricInterpretation"].overwrite(photometric)


def test_the_colors_of_a_palette_are_looked_up(tmp_path):
    picture = Image.fromarray(photo()).quantize(256)
    picture.save(tmp_path / "a.tif")
    read = read_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(read.pixels, np.asarray(picture.convert("RGB")))
    assert read.axes == "YXS"
    part = open_volume(tmp_path / "a.tif").read((), (slice(3, 9), slice(5, 20)))
    np.testing.assert_array_equal(part, read.pixels[3:9, 5:20])


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_palette_of_grays_is_gray(tmp_path, compression):
    grays = np.random.default_rng(1).permutation(RAMP)
    tifffile.imwrite(
        tmp_path / "a.tif",
        GRAY,
        photometric="palette",
        colormap=np.stack([grays] * 3),
        compression=compression,
    )
    read = read_image(tmp_path / "a.tif")
    assert read.axes == "YX"
    np.testing.assert_array_equal(read.pixels, (grays >> 8)[GRAY])


@pytest.mark.parametrize("imagej", [False, True])
@pytest.mark.parametrize("color_map", [GREEN, GREEN[:, ::-1], HILO])
def test_a_color_map_of_intensities_is_kept(tmp_path, color_map, imagej):
    tifffile.imwrite(
        tmp_path / "a.tif",
        GRAY,
        photometric="palette",
        colormap=color_map,
        imagej=imagej,
    )
    volume = open_volume(tmp_path / "a.tif")
    np.testing.assert_array_equal(volume.array[...], GRAY)
    np.testing.assert_array_equal(volume.picture.color_map, color_map)
    image = ImageFile(GRAY, "YX", volume.calibration, picture=volume.picture)
    write_image(tmp_path / "b.tif", image)
    again = open_volume(tmp_path / "b.tif")
    np.testing.assert_array_equal(again.array[...], GRAY)
    np.testing.assert_array_equal(again.picture.color_map, color_map)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
def test_white_is_zero_is_inverted(tmp_path, dtype, compression):
    image = GRAY.astype(dtype)
    white = {"uint8": 255, "uint16": 65535, "int16": -1}[dtype]
    tifffile.imwrite(
        tmp_path / "a.tif",
        (white - image.astype(int)).astype(dtype),
        photometric="miniswhite",
        compression=compression,
    )
    read = read_image(tmp_path / "a.tif")
    assert read.pixels.dtype == dtype
    np.testing.assert_array_equal(read.pixels, image)


def test_white_is_zero_of_12_bits_is_inverted(tmp_path):
    stored = GRAY.astype(np.uint16) * 16
    write_as(tmp_path / "a.tif", stored, 0)
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+b") as tiff:
        tiff.pages[0].tags["BitsPerSample"].overwrite(12)
    read = read_image(tmp_path / "a.tif").pixels
    assert (read.dtype, read.max() <= 4095) == (np.uint16, True)


def test_an_inverted_image_of_imagej_keeps_its_values(tmp_path):
    """In ImageJ, inverting a lookup table changes the display, not the values."""
    tifffile.imwrite(tmp_path / "a.tif", GRAY, imagej=True, photometric="miniswhite")
    volume = open_volume(tmp_path / "a.tif")
    np.testing.assert_array_equal(volume.array[...], GRAY)
    assert volume.picture.color_map[:, 0].tolist() == [65535] * 3
    assert volume.picture.color_map[:, -1].tolist() == [0] * 3


@pytest.mark.parametrize("suffix", [".tif", ".png"])
@pytest.mark.parametrize("inverted", [False, True])
def test_one_bit_becomes_eight(tmp_path, inverted, suffix):
    path = tmp_path / f"a{suffix}"
    Image.fromarray(GRAY > 127).save(path)
    if inverted and suffix == ".tif":
        with tifffile.TiffFile(path, mode="r+b") as tiff:
            tiff.pages[0].tags["PhotometricInterpretation"].overwrite(0)
    volume = open_volume(path)
    expected = np.where(GRAY > 127, 255, 0)
    if inverted and suffix == ".tif":
        expected = 255 - expected
    assert volume.dtype == np.uint8
    np.testing.assert_array_equal(volume.array[...], expected)
    assert "1 bit for each pixel" in volume.notes[0]


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("n", [2, 3, 5])
def test_further_samples_of_gray_pixels_are_channels(tmp_path, n, planar):
    image = np.stack([GRAY] * n, axis=-1 if planar == "contig" else 0)
    tifffile.imwrite(
        tmp_path / "a.tif",
        image,
        photometric="minisblack",
        planarconfig=planar,
        metadata=None,
    )
    volume = open_volume(tmp_path / "a.tif")
    axes = "YXC" if planar == "contig" else "CYX"
    assert (volume.axes, volume.shape) == (axes, image.shape)
    write_image(tmp_path / "b.tif", ImageFile(image, volume.axes))
    again = open_volume(tmp_path / "b.tif")
    assert again.axes == axes
    np.testing.assert_array_equal(again.array[...], image)


@pytest.mark.parametrize("photometric", [34892, 51177])
def test_linear_raw_and_depth_are_intensities(tmp_path, photometric):
    write_as(tmp_path / "a.tif", GRAY, photometric)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif").pixels, GRAY)


def test_jpeg_in_a_tiff_is_rgb(tmp_path):
    Image.fromarray(photo()).save(tmp_path / "a.tif", compression="jpeg", quality=95)
    read = read_image(tmp_path / "a.tif").pixels
    assert np.abs(read.astype(int) - photo()).mean() < 5


@pytest.mark.parametrize(
    ("photometric", "samples", "reason"),
    [
        (4, 1, "transparency mask"),
        (5, 4, "CMYK"),
        (6, 3, "YCbCr"),
        (8, 3, "CIE L"),
        (9, 3, "ICC L"),
        (10, 3, "ITU L"),
        (32803, 1, "color filter array"),
        (32844, 1, "LogL"),
        (32845, 3, "LogLuv"),
        (52527, 1, "mask of classes"),
    ],
)
def test_other_interpretations_are_refused(tmp_path, photometric, samples, reason):
    image = GRAY if samples == 1 else np.stack([GRAY] * samples, axis=-1)
    more = {} if samples == 1 else {"planarconfig": "contig"}
    write_as(tmp_path / "a.tif", image, photometric, **more)
    with pytest.raises(InvalidInputError, match=reason):
        read_image(tmp_path / "a.tif")


def test_floats_with_zero_as_white_are_refused(tmp_path):
    write_as(tmp_path / "a.tif", GRAY.astype(np.float32), 0)
    with pytest.raises(InvalidInputError, match="zero is white"):
        read_image(tmp_path / "a.tif")
