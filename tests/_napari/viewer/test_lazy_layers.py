"""Lazy layers and pyramids in a real viewer: what is computed, and when."""

import threading

import dask.array as da
import numpy as np
import pytest
import zarr

from napari_denoise_ae import denoise
from napari_denoise_ae._napari.shared.noise_form import CURVE, GIVEN
from napari_denoise_ae._napari.viewer.outputs import METADATA_KEY, find_output
from napari_denoise_ae._napari.viewer.parts import PART
from napari_denoise_ae._napari.viewer.tile_cache import Filler
from napari_denoise_ae.denoising.dask_array import denoise_lazily
from napari_denoise_ae.denoising.dask_stack import pyramid
from napari_denoise_ae.denoising.options import DenoiseOptions

pytestmark = pytest.mark.filterwarnings(
    "ignore::napari_denoise_ae.errors.DenoiseAEWarning"
)


class Source:
    """A lazy array that counts which of its chunks are read, and by which thread."""

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
    """Press Denoise on a lazy layer and wait for its result; nothing is looked at."""

    def press(viewer, source):
        widget.run_button.click()
        qtbot.waitUntil(widget.run_button.isEnabled)
        return find_output(viewer, source, "denoised")

    return press


@pytest.fixture
def wait_until_filled(qtbot):
    def wait(layer):
        filler = filler_of(layer)
        qtbot.waitUntil(lambda: filler.is_idle)
        qtbot.wait(20)
        qtbot.waitUntil(lambda: filler.is_idle)

    return wait


def filler_of(layer):
    array = layer.data[0] if layer.multiscale else layer.data
    return array.__dict__["_filling"].filler


def wait_for_noise(qtbot, widget):
    found = widget.form.to_remove.estimate_note
    qtbot.waitUntil(lambda: found.text().startswith("Found: "))


def is_lazy_like(layer, source):
    assert isinstance(layer.data, da.Array)
    return (layer.data.shape, layer.data.dtype) == (source.shape, source.dtype)


@pytest.mark.qt_binding
@pytest.mark.parametrize("kind", ["dask", "zarr"])
def test_a_lazy_layer_gives_a_lazy_layer(
    viewer, widget, start, wait_until_filled, kind
):
    array = Source((3, 60, 70), (1, 60, 70)).array
    if kind == "zarr":
        array = zarr.array(array.compute(), chunks=(1, 32, 32))
    layer = viewer.add_image(array, axis_labels=("z", "y", "x"), scale=(3, 2, 1))
    assert "3 depths, each 60 x 70 image by itself" in widget.form.plan.text()
    assert "lazy" in widget.form.plan.text()
    assert widget.form.intensity_range.isHidden()
    result = start(viewer, layer)
    assert is_lazy_like(result, array)
    assert tuple(result.scale) == (3, 2, 1)
    assert result.contrast_limits == layer.contrast_limits
    assert result.metadata[METADATA_KEY]["axes"] == "ZYX"
    expected = denoise(np.asarray(array), axes="ZYX")
    np.testing.assert_array_equal(np.asarray(result.data), expected)
    viewer.dims.set_point(0, 6)
    wait_until_filled(result)
    np.testing.assert_array_equal(result._slice.image.raw, expected[2])


def test_nothing_but_what_is_looked_at_is_computed(
    viewer, widget, start, wait_until_filled, qtbot
):
    source = Source((50, 600, 700), (1, 600, 700))
    layer = viewer.add_image(source.array, contrast_limits=(0, 255))
    viewer.dims.set_point(0, 7)
    # The noise is measured once, and nothing of that is read again.
    wait_for_noise(qtbot, widget)
    source.read.clear()
    source.threads.clear()
    result = start(viewer, layer)
    wait_until_filled(result)
    assert {plane for plane, *_ in source.read} == {7}
    assert threading.main_thread().ident not in source.threads
    viewer.dims.set_point(0, 20)
    wait_until_filled(result)
    assert {plane for plane, *_ in source.read} == {7, 20}
    n_read = len(source.read)
    layer.visible = False
    viewer.dims.set_point(0, 7)
    wait_until_filled(result)
    assert result._slice.image.raw.std() > 0
    assert len(source.read) == n_read


@pytest.mark.qt_binding
def test_looking_does_not_wait(viewer, widget, start, wait_until_filled, monkeypatch):
    from napari_denoise_ae._napari.viewer import tile_cache as filling

    may_go_on = threading.Event()
    compute = filling._compute

    def wait_and_compute(array, index):
        assert may_go_on.wait(30)
        return compute(array, index)

    monkeypatch.setattr(filling, "_compute", wait_and_compute)
    array = Source((5, 40, 50), (1, 40, 50)).array
    layer = viewer.add_image(array, contrast_limits=(10, 255))
    result = start(viewer, layer)
    # It is here, blank, and the window answers, though nothing is computed yet.
    viewer.dims.set_point(0, 4)
    assert (result._slice.image.raw == 10).all()
    may_go_on.set()
    wait_until_filled(result)
    expected = denoise(array.compute(), axes="TYX")[4]
    np.testing.assert_array_equal(result._slice.image.raw, expected)


def test_who_reads_the_data_gets_no_blanks(viewer, widget, start):
    array = Source((2, 40, 50), (1, 40, 50)).array
    result = start(viewer, viewer.add_image(array, contrast_limits=(0, 255)))
    expected = denoise(array.compute(), axes="TYX")
    part = result.data[1, 5:20]
    assert isinstance(part, da.Array)
    np.testing.assert_array_equal(np.asarray(part), expected[1, 5:20])
    np.testing.assert_array_equal(result.data.compute(), expected)


def test_the_range_is_asked_for_where_the_model_needs_it(
    viewer, widget, start, run, messages
):
    array = Source((40, 50), (40, 50), np.uint16).array
    layer = viewer.add_image(array, contrast_limits=(3, 200))
    asked = widget.form.intensity_range
    assert asked.isHidden()
    widget.form.model.value = "conv"
    assert not asked.isHidden()
    assert asked.value == (3, 200)
    assert "contrast limits" in asked.note.text()
    asked.high.setText("many")
    run(widget)
    assert "'3' and 'many'" in messages()[0]
    assert len(viewer.layers) == 1
    asked.high.setText("249")
    result = start(viewer, layer)
    expected = denoise(array.compute(), model="conv", intensity_range=(3, 249))
    np.testing.assert_array_equal(np.asarray(result.data), expected)
    assert result.metadata[METADATA_KEY]["intensity_range"] == (3, 249)
    viewer.add_image(array.compute())
    assert asked.isHidden()


def test_without_a_range_the_noise_is_found_and_removed(
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
    said = {"noise_type": "poisson-gaussian", "strength": 0.5}
    expected = denoise(whole, axes="TYX", **said)
    np.testing.assert_array_equal(np.asarray(result.data), expected)
    assert result.metadata[METADATA_KEY].items() >= said.items()
    assert not messages()


def test_the_strength_reads_nothing_again(viewer, widget, qtbot, start):
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
def test_a_pyramid_gives_a_pyramid(viewer, widget, start, wait_until_filled, ndim, rgb):
    shape = (2,) * (ndim - 2) + (600, 640) + (3,) * rgb
    levels = [
        Source(shape, shape).array,
        Source(shape, shape).array[..., ::2, ::2, :]
        if rgb
        else Source(shape, shape).array[..., ::2, ::2],
    ]
    layer = viewer.add_image(levels, multiscale=True, rgb=rgb)
    assert "2 levels, each by itself" in widget.form.plan.text()
    result = start(viewer, layer)
    assert result.multiscale
    axes = "TYX"[-ndim:] + "S" * rgb
    expected = [denoise(level.compute(), axes=axes) for level in levels]
    for level, wanted in zip(result.data, expected, strict=True):
        assert isinstance(level, da.Array)
        np.testing.assert_array_equal(level.compute(), wanted)
    wait_until_filled(result)
    if ndim == 3:
        viewer.dims.set_point(0, 1)
        expected = [level[1] for level in expected]
    for zoom in (0.3, 4):
        viewer.scene.camera.zoom = zoom
        viewer.window._qt_viewer.canvas.on_draw(None)
        wait_until_filled(result)
        (top, left), (bottom, right) = result.corner_pixels[:, -2:]
        shown = expected[result.data_level][top : bottom + 1, left : right + 1]
        np.testing.assert_array_equal(result._slice.image.raw, shown)


def test_the_sigma_given_is_that_of_the_largest_level(viewer, widget, start):
    full = Source((80, 96), (80, 96)).array
    levels = [full, full[::2, ::2], full[::4, ::4]]
    layer = viewer.add_image(levels, multiscale=True)
    widget.form.to_remove.kind.value = GIVEN
    widget.form.to_remove.sigma.value = "40"
    result = start(viewer, layer)
    for level, given, sigma in zip(result.data, levels, (40, 20, 10), strict=True):
        expected = denoise(given.compute(), sigma=sigma)
        np.testing.assert_array_equal(level.compute(), expected)


def test_large_planes_become_a_pyramid(viewer, widget, start, wait_until_filled):
    source = Source((3, 2500, 300), (1, 500, 300))
    layer = viewer.add_image(source.array, contrast_limits=(0, 255))
    assert "a pyramid" in widget.form.plan.text()
    result = start(viewer, layer)
    assert [level.shape for level in result.data] == [(3, 2500, 300), (3, 1250, 150)]
    half = pyramid(source.array, "TYX")[1].compute()
    np.testing.assert_array_equal(result.data[1].compute(), denoise(half, axes="TYX"))
    wait_until_filled(result)


def test_running_again_takes_its_place(viewer, widget, start, run):
    layer = viewer.add_image(Source((40, 50), (40, 50)).array, name="cells")
    start(viewer, layer).name = "mine"
    start(viewer, layer)
    assert [each.name for each in viewer.layers] == ["cells", "mine"]
    layer.data = layer.data.compute()
    run(widget)
    assert [each.name for each in viewer.layers] == ["cells", "mine"]
    assert isinstance(viewer.layers[1].data, np.ndarray)


@pytest.mark.parametrize("is_pyramid", [False, True])
def test_the_preview_computes_what_is_visible(viewer, widget, qtbot, is_pyramid):
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
    # Where the preview lies, it is what the whole would be.
    world = preview.data_to_world((0, 0, 0))
    top, left = np.round(layer.world_to_data(world)[1:] / factor).astype(int)
    assert preview.data_to_world((0, 1, 1))[1] - world[1] == 2 * factor
    height, width = preview.data.shape[1:]
    assert 0 < height < 450
    np.testing.assert_array_equal(
        preview.data[0], full[top : top + height, left : left + width]
    )


def test_noise_is_not_added_to_what_is_lazy(viewer, widget, run, messages):
    viewer.add_image(Source((40, 50), (40, 50)).array, contrast_limits=(0, 255))
    widget.form.kind.value = "clean"
    run(widget)
    assert "in memory" in messages()[0]
    assert len(viewer.layers) == 1


def test_what_is_wrong_is_one_message(
    viewer, widget, start, wait_until_filled, messages
):
    array = da.full((4, 40, 50), np.inf, dtype=np.float32, chunks=(1, 40, 50))
    layer = viewer.add_image(array, contrast_limits=(0, 1))
    result = start(viewer, layer)
    wait_until_filled(result)
    viewer.dims.set_point(0, 3)
    wait_until_filled(result)
    assert len(messages()) == 1
    assert "infinite" in messages()[0]


def test_what_is_kept_has_a_limit(qtbot):
    from napari_denoise_ae.models.load import load_checkpoint

    source = Source((6, 3 * PART, 40), (1, PART, 40))
    array = denoise_lazily(
        source.array, load_checkpoint("conv"), DenoiseOptions(axes="TYX")
    )
    plane_bytes = 3 * PART * 40
    filler = Filler([array], "TYX", kept=plane_bytes)
    for plane in (0, 1, 2, 3, 4):
        window = ((plane, plane + 1), (0, 3 * PART), (0, 40))
        filler.read(0, window, compute=True)
        qtbot.waitUntil(lambda: filler.is_idle)
        # The plane that is shown, and what the limit allows beside it.
        assert filler.kept_bytes <= 2 * plane_bytes
    expected = denoise(source.array[4:5].compute(), model="conv", axes="TYX")
    np.testing.assert_array_equal(filler.read(0, window, compute=False), expected)


class Failing:
    """A lazy array, one of whose chunks cannot be read for a number of times."""

    def __init__(self, image, chunks, failing, times):
        self.tried, self._failing, self._times = [], failing, times
        self.array = da.from_array(image, chunks=chunks).map_blocks(
            self._read, dtype=image.dtype, meta=image[:0]
        )

    def _read(self, block, block_id):
        self.tried.append(block_id)
        if block_id == self._failing and self.tried.count(block_id) <= self._times:
            raise OSError("the drive is away")
        return block


def test_a_part_that_failed_is_computed_when_it_is_looked_at_again(qtbot):
    image = np.arange(1.0, 1.0 + 2 * 40 * 50).reshape(2, 40, 50)
    source = Failing(image, (1, 40, 50), failing=(1, 0, 0), times=1)
    filler = Filler([source.array], "TYX")

    def look(plane):
        window = ((plane, plane + 1), (0, 40), (0, 50))
        filler.read(0, window, compute=True)
        qtbot.waitUntil(lambda: filler.is_idle)
        return filler.read(0, window, compute=False)[0]

    assert (look(1) == 0).all()
    np.testing.assert_array_equal(look(0), image[0])
    np.testing.assert_array_equal(look(1), image[1])


def test_showing_more_is_no_new_look_at_a_part_that_failed(qtbot):
    image = np.ones((40, 2 * PART))
    source = Failing(image, (40, PART), failing=(0, 0), times=9)
    filler = Filler([source.array], "YX")
    window = ((0, 40), (0, 2 * PART))
    filler.filled.connect(lambda: filler.read(0, window, compute=True))
    filler.read(0, window, compute=True)
    qtbot.waitUntil(lambda: filler.is_idle)
    assert source.tried.count((0, 0)) == 1
    assert (filler.read(0, window, compute=False)[:, PART:] == 1).all()
