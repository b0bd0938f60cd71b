from __future__ import annotations

import numpy as np
import pytest
import tifffile

from napari_denoise_ae.io.images import ImageFile, read_image, write_image
from napari_denoise_ae.io.source import open_volume


def pixels(dtype: str, *shape: int) -> np.ndarray:
    values = np.random.default_rng(0).random(shape)
    if np.issubdtype(dtype, np.integer):
        values = values * np.iinfo(dtype).max
    return values.astype(dtype)


TIFF_DTYPES = [
    "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64",
    "float16", "float32", "float64",
]  # fmt: skip


@pytest.mark.parametrize("dtype", TIFF_DTYPES)
@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((9, 7), "YX"),
        ((9, 7, 3), "YXS"),
        ((9, 7, 4), "YXS"),
        ((3, 9, 7), "SYX"),
        ((5, 9, 7), "ZYX"),
        ((2, 9, 7), "CYX"),
        ((2, 3, 9, 7), "TCYX"),
        ((2, 9, 7, 3), "TYXS"),
        ((2, 3, 9, 7), "TSYX"),
        ((9, 7, 2), "YXC"),
        ((7, 9), "XY"),
        ((1, 1), "YX"),
    ],
)
def test_tiff_round_trip(tmp_path, dtype, shape, axes):
    image = pixels(dtype, *shape)
    write_image(tmp_path / "a.tif", ImageFile(image, axes))
    read = read_image(tmp_path / "a.tif")
    assert (read.pixels.dtype, read.axes) == (dtype, axes)
    np.testing.assert_array_equal(read.pixels, image)


@pytest.mark.parametrize("calibration", [{}, {"metadata": {"unit": "um"}}])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "int16"])
@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((2, 3, 9, 7), "TCYX"),
        ((2, 3, 9, 7), "CTYX"),
        ((9, 7), "XY"),
        ((9, 7, 2), "YXC"),
        ((9, 7, 3), "YXS"),
        ((3, 9, 7), "SYX"),
        ((9, 3, 7), "YSX"),
        ((3, 2, 9, 7), "SZYX"),
        ((9, 7, 3, 2), "YXSZ"),
        ((2, 9, 7, 3), "ZYXS"),
    ],
)
def test_any_axes_can_be_combined_with_any_calibration(
    tmp_path, shape, axes, dtype, calibration
):
    """Pixels and shape are kept, even if ImageJ's format does not allow the axes."""
    image = pixels(dtype, *shape)
    write_image(tmp_path / "a.tif", ImageFile(image, axes, calibration))
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif").pixels, image)


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((9, 7), "YX"),
        ((9, 7, 3), "YXS"),
        ((3, 9, 7), "SYX"),
        ((2, 3, 9, 7), "CTYX"),
        ((2, 3, 4, 9, 7), "TZCYX"),
        ((2, 5, 9, 7, 3), "TCYXS"),
        ((2, 3, 9, 7), "TSYX"),
    ],
)
@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint32", "float64"])
def test_a_file_named_as_an_ome_tiff_is_an_ome_tiff(tmp_path, shape, axes, dtype):
    image = pixels(dtype, *shape)
    path = tmp_path / "a.ome.tif"
    calibration = {"metadata": {"unit": "um"}}
    ome = {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm"}
    write_image(path, ImageFile(image, axes, calibration, "denoised", ome))
    with tifffile.TiffFile(path) as tiff:
        assert tiff.is_ome
        assert tiff.series[0].axes == axes
        assert 'PhysicalSizeX="0.5"' in tiff.ome_metadata
        assert "denoised" in tiff.ome_metadata
        np.testing.assert_array_equal(tiff.asarray(), image)


def test_a_non_ascii_unit_is_escaped_as_in_imagej(tmp_path):
    """Otherwise tifffile would fail, after the image was denoised."""
    calibration = {"resolution": (4.0, 2.0), "metadata": {"unit": "µm"}}
    write_image(tmp_path / "a.tif", ImageFile(pixels("uint8", 9, 7), "YX", calibration))
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        assert "unit=\\u00b5m" in tiff.pages[0].description
    assert open_volume(tmp_path / "a.tif").units == dict.fromkeys("YX", "micrometer")


def test_the_resolution_of_a_plain_tiff_is_kept(tmp_path):
    image = pixels("uint16", 9, 7)
    tifffile.imwrite(
        tmp_path / "a.tif", image, resolution=(300, 300), resolutionunit="INCH"
    )
    read = read_image(tmp_path / "a.tif")
    write_image(tmp_path / "b.tif", ImageFile(read.pixels, "YX", read.calibration))
    with tifffile.TiffFile(tmp_path / "b.tif") as tiff:
        assert tiff.pages[0].resolution == (300, 300)
        assert tiff.pages[0].resolutionunit == tifffile.RESUNIT.INCH


@pytest.mark.parametrize("calibration", [{}, {"metadata": {"unit": "um"}}])
def test_provenance_is_stored_in_a_tiff(tmp_path, calibration):
    image = ImageFile(pixels("uint16", 9, 7), "YX", calibration, "denoised with conv")
    write_image(tmp_path / "a.tif", image)
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        assert "denoised with conv" in str(tiff.imagej_metadata or tiff.shaped_metadata)
