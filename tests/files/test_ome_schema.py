"""OME-TIFF results validate against the OME schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from stored_stacks import image_of

from napari_denoise_ae.denoising.options import DenoiseOptions
from napari_denoise_ae.files.job import FileJob
from napari_denoise_ae.files.route import FileDenoising

if TYPE_CHECKING:
    from pathlib import Path

ome_types = pytest.importorskip("ome_types")
STACK = image_of((2, 3, 130, 100), "uint16")
PHOTO = image_of((130, 100, 3), "uint8")


def write_source(path: Path, *, photo: bool, n_levels: int) -> None:
    """Write a stack with channels, or an RGB picture, as a pyramid."""
    image = PHOTO if photo else STACK
    metadata = {"axes": "YXS"} if photo else {"axes": "ZCYX", "PhysicalSizeZ": 2.0}
    if not photo:
        names = {"Name": ["DAPI", "GFP", "Cy5"], "Color": [65535, 16711935, -16776961]}
        metadata |= {"Channel": names, "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
    options = {"photometric": "rgb" if photo else "minisblack", "tile": (64, 64)}
    with tifffile.TiffWriter(path, ome=True) as writer:
        writer.write(image, subifds=n_levels - 1, metadata=metadata, **options)
        for level in range(1, n_levels):
            step = (slice(None),) * (0 if photo else 2) + (
                slice(None, None, 2**level),
            ) * 2
            smaller = np.ascontiguousarray(image[step])
            writer.write(smaller, subfiletype=1, metadata=None, **options)


@pytest.mark.parametrize(("photo", "n_levels"), [(False, 1), (False, 3), (True, 3)])
def test_a_result_is_valid(photo, n_levels, tmp_path):
    write_source(tmp_path / "in.ome.tif", photo=photo, n_levels=n_levels)
    job = FileJob(
        input=tmp_path / "in.ome.tif",
        output=tmp_path / "out.ome.tif",
        model="auto",
        options=DenoiseOptions(strength=0.0),
        compression="zstd",
    )
    list(FileDenoising(job))
    with tifffile.TiffFile(tmp_path / "out.ome.tif") as tiff:
        ome = ome_types.from_xml(tiff.ome_metadata, validate=True)
        levels = [level.shape for level in tiff.series[0].levels]
        for page in tiff.pages:
            # Bio-Formats finds smaller levels in SubIFDs, largest first.
            whole = page.aspage()
            smaller = [each.aspage() for each in whole.pages or ()]
            assert all(each.is_reduced for each in smaller)
            widths = [each.imagewidth for each in (whole, *smaller)]
            assert widths == [100, 50, 25][:n_levels]
    assert len(levels) == n_levels
    pixels = ome.images[0].pixels
    assert (pixels.size_x, pixels.size_y, len(ome.images)) == (100, 130, 1)
    if not photo:
        assert [each.name for each in pixels.channels] == ["DAPI", "GFP", "Cy5"]
        colors = [each.color.as_hex("long") for each in pixels.channels]
        assert colors == ["#0000ff", "#00ff00", "#ff0000"]
        assert (pixels.physical_size_x, pixels.physical_size_z) == (0.5, 2.0)
