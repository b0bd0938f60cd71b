import dask.array as da
import numpy as np
import pytest
from qtpy.QtGui import QFontMetricsF
from qtpy.QtWidgets import QApplication

from napari_denoise_ae._napari.denoise.before_after import (
    Flip,
    SideBySide,
    compare_contrast,
)
from napari_denoise_ae._napari.denoise.layer_names import LayerNames
from napari_denoise_ae._napari.denoise.swipe import Swipe
from napari_denoise_ae._napari.viewer.outputs import show_output

RNG = np.random.default_rng(0)


def image(shape=(40, 56), dtype=np.uint8):
    return RNG.integers(0, 256, shape).astype(dtype)


def visible(viewer):
    return [layer.name for layer in viewer.layers if layer.visible]


@pytest.fixture
def cells(viewer):
    """Return a layer with all kinds of outputs, below an unrelated layer."""
    layer = viewer.add_image(image(), name="cells")
    for role in ("residual", "denoised", "by conv", "preview"):
        show_output(viewer, layer, role, image(), {})
    viewer.add_image(image(), name="other")
    return layer


# --- side by side


@pytest.mark.qt_binding
def test_side_by_side_shows_the_layer_and_its_results_only(viewer, cells, qtbot):
    viewer.layers["cells [by conv]"].visible = False
    before = visible(viewer)
    side_by_side = SideBySide(viewer)
    side_by_side.show(cells)
    shown = ["cells", "cells [denoised]", "cells [by conv]"]
    assert visible(viewer) == shown
    names = [viewer.layers[name].name_overlay for name in shown]
    qtbot.waitUntil(lambda: all(name.visible for name in names))
    grid, layers = viewer.canvas.grid, viewer.layers
    places = [grid.position(layers.index(layers[name]), layers) for name in shown]
    assert places == [(0, 0), (0, 1), (1, 0)]
    cells.contrast_limits = (5, 100)
    assert layers["cells [denoised]"].contrast_limits == [5, 100]
    side_by_side.end()
    assert not grid.enabled
    assert visible(viewer) == before
    assert not any(layer.name_overlay.visible for layer in layers)
    cells.contrast_limits = (7, 100)
    assert layers["cells [denoised]"].contrast_limits == [5, 100]


def test_names_wider_than_their_picture_are_smaller_and_show_their_end(viewer, qtbot):
    viewer.canvas.size = (600, 600)
    font = QApplication.font()
    font.setPointSizeF(8)
    # Length of a name that fills a picture of 300 pixels.
    length = int(300 / QFontMetricsF(font).horizontalAdvance("m") * 72 / 96)
    lengths = (length // 2, round(1.1 * length), 2 * length)
    layers = [viewer.add_image(image(), name="m" * length) for length in lengths]
    viewer.canvas.grid.enabled = True
    names = LayerNames(viewer)
    names.show(layers)
    overlays = [layer.name_overlay for layer in layers]
    qtbot.waitUntil(lambda: all(overlay.visible for overlay in overlays))
    sizes = [overlay.font_size for overlay in overlays]
    assert sizes[0] == 8
    assert 6 < sizes[1] < 8
    assert sizes[2] == 6
    positions = [overlay.position for overlay in overlays]
    assert positions == ["top_left", "top_left", "top_right"]
    # There is more space for fewer pictures.
    layers[0].visible = layers[1].visible = False
    names.show(layers[2:])
    assert not overlays[0].visible
    assert overlays[2].visible
    qtbot.waitUntil(lambda: overlays[2].position == "top_left")
    names.hide()
    assert {overlay.position for overlay in overlays} == {"top_left"}
    assert not any(overlay.visible for overlay in overlays)


def test_no_name_is_shown_after_the_end_or_of_a_removed_layer(viewer, qtbot):
    first, second = (viewer.add_image(image()) for _ in range(2))
    names = LayerNames(viewer)
    names.show([first, second])
    viewer.layers.remove(first)
    qtbot.waitUntil(lambda: second.name_overlay.visible)
    assert not first.name_overlay.visible
    names.hide()
    names.show([second])
    names.stop()
    qtbot.wait(60)
    assert not second.name_overlay.visible


def test_side_by_side_shows_new_results_and_follows_naparis_button(viewer, widget, run):
    layer = viewer.add_image(image(), name="cells")
    widget.side_by_side.setChecked(True)
    run(widget)
    assert viewer.canvas.grid.enabled
    layer.contrast_limits = (5, 100)
    assert viewer.layers["cells [denoised]"].contrast_limits == [5, 100]
    viewer.canvas.grid.enabled = False
    assert not widget.side_by_side.isChecked()
    layer.contrast_limits = (7, 100)
    assert viewer.layers["cells [denoised]"].contrast_limits == [5, 100]


def test_ending_side_by_side_unlinks_the_layers_it_linked(viewer, widget, run):
    first = viewer.add_image(image(), name="first")
    run(widget)
    widget.side_by_side.setChecked(True)
    viewer.add_image(image(), name="second")
    widget.side_by_side.setChecked(False)
    denoised = viewer.layers["first [denoised]"]
    before = list(denoised.contrast_limits)
    first.contrast_limits = (5, 100)
    assert denoised.contrast_limits == before


# --- before and after


def test_flipping_hides_all_that_covers_the_layer_and_shows_it_again(viewer, cells):
    viewer.layers["cells [by conv]"].visible = False
    after = visible(viewer)
    flip = Flip(viewer)
    flip.flip(cells)
    assert visible(viewer) == ["cells"]
    flip.flip(cells)
    assert visible(viewer) == after


def test_flipping_shows_the_result_that_the_user_has_hidden(viewer, cells):
    for layer in viewer.layers:
        layer.visible = False
    Flip(viewer).flip(cells)
    assert visible(viewer) == ["cells", "cells [by conv]"]


def test_the_layer_with_added_noise_is_the_one_before(viewer):
    layer = viewer.add_image(image(), name="cells")
    noisy, after = (
        show_output(viewer, layer, role, image(), {}) for role in ("noisy", "denoised")
    )
    Flip(viewer).flip(layer)
    assert noisy.visible
    assert not after.visible


@pytest.mark.qt_binding
def test_the_key_and_the_button_switch_between_before_and_after(viewer, widget, run):
    viewer.add_image(image(), name="cells")
    key = next(func for key, func in viewer.keymap.items() if str(key) == "Alt+B")
    key(viewer)
    run(widget)
    after = viewer.layers["cells [denoised]"]
    key(viewer)
    assert not after.visible
    widget.panel.flip_button.click()
    assert after.visible
    key(viewer)
    run(widget)
    assert after.visible


# --- contrast


def test_compare_contrast_fits_the_result(viewer):
    data = np.full((100, 100), 1000, np.uint16)
    data[:50] = 900
    data[0, 0] = 60_000
    layer = viewer.add_image(data, contrast_limits=(0, 65535))
    after = show_output(viewer, layer, "denoised", data, {})
    compare_contrast(viewer, layer)
    assert layer.contrast_limits == after.contrast_limits == [900, 1000]


def test_compare_contrast_of_a_lazy_layer_uses_what_is_shown(viewer, widget, run):
    data = da.from_array(np.stack([image(dtype=np.uint16), image() * 200]))
    layer = viewer.add_image(data, contrast_limits=(0, 65535))
    after = show_output(viewer, layer, "denoised", data, {})
    compare_contrast(viewer, layer)
    assert layer.contrast_limits == after.contrast_limits
    assert layer.contrast_limits[1] < 256


def test_compare_contrast_says_that_it_needs_gray_values(viewer, widget, messages):
    viewer.add_image(image((8, 9, 3)), rgb=True)
    widget.panel.contrast_button.click()
    assert messages() == ["Compare contrast needs a layer that is not in color."]


# --- swipe


@pytest.mark.qt_binding
@pytest.mark.parametrize("rgb", [False, True])
def test_swipe_covers_the_left_part_of_the_result(viewer, widget, run, rgb):
    data = image((3, 40, 56, 3) if rgb else (3, 40, 56))
    layer = viewer.add_image(data, rgb=rgb, name="cells", scale=(1, 2, 2))
    run(widget)
    slider = widget.panel.swipe
    active = viewer.layers.selection.active
    slider.setValue(500)
    cover = viewer.layers[-1]
    assert cover.name == "cells [before]"
    (_, left), (_, right) = layer.corner_pixels[:, -2:]
    column = (left + right + 1) // 2
    np.testing.assert_array_equal(cover.data, data[:, :, :column])
    np.testing.assert_array_equal(cover.scale, layer.scale)
    assert viewer.layers.selection.active is active
    slider.setValue(900)
    assert viewer.layers[-1] is cover
    assert cover.data.shape[2] > column
    # The cover is no result.
    widget.side_by_side.setChecked(True)
    assert not cover.visible
    widget.side_by_side.setChecked(False)
    slider.setValue(0)
    assert cover not in viewer.layers
    slider.setValue(500)
    run(widget)
    assert slider.value() == 0
    assert [each.name for each in viewer.layers] == ["cells", "cells [denoised]"]


def test_swipe_says_why_it_cannot_be_shown(viewer, messages):
    layer = viewer.add_image(da.from_array(image()), contrast_limits=(0, 255))
    swipe = Swipe(viewer)
    assert not swipe.move(layer, 0.5)
    assert "denoise the layer first" in messages()[0]
    show_output(viewer, layer, "denoised", image(), {})
    assert not swipe.move(layer, 0.5)
    assert "layers in memory" in messages()[1]
    assert len(viewer.layers) == 2
