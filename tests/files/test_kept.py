"""A result keeps of its source what the format of the result can hold.

Strength 0 keeps the pixels, so that they can be compared.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from napari_denoise_ae.denoising.options import DenoiseOptions
from napari_denoise_ae.files.job import FileJob
from napari_denoise_ae.files.route import FileDenoising
from napari_denoise_ae.files.steps import FileRemark
from napari_denoise_ae.io.source import open_volume

if TYPE_CHECKING:
    from pathlib import Path

    from napari_denoise_ae.io.source import Volume

RGB = np.random.default_rng(0).integers(0, 256, (24, 40, 3), dtype=np.uint8)
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
EXPOSURE = 0x829A
PICTURES = ("in.png", "in.jpg", "in.tif")
# Upright image of one stored with each orientation.
UPRIGHT = {
    1: lambda image: image,
    2: lambda image: image[:, ::-1],
    3: lambda image: image[::-1, ::-1],
    4: lambda image: image[::-1],
    5: lambda image: image.swapaxes(0, 1),
    6: lambda image: image.swapaxes(0, 1)[:, ::-1],
    7: lambda image: image.swapaxes(0, 1)[::-1, ::-1],
    8: lambda image: image.swapaxes(0, 1)[::-1],
}


def denoise(source: Path, name: str) -> tuple[Volume, list[str]]:
    """Return the result and what a user is told."""
    target = source.with_name(name)
    options = DenoiseOptions(strength=0.0)
    run = FileDenoising(
        FileJob(input=source, output=target, model="auto", options=options)
    )
    said = [step.text for step in run if isinstance(step, FileRemark)]
    return open_volume(target), said


def smooth() -> np.ndarray:
    y, x = np.mgrid[:24, :40]
    return np.stack([8 * y, 6 * x, 200 - 4 * y], axis=-1).astype(np.uint8)


def exif_with(orientation: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Maker"
    exif.get_ifd(0x8769)[EXPOSURE] = 0.25
    # TIFF needs EXIF data as they are read.
    loaded = Image.Exif()
    loaded.load(exif.tobytes())
    return loaded


def save(path: Path, pixels: np.ndarray, **options: object) -> None:
    Image.fromarray(pixels).save(path, **options)


# --- orientation -----------------------------------------------------------


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("target", ["out.png", "out.tif"])
def test_a_result_is_upright(tmp_path, name, orientation, target):
    image = smooth()
    exif = exif_with(orientation)
    more = {"tiffinfo": {0x0112: orientation}} if name == "in.tif" else {"exif": exif}
    save(tmp_path / name, image, **more)
    result, said = denoise(tmp_path / name, target)
    expected = UPRIGHT[orientation](image)
    assert (result.shape, said) == (expected.shape, [])
    difference = result.array[...].astype(int) - expected
    assert np.abs(difference).mean() < (5 if name == "in.jpg" else 0.01)
    with Image.open(tmp_path / target) as written:
        assert written.getexif().get(0x0112, 1) == 1


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_parts_of_a_stack_are_upright(tmp_path, orientation, compression):
    stack = np.stack([RGB[..., n] for n in range(3)])
    tifffile.imwrite(
        tmp_path / "in.tif",
        stack,
        photometric="minisblack",
        compression=compression,
        metadata={"axes": "ZYX"},
        extratags=[(274, "H", 1, orientation, True)],
    )
    volume = open_volume(tmp_path / "in.tif")
    whole = np.stack([UPRIGHT[orientation](plane) for plane in stack])
    assert volume.shape == whole.shape
    rows, columns = slice(3, 17), slice(5, 11)
    np.testing.assert_array_equal(
        volume.read((1,), (rows, columns)), whole[1:2, rows, columns]
    )


# --- color profiles, EXIF data, pixel size ---------------------------------


@pytest.mark.parametrize("target", ["out.png", "out.jpg", "out.tif", "out.ome.tif"])
@pytest.mark.parametrize("name", PICTURES)
def test_profile_exif_and_pixel_size_are_kept(tmp_path, name, target):
    save(
        tmp_path / name,
        smooth(),
        icc_profile=ICC,
        exif=exif_with(),
        dpi=(300, 150),
    )
    given = open_volume(tmp_path / name)
    assert given.picture.icc == ICC
    result, said = denoise(tmp_path / name, target)
    assert said == []
    assert result.picture.icc == ICC
    exif = Image.Exif()
    exif.load(result.picture.exif)
    assert exif[0x010F] == "Maker"
    assert float(exif.get_ifd(0x8769)[EXPOSURE]) == 0.25
    with Image.open(tmp_path / target) as written:
        assert written.info["icc_profile"] == ICC
        assert written.getexif()[0x010F] == "Maker"
        if target != "out.ome.tif":
            assert written.info["dpi"] == pytest.approx((300, 150), rel=1e-3)
    sizes = {"inch": 0.0254, "meter": 1.0, "centimeter": 0.01}
    for axis, dpi in (("X", 300), ("Y", 150)):
        size = result.scale[axis] * sizes[result.units[axis]]
        assert size == pytest.approx(0.0254 / dpi, rel=1e-3)


def test_an_ome_zarr_names_the_picture_metadata_that_it_lacks(tmp_path):
    save(tmp_path / "in.png", smooth(), icc_profile=ICC, exif=exif_with())
    _, said = denoise(tmp_path / "in.png", "out.zarr")
    assert said == ["out.zarr cannot hold the image's color profile and EXIF data."]


def test_the_texts_and_the_gamma_of_a_png_are_kept(tmp_path):
    encoded = imagecodecs.png_encode(RGB)
    added = b""
    for kind, content in ((b"gAMA", struct.pack(">I", 45455)), (b"tEXt", b"Title\0A")):
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        added += struct.pack(">I", len(content)) + kind + content + checksum
    (tmp_path / "in.png").write_bytes(encoded[:33] + added + encoded[33:])
    denoise(tmp_path / "in.png", "out.png")
    with Image.open(tmp_path / "out.png") as written:
        assert written.info["gamma"] == 0.45455
        assert written.text == {"Title": "A"}


def test_a_jpeg_cannot_hold_the_pixel_size_of_a_micrograph(tmp_path):
    tifffile.imwrite(
        tmp_path / "in.ome.tif",
        RGB,
        photometric="rgb",
        metadata={"axes": "YXS", "PhysicalSizeX": 0.1, "PhysicalSizeY": 0.1},
    )
    _, said = denoise(tmp_path / "in.ome.tif", "out.jpg")
    assert said == ["out.jpg cannot hold the image's pixel size."]
    result, said = denoise(tmp_path / "in.ome.tif", "out.png")
    assert said == []
    assert result.scale["X"] == pytest.approx(1e-7)


# --- alpha -----------------------------------------------------------------


def with_transparent_color(path: Path) -> np.ndarray:
    save(path, RGB[..., 0], transparency=int(RGB[3, 4, 0]))
    return np.stack(
        [RGB[..., 0], np.where(RGB[..., 0] == RGB[3, 4, 0], 0, 255)], axis=-1
    )


@pytest.mark.parametrize("target", ["out.png", "out.tif", "out.ome.tif"])
@pytest.mark.parametrize("kind", ["LA.png", "tRNS.png", "LA.tif", "planar.tif"])
def test_gray_with_alpha_is_kept(tmp_path, kind, target):
    image = RGB[..., :2]
    path = tmp_path / f"in{kind[-4:]}"
    if kind == "tRNS.png":
        image = with_transparent_color(path)
    elif kind == "planar.tif":
        tifffile.imwrite(
            path,
            np.moveaxis(image, -1, 0),
            photometric="minisblack",
            planarconfig="separate",
            extrasamples=["unassalpha"],
            metadata=None,
        )
    else:
        Image.fromarray(image, "LA").save(path)
    if kind == "planar.tif" and target == "out.png":
        pytest.skip("a PNG holds no planes")
    result, said = denoise(path, target)
    written = result.array[...]
    if result.axes == "SYX":
        written = np.moveaxis(written, 0, -1)
    np.testing.assert_array_equal(written, image)
    assert said == []


@pytest.mark.parametrize("samples", [2, 4])
@pytest.mark.parametrize("kind", ["assocalpha", "unassalpha", "unspecified"])
def test_the_meaning_of_the_extra_sample_of_a_tiff_is_kept(tmp_path, kind, samples):
    if (kind, samples) == ("unspecified", 2):
        pytest.skip("these are two channels")
    image = np.dstack([RGB, RGB])[..., :samples]
    tifffile.imwrite(
        tmp_path / "in.tif",
        image,
        photometric="rgb" if samples == 4 else "minisblack",
        planarconfig="contig",
        extrasamples=[kind],
    )
    result, _ = denoise(tmp_path / "in.tif", "out.tif")
    np.testing.assert_array_equal(result.array[...], image)
    with tifffile.TiffFile(tmp_path / "out.tif") as tiff:
        assert tiff.pages[0].extrasamples[0].name.lower() == kind
    _, said = denoise(tmp_path / "in.tif", "out.png")
    assert any("extra sample" in text for text in said) == (kind != "unassalpha")


# --- several pictures in a file --------------------------------------------


def test_the_frames_of_an_animated_png_are_a_stack(tmp_path):
    frames = [Image.fromarray(np.roll(RGB, n, axis=0)) for n in range(3)]
    frames[0].save(tmp_path / "in.png", save_all=True, append_images=frames[1:])
    result, _ = denoise(tmp_path / "in.png", "out.tif")
    assert result.axes == "TYXS"
    np.testing.assert_array_equal(result.array[...], np.stack(frames))


def test_further_pictures_in_a_jpeg_are_named(tmp_path):
    first, second = Image.fromarray(smooth()), Image.fromarray(smooth()[:12])
    first.save(tmp_path / "in.jpg", format="MPO", save_all=True, append_images=[second])
    result, said = denoise(tmp_path / "in.jpg", "out.png")
    assert result.shape == (24, 40, 3)
    assert said[0] == (
        "The file holds 2 pictures. Only the first is read; choose another one with "
        "--series."
    )
