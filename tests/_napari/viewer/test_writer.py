import threading
import time

import dask.array as da
import numpy as np
import pytest
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

from napari_denoise_ae._napari.viewer import writer
from napari_denoise_ae.errors import InvalidInputError, OutputError
from napari_denoise_ae.io.ome_zarr import read_ome_zarr

RNG = np.random.default_rng(0)


def save(layer, path):
    data, attributes, _ = layer.as_layer_data_tuple()
    return writer.write_ome_zarr(str(path), data, attributes)


def test_a_lazy_result_is_saved_from_the_layer(viewer, widget, run, tmp_path):
    data = RNG.integers(0, 255, (3, 40, 50)).astype(np.uint8)
    viewer.add_image(
        da.from_array(data, chunks=(1, 40, 50)),
        contrast_limits=(3, 255),
        axis_labels=("t", "y", "x"),
        units=("second", "micrometer", "micrometer"),
        scale=(2, 0.5, 0.25),
        translate=(0, 10, 20),
        name="movie",
    )
    run(widget)
    result = viewer.layers["movie [denoised]"]
    path = tmp_path / "movie.ome.zarr"
    assert result.save(str(path)) == [str(path)]
    array, ome = read_ome_zarr(path)
    np.testing.assert_array_equal(array[:], np.asarray(result.data))
    assert ome.axes == "TYX"
    assert ome.scale == {"T": 2.0, "Y": 0.5, "X": 0.25}
    assert ome.units == {"T": "second", "Y": "micrometer", "X": "micrometer"}
    assert ome.origin == {"T": 0.0, "Y": 10.0, "X": 20.0}
    (channel,) = ome.omero["channels"]
    assert channel["label"] == "movie [denoised]"
    assert (channel["window"]["start"], channel["window"]["end"]) == (3, 255)


def test_axes_are_put_in_the_order_of_the_format(viewer, tmp_path):
    data = RNG.random((2, 3, 600, 20)).astype(np.float32)
    layer = viewer.add_image(da.from_array(data), axis_labels="zcyx", name="cells")
    path = tmp_path / "cells.zarr"
    save(layer, path)
    array, ome = read_ome_zarr(path)
    assert (ome.axes, array.chunks) == ("CZYX", (1, 1, 512, 20))
    np.testing.assert_array_equal(array[:], data.swapaxes(0, 1))
    labels = [channel["label"] for channel in ome.omero["channels"]]
    assert labels == ["cells 0", "cells 1", "cells 2"]


def test_colors_become_channels(viewer, tmp_path):
    data = RNG.integers(0, 255, (20, 24, 3)).astype(np.uint8)
    path = tmp_path / "photo.zarr"
    save(viewer.add_image(data, rgb=True), path)
    array, ome = read_ome_zarr(path)
    assert ome.axes == "CYX"
    np.testing.assert_array_equal(array[:], np.moveaxis(data, -1, 0))
    assert ome.omero["channels"][2]["color"] == "0000FF"


def test_halved_levels_are_kept(viewer, tmp_path):
    levels = [RNG.random((65 // f, 80 // f)) for f in (1, 2, 4)] + [np.zeros((5, 5))]
    path = tmp_path / "pyramid.zarr"
    save(viewer.add_image(levels, multiscale=True), path)
    _, ome = read_ome_zarr(path)
    assert ome.n_levels == 3


def test_nothing_is_overwritten_and_nothing_unfinished_is_left(viewer, tmp_path):
    path = tmp_path / "cells.zarr"
    layer = viewer.add_image(RNG.random((8, 9)))
    save(layer, path)
    with pytest.raises(OutputError, match="it exists"):
        save(layer, path)

    def fail(block):
        raise OSError("unplugged")

    broken = da.zeros((8, 9)).map_blocks(fail, dtype=float)
    _, attributes, _ = layer.as_layer_data_tuple()
    other = tmp_path / "other.zarr"
    with pytest.raises(OSError, match="unplugged"):
        writer.write_ome_zarr(str(other), broken, attributes)
    assert not other.exists()


def test_a_canceled_image_leaves_nothing(viewer, tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "_MINIMUM_DURATION", 0)
    reached = threading.Event()

    def wait(block):
        reached.set()
        time.sleep(0.05)
        return block

    chunks = da.zeros((60, 8, 9), chunks=(1, 8, 9)).map_blocks(wait, dtype=float)
    layer = viewer.add_image(np.zeros((60, 8, 9)))
    _, attributes, _ = layer.as_layer_data_tuple()

    def cancel():
        # The event loop runs while the image is written.
        assert reached.is_set()
        QApplication.activeModalWidget().cancel()

    QTimer.singleShot(500, cancel)
    path = tmp_path / "cells.zarr"
    assert writer.write_ome_zarr(str(path), chunks, attributes) == []
    assert not path.exists()


def test_channels_with_colors_are_rejected(viewer, tmp_path):
    layer = viewer.add_image(
        np.zeros((2, 8, 9, 3)), rgb=True, axis_labels=("c", "y", "x")
    )
    with pytest.raises(InvalidInputError, match="channels and colors"):
        save(layer, tmp_path / "cells.zarr")
