from __future__ import annotations

import numpy as np
import pytest
import tifffile

from napari_denoise_ae.io.images import ImageFile, read_image, write_image


def pixels(dtype: str, *shape: int) -> np.ndarray:
    values = np.random.default_rng(0).random(shape)
    if np.issubdtype(dtype, np.integer):
        values = values * np.iinfo(dtype).max
    return values.astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_imagej_calibration_is_kept(tmp_path, dtype):
    image = pixels(dtype, 5, 9, 7)
    metadata = {
        "axes": "ZYX",
        "unit": "um",
        "zunit": "nm",
        "tunit": "ms",
        "spacing": 0.5,
        "finterval": 0.1,
    }
    tifffile.imwrite(
        tmp_path / "a.tif",
        image,
        imagej=True,
        resolution=(4.0, 2.0),
        metadata=metadata,
    )
    read = read_image(tmp_path / "a.tif")
    assert read.axes == "ZYX"
    write_image(tmp_path / "b.tif", ImageFile(read.pixels, read.axes, read.calibration))
    with tifffile.TiffFile(tmp_path / "b.tif") as tiff:
        assert tiff.is_imagej
        kept = {key: tiff.imagej_metadata[key] for key in metadata if key != "axes"}
        assert {**kept, "axes": "ZYX"} == metadata
        assert tiff.pages[0].resolution == (4.0, 2.0)
        np.testing.assert_array_equal(tiff.asarray(), image)
