"""Tests of lazy layers and pyramids in a real viewer."""

import math
import threading
from unittest.mock import Mock

import dask.array as da
import numpy as np
import pytest
import zarr
from foreign_models import description, onnx_blur, write_package
from napari.components import ViewerModel

from napari_denoise_ae import denoise
from napari_denoise_ae._napari.denoise import lazy_progress
from napari_denoise_ae._napari.denoise.lazy_progress import LazyProgress
from napari_denoise_ae._napari.shared.model_choice import model_choice
from napari_denoise_ae._napari.shared.noise_form import CURVE, GIVEN
from napari_denoise_ae._napari.viewer.outputs import (
    METADATA_KEY,
    find_output,
    show_lazy_output,
)
from napari_denoise_ae._napari.viewer.parts import PART
from napari_denoise_ae._napari.viewer.tile_cache import TileCache
from napari_denoise_ae.denoising.dask_array import denoise_lazily
from napari_denoise_ae.denoising.dask_stack import pyramid
from napari_denoise_ae.denoising.options import DenoiseOptions

pytestmark = pytest.mark.filterwarnings(
    "ignore::napari_denoise_ae.errors.DenoiseAEWarning"
)


class Source:
    """A lazy array that records which chunks are read, and by which thread."""

    def __init__(self, shape, chunks, dtype=np.uint8):
        self.read, self.threads = [], []
        self.array = da.map_blocks(
            self._block,
            chunks=da.core.normalize_chunks(chunks, shape, dtype=dtype),
            dtype=dtype,
            meta=np.empty((0,) * len(shape), dtype),
        )

    def _block(self, block_info=None):
        where = block_info[None]
        self.read.append(tuple(where["chunk-location"]))
        self.threads.append(threading.get_ident())
        seed = hash(tuple(where["chunk-location"])) % 2**32
        values = np.random.default_rng(seed).integers(0, 250, where["chunk-shape"])
        return values.astype(where["dtype"])


@pytest.fixture
def start(widget, qtbot):
    """Return a function that presses Denoise and waits for the lazy result."""

    def press(viewer, source):
        widget.run_button.click()
        qtbot.waitUntil(widget.run_button.isEnabled)
        return find_output(viewer, source, "denoised")

    return press


@pytest.fixture
def wait_until_idle(qtbot):
    def wait(layer):
        cache = cache_of(layer)
        qtbot.waitUntil(lambda: cache.is_idle)
        qtbot.wait(20)
        qtbot.waitUntil(lambda: cache.is_idle)

    return wait


def cache_of(layer):
    array = layer.data[0] if layer.multiscale else layer.data
    return array.__dict__["_view"].cache


def wait_for_noise(qtbot, widget):
    note = widget.form.to_remove.estimate_note
    qtbot.waitUntil(lambda: note.text().startswith("Found: "))


def is_lazy_like(layer, source):
    assert isinstance(layer.data, da.Array)
    return (layer.data.shape, layer.data.dtype) == (source.shape, source.dtype)


@pytest.mark.qt_binding
@pytest.mark.parametrize("kind", ["dask", "zarr"])
def test_a_lazy_layer_gives_a_lazy_layer(viewer, widget, start, wait_until_idle, kind):
    array = Source((3, 60, 70), (1, 60, 70)).array
    if kind == "zarr":
        array = zarr.array(array.compute(), chunks=(1, 32, 32))
    layer = viewer.add_image(array, axis_labels=("z", "y", "x"), scale=(3, 2, 1))
    assert (
        "3 depths, each 60 x 70 image denoised separately" in widget.form.facts.details
    )
    assert "lazy" in widget.form.facts.details
    assert widget.form.intensity_range.isHidden()
    result = start(viewer, layer)
    assert is_lazy_like(result, array)
    assert tuple(result.scale) == (3, 2, 1)
    assert result.contrast_limits == layer.contrast_limits
    assert result.metadata[METADATA_KEY]["axes"] == "ZYX"
    expected = denoise(np.asarray(array), axes="ZYX")
    np.testing.assert_array_equal(np.asarray(result.data), expected)
    viewer.dims.set_point(0, 6)
    wait_until_idle(result)
    np.testing.assert_array_equal(result._slice.image.raw, expected[2])


def test_only_viewed_planes_are_computed(viewer, widget, start, wait_until_idle, qtbot):
    source = Source((50, 600, 700), (1, 600, 700))
    layer = viewer.add_image(source.array, contrast_limits=(0, 255))
    viewer.dims.set_point(0, 7)
    # The noise is measured only once.
    wait_for_noise(qtbot, widget)
    source.read.clear()
    source.threads.clear()
    result = start(viewer, layer)
    wait_until_idle(result)
    assert {plane for plane, *_ in source.read} == {7}
    assert threading.main_thread().ident not in source.threads
    viewer.dims.set_point(0, 20)
    wait_until_idle(result)
    assert {plane for plane, *_ in source.read} == {7, 20}
    n_read = len(source.read)
    layer.visible = False
    viewer.dims.set_point(0, 7)
    wait_until_idle(result)
    assert result._slice.image.raw.std() > 0
    assert len(source.read) == n_read


@pytest.mark.qt_binding
def test_viewing_does_not_wait_for_the_result(
    viewer, widget, start, wait_until_idle, qtbot, monkeypatch
):
    from napari_denoise_ae._napari.viewer import compute_parts

    may_read, may_compute = threading.Event(), threading.Event()
    compute = compute_parts._compute

    def wait_and_compute(array, index):
        assert (may_read if array.name == source.name else may_compute).wait(30)
        return compute(array, index)

    monkeypatch.setattr(compute_parts, "_compute", wait_and_compute)
    source = Source((5, 40, 50), (1, 40, 50)).array
    layer = viewer.add_image(source, contrast_limits=(10, 255))
    result = start(viewer, layer)
    # The layer is blank and the window responds before anything is read.
    viewer.dims.set_point(0, 4)
    assert (result._slice.image.raw == 10).all()
    assert widget.status.text() == "0 of 1 tiles"
    assert widget.cancel_button.isEnabled()
    may_read.set()
    # It shows the source before anything is computed.
    plane = source[4].compute()
    qtbot.waitUntil(lambda: np.array_equal(result._slice.image.raw, plane))
    assert widget.status.text() == "0 of 1 tiles"
    may_compute.set()
    wait_until_idle(result)
    expected = denoise(source.compute(), axes="TYX")[4]
    np.testing.assert_array_equal(result._slice.image.raw, expected)
    assert widget.status.text() == "done: computed where you look"
    assert not widget.cancel_button.isEnabled()
    # The status belongs to the layer.
    viewer.add_image(np.zeros((40, 50)))
    assert not widget.status.text()
    viewer.layers.selection.active = layer
    assert widget.status.text() == "done: computed where you look"


def test_tiles_that_are_looked_at_can_be_canceled(viewer, widget, start, qtbot, gate):
    array = Source((600, 1100), (600, 1100)).array
    result = start(viewer, viewer.add_image(array, contrast_limits=(0, 255)))
    qtbot.waitUntil(lambda: widget.status.text() == "0 of 6 tiles")
    gate.let(1)
    qtbot.waitUntil(lambda: widget.status.text() == "1 of 6 tiles")
    assert (widget.bar.value(), widget.bar.maximum()) == (1, 6)
    widget.cancel_button.click()
    gate.open()
    cache = cache_of(result)
    qtbot.waitUntil(lambda: cache.is_idle)
    assert widget.status.text() == "stopped: 2 of 6 tiles are done"
    assert widget.bar.isHidden()
    # Looking at it again goes on.
    result.refresh()
    qtbot.waitUntil(lambda: widget.status.text().startswith("done"))


def test_the_activity_dock_is_left_alone_while_napari_draws(monkeypatch, qtbot):
    opened, gate = [], threading.Event()

    def block(pixels):
        gate.wait()
        return pixels

    def open_bar(**settings):
        opened.append(settings)
        return Mock()

    monkeypatch.setattr(lazy_progress, "progress", open_bar)
    viewer = ViewerModel()
    array = da.zeros((8, 9), dtype=np.uint8)
    layer = viewer.add_image(array, name="cells", contrast_limits=(0, 255))
    levels = [array.map_blocks(block, meta=np.empty((0, 0), np.uint8))]
    result = show_lazy_output(viewer, layer, levels, [array], "YX", {})
    watcher = LazyProgress(viewer)
    watcher.watch(result)
    cache_of(result).read(0, ((0, 8), (0, 9)), compute=True)
    assert not opened
    qtbot.waitUntil(lambda: bool(opened))
    gate.set()
    assert opened == [{"total": 0, "desc": "Computing cells [denoised]"}]
    qtbot.waitUntil(lambda: cache_of(result).is_idle)
    watcher.close()


def test_a_removed_layer_has_no_status(viewer, widget, start, qtbot, gate):
    array = Source((600, 1100), (600, 1100)).array
    result = start(viewer, viewer.add_image(array, contrast_limits=(0, 255)))
    qtbot.waitUntil(lambda: widget.status.text() == "0 of 6 tiles")
    viewer.layers.remove(result)
    assert not widget.status.text()
    assert not widget.cancel_button.isEnabled()


def test_reading_the_data_computes_it(viewer, widget, start):
    array = Source((2, 40, 50), (1, 40, 50)).array
    result = start(viewer, viewer.add_image(array, contrast_limits=(0, 255)))
    expected = denoise(array.compute(), axes="TYX")
    part = result.data[1, 5:20]
    assert isinstance(part, da.Array)
    np.testing.assert_array_equal(np.asarray(part), expected[1, 5:20])
    np.testing.assert_array_equal(result.data.compute(), expected)


def test_the_range_is_required_only_if_the_model_needs_it(
    viewer, widget, start, run, messages
):
    array = Source((40, 50), (40, 50), np.uint16).array
    layer = viewer.add_image(array, contrast_limits=(3, 200))
    asked = widget.form.intensity_range
    assert asked.isHidden()
    widget.form.model.value = "conv"
    assert not asked.isHidden()
    assert asked.value == (3, 200)
    assert "contrast limits" in asked.editor.note.text()
    asked.editor.high.setText("many")
    run(widget)
    assert "'3' and 'many'" in messages()[0]
    assert len(viewer.layers) == 1
    asked.editor.high.setText("249")
    result = start(viewer, layer)
    expected = denoise(array.compute(), model="conv", intensity_range=(3, 249))
    np.testing.assert_array_equal(np.asarray(result.data), expected)
    assert result.metadata[METADATA_KEY]["intensity_range"] == (3, 249)
    viewer.add_image(array.compute())
    assert asked.isHidden()


def test_a_model_with_a_rule_for_intensities_needs_no_range(
    viewer, widget, start, qtbot, tmp_path
):
    pytest.importorskip("onnxruntime")
    data, rule = onnx_blur(), {"id": "zero_mean_unit_variance", "kwargs": {}}
    content = description(data, before=[rule])
    model = str(write_package(tmp_path / "blur.zip", content, data))
    array = Source((40, 50), (40, 50), np.uint16).array
    layer = viewer.add_image(array, contrast_limits=(3, 200))
    model_choice(viewer).choose(model)
    asked = widget.form.intensity_range
    assert not asked.isHidden()  # until the package is read
    qtbot.waitUntil(asked.isHidden)
    asked.editor.high.setText("many")
    result = start(viewer, layer)
    np.testing.assert_array_equal(
        np.asarray(result.data), denoise(array.compute(), model=model)
    )
    assert "intensity_range" not in result.metadata[METADATA_KEY]


def test_noise_is_estimated_and_removed_without_a_range(
    viewer, widget, start, qtbot, messages
):
    source = Source((3, 60, 70), (1, 60, 70), np.uint16)
    layer = viewer.add_image(source.array, contrast_limits=(0, 255))
    wait_for_noise(qtbot, widget)
    assert "unknown" not in widget.form.facts.text()
    result = start(viewer, layer)
    whole = source.array.compute()
    np.testing.assert_array_equal(np.asarray(result.data), denoise(whole, axes="TYX"))
    widget.form.to_remove.kind.value = CURVE
    widget.form.to_remove.strength.setValue(0.5)
    qtbot.waitUntil(lambda: "gain" in widget.form.to_remove.estimate_note.text())
    result = start(viewer, layer)
    options = {"noise_type": "poisson-gaussian", "strength": 0.5}
    expected = denoise(whole, axes="TYX", **options)
    np.testing.assert_array_equal(np.asarray(result.data), expected)
    assert result.metadata[METADATA_KEY].items() >= options.items()
    assert not messages()


def test_changing_the_strength_does_not_measure_again(viewer, widget, qtbot, start):
    source = Source((3, 60, 70), (1, 60, 70), np.uint16)
    layer = viewer.add_image(source.array, contrast_limits=(0, 255))
    wait_for_noise(qtbot, widget)
    widget.form.to_remove.strength.setValue(0.5)
    result = start(viewer, layer)
    source.read.clear()
    part = np.asarray(result.data[1])
    assert {plane for plane, *_ in source.read} == {1}
    whole = source.array.compute()
    expected = denoise(whole, axes="TYX", strength=0.5)[1]
    np.testing.assert_array_equal(part, expected)


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("rgb", [False, True])
def test_a_pyramid_gives_a_pyramid(viewer, widget, start, wait_until_idle, ndim, rgb):
    shape = (2,) * (ndim - 2) + (600, 640) + (3,) * rgb
    levels = [
        Source(shape, shape).array,
        Source(shape, shape).array[..., ::2, ::2, :]
        if rgb
        else Source(shape, shape).array[..., ::2, ::2],
    ]
    layer = viewer.add_image(levels, multiscale=True, rgb=rgb)
    assert "2 levels, denoised separately" in widget.form.facts.details
    result = start(viewer, layer)
    assert result.multiscale
    axes = "TYX"[-ndim:] + "S" * rgb
    expected = [denoise(level.compute(), axes=axes) for level in levels]
    for level, wanted in zip(result.data, expected, strict=True):
        assert isinstance(level, da.Array)
        np.testing.assert_array_equal(level.compute(), wanted)
    wait_until_idle(result)
    if ndim == 3:
        viewer.dims.set_point(0, 1)
        expected = [level[1] for level in expected]
    for zoom in (0.3, 4):
        viewer.scene.camera.zoom = zoom
        viewer.window._qt_viewer.canvas.on_draw(None)
        wait_until_idle(result)
        (top, left), (bottom, right) = result.corner_pixels[:, -2:]
        shown = expected[result.data_level][top : bottom + 1, left : right + 1]
        np.testing.assert_array_equal(result._slice.image.raw, shown)


def test_a_given_sigma_applies_to_the_largest_level(viewer, widget, start):
    full = Source((80, 96), (80, 96)).array
    levels = [full, full[::2, ::2], full[::4, ::4]]
    layer = viewer.add_image(levels, multiscale=True)
    widget.form.to_remove.kind.value = GIVEN
    widget.form.to_remove.sigma.value = "40"
    result = start(viewer, layer)
    for level, given, sigma in zip(result.data, levels, (40, 20, 10), strict=True):
        expected = denoise(given.compute(), sigma=sigma)
        np.testing.assert_array_equal(level.compute(), expected)


def test_correlated_noise_falls_less_from_level_to_level(viewer, widget, start):
    full = Source((80, 96), (80, 96)).array
    levels = [full, full[::2, ::2]]
    layer = viewer.add_image(levels, multiscale=True)
    widget.form.to_remove.kind.value = GIVEN
    widget.form.to_remove.sigma.value = "40"
    widget.form.to_remove.correlation.value = "0.5, 0"
    result = start(viewer, layer)
    # Two neighbors have the variance (1 + 0.5) / 2, and share (0.5 + 2 * 0.5**4 +
    # 0.5**9) / 4 with the next two.
    variance = 0.75
    shared = (0.5 + 2 * 0.5**4 + 0.5**9) / 4
    second = {
        "sigma": 40 * math.sqrt(variance / 2),
        "correlation": (shared / variance, 0.0),
    }
    first = {"sigma": 40.0, "correlation": (0.5, 0.0)}
    for level, given, options in zip(result.data, levels, (first, second), strict=True):
        expected = denoise(given.compute(), **options)
        np.testing.assert_array_equal(level.compute(), expected)


def test_large_planes_become_a_pyramid(viewer, widget, start, wait_until_idle):
    source = Source((3, 2500, 300), (1, 500, 300))
    layer = viewer.add_image(source.array, contrast_limits=(0, 255))
    assert "a pyramid" in widget.form.facts.details
    result = start(viewer, layer)
    assert [level.shape for level in result.data] == [(3, 2500, 300), (3, 1250, 150)]
    half = pyramid(source.array, "TYX")[1].compute()
    np.testing.assert_array_equal(result.data[1].compute(), denoise(half, axes="TYX"))
    wait_until_idle(result)


def test_running_again_replaces_the_result(viewer, widget, start, run):
    layer = viewer.add_image(Source((40, 50), (40, 50)).array, name="cells")
    start(viewer, layer).name = "mine"
    start(viewer, layer)
    assert [each.name for each in viewer.layers] == ["cells", "mine"]
    layer.data = layer.data.compute()
    run(widget)
    assert [each.name for each in viewer.layers] == ["cells", "mine"]
    assert isinstance(viewer.layers[1].data, np.ndarray)


@pytest.mark.parametrize("is_pyramid", [False, True])
def test_the_preview_computes_only_the_visible_region(
    viewer, widget, qtbot, is_pyramid
):
    source = Source((40, 900, 900), (1, 100, 100), np.uint16)
    array = source.array
    # napari itself reads all of the smallest level, for the thumbnail.
    small = Source((40, 450, 450), (1, 100, 100), np.uint16).array
    data = [array, small] if is_pyramid else array
    layer = viewer.add_image(
        data, contrast_limits=(0, 255), scale=(1, 2, 2), multiscale=is_pyramid
    )
    widget.form.model.value = "conv"
    viewer.dims.set_point(0, 5)
    qtbot.waitUntil(lambda: "estimated" in widget.form.facts.text())
    viewer.scene.camera.center = (0, 500, 700)
    viewer.scene.camera.zoom *= 8
    viewer.window._qt_viewer.canvas.on_draw(None)
    source.read.clear()
    widget.preview_box.setChecked(True)
    qtbot.waitUntil(lambda: find_output(viewer, layer, "preview") is not None)
    preview = find_output(viewer, layer, "preview")
    assert {plane for plane, *_ in source.read} == {5}
    assert len(set(source.read)) < 40
    level = layer.data[layer.data_level] if is_pyramid else array
    factor = layer.downsample_factors[layer.data_level][1]
    full = denoise(level[5].compute(), model="conv", intensity_range=(0, 255))
    # The preview equals the denoised layer at its position.
    world = preview.data_to_world((0, 0, 0))
    top, left = np.round(layer.world_to_data(world)[1:] / factor).astype(int)
    assert preview.data_to_world((0, 1, 1))[1] - world[1] == 2 * factor
    height, width = preview.data.shape[1:]
    assert 0 < height < 450
    np.testing.assert_array_equal(
        preview.data[0], full[top : top + height, left : left + width]
    )


def test_noise_is_not_added_to_a_lazy_layer(viewer, widget, run, messages):
    viewer.add_image(Source((40, 50), (40, 50)).array, contrast_limits=(0, 255))
    widget.form.kind.value = "clean"
    run(widget)
    assert "in memory" in messages()[0]
    assert len(viewer.layers) == 1


def test_a_repeated_error_shows_one_message(
    viewer, widget, start, wait_until_idle, messages
):
    array = da.full((4, 40, 50), np.inf, dtype=np.float32, chunks=(1, 40, 50))
    layer = viewer.add_image(array, contrast_limits=(0, 1))
    result = start(viewer, layer)
    wait_until_idle(result)
    viewer.dims.set_point(0, 3)
    wait_until_idle(result)
    assert len(messages()) == 1
    assert "infinite" in messages()[0]
    assert widget.status.text() == "1 of 1 tiles failed"


def test_the_cache_has_a_limit(qtbot):
    from napari_denoise_ae.models.load import load_checkpoint

    source = Source((6, 3 * PART, 40), (1, PART, 40))
    array = denoise_lazily(
        source.array, load_checkpoint("conv"), DenoiseOptions(axes="TYX")
    )
    plane_bytes = 3 * PART * 40
    cache = TileCache([array], [source.array], "TYX", max_bytes=plane_bytes)
    for plane in (0, 1, 2, 3, 4):
        window = ((plane, plane + 1), (0, 3 * PART), (0, 40))
        cache.read(0, window, compute=True)
        qtbot.waitUntil(lambda: cache.is_idle)
        # The viewed plane, and as much as the limit allows.
        assert cache.cached_bytes <= 2 * plane_bytes
    expected = denoise(source.array[4:5].compute(), model="conv", axes="TYX")
    np.testing.assert_array_equal(cache.read(0, window, compute=False), expected)


class Failing:
    """A lazy array with a chunk that fails to be read a number of times."""

    def __init__(self, image, chunks, failing, times):
        self.tried, self._failing, self._times = [], failing, times
        self.array = da.from_array(image, chunks=chunks).map_blocks(
            self._read, dtype=image.dtype, meta=image[:0]
        )

    def _read(self, block, block_id):
        self.tried.append(block_id)
        if block_id == self._failing and self.tried.count(block_id) <= self._times:
            raise OSError("the drive is not connected")
        return block


def test_a_failed_part_is_retried_when_viewed_again(qtbot):
    image = np.arange(1.0, 1.0 + 2 * 40 * 50).reshape(2, 40, 50)
    source = Failing(image, (1, 40, 50), failing=(1, 0, 0), times=1)
    cache = TileCache([source.array], [np.zeros_like(image)], "TYX")

    def look(plane):
        window = ((plane, plane + 1), (0, 40), (0, 50))
        cache.read(0, window, compute=True)
        qtbot.waitUntil(lambda: cache.is_idle)
        return cache.read(0, window, compute=False)[0]

    assert (look(1) == 0).all()
    np.testing.assert_array_equal(look(0), image[0])
    np.testing.assert_array_equal(look(1), image[1])


def test_redrawing_does_not_retry_a_failed_part(qtbot):
    image = np.ones((40, 2 * PART))
    source = Failing(image, (40, PART), failing=(0, 0), times=9)
    cache = TileCache([source.array], [image], "YX")
    window = ((0, 40), (0, 2 * PART))
    cache.updated.connect(lambda: cache.read(0, window, compute=True))
    cache.read(0, window, compute=True)
    qtbot.waitUntil(lambda: cache.is_idle)
    assert source.tried.count((0, 0)) == 1
    assert (cache.read(0, window, compute=False)[:, PART:] == 1).all()
