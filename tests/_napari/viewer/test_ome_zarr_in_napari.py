"""OME-Zarr results open in napari as layers with the channels of the source.

napari-ome-zarr reads them, as it does for users; napari's own reader of Zarr knows no
channels.
"""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from command import run
from stored_stacks import MODEL, image_of, pixels

from napari_denoise_ae.models.checkpoint_file import save_checkpoint

napari_ome_zarr = pytest.importorskip("napari_ome_zarr")

IMAGE = image_of((3, 2, 64, 80))  # ZCYX
MAGENTA, GREEN = (255, 0, 255), (0, 255, 0)
AXES = {"axes": "ZCYX"}
OME = AXES | {
    # Magenta and green, as OME-XML's signed integers of red, green, blue and alpha.
    "Channel": {"Name": ["GFP", "DAPI"], "Color": [-16711681, 16711935]},
    "PhysicalSizeZ": 2,
    "PhysicalSizeY": 0.5,
    "PhysicalSizeX": 0.25,
}
TABLES = [
    (np.arange(256) * np.array(color)[:, np.newaxis] // 255).astype(np.uint8)
    for color in (MAGENTA, GREEN)
]
IMAGEJ = AXES | {
    "LUTs": TABLES,
    "Ranges": (10.0, 2000.0, 20.0, 3000.0),
    "spacing": 2.0,
    "unit": "um",
}


@pytest.mark.parametrize("source", ["OME-TIFF", "ImageJ"])
def test_channels_have_names_colors_and_sizes(source, viewer, tmp_path):
    if source == "OME-TIFF":
        path, names = tmp_path / "in.ome.tif", ["out: GFP", "out: DAPI"]
        tifffile.imwrite(path, IMAGE, metadata=OME)
    else:
        # ImageJ has no names of channels.
        path, names = tmp_path / "in.tif", ["out: channel_0", "out: channel_1"]
        resolution = (1 / 0.25, 1 / 0.5)
        tifffile.imwrite(
            path, IMAGE, imagej=True, resolution=resolution, metadata=IMAGEJ
        )
    save_checkpoint(MODEL, tmp_path / "gray.pt")
    target = tmp_path / "out.ome.zarr"
    assert run("denoise", path, target, "--model", tmp_path / "gray.pt") == 0
    read = napari_ome_zarr.napari_get_reader(str(target))
    ((data, attributes, kind),) = read(str(target))
    assert kind == "image"
    layers = viewer.add_image(data, multiscale=True, **attributes)
    assert [layer.name for layer in layers] == names
    colors = [tuple(255 * layer.colormap.colors[-1][:3]) for layer in layers]
    assert colors == [MAGENTA, GREEN]
    if source == "ImageJ":
        assert [tuple(layer.contrast_limits) for layer in layers] == [
            (10, 2000),
            (20, 3000),
        ]
    for layer, expected in zip(layers, pixels(target), strict=True):
        np.testing.assert_array_equal(np.asarray(layer.data[0]), expected)
        assert tuple(layer.scale) == pytest.approx((2, 0.5, 0.25))
        assert tuple(layer.axis_labels) == ("z", "y", "x")
        assert {str(unit) for unit in layer.units} == {"micrometer"}
