import dask.array as da
import numpy as np
import pytest
from qtpy.QtCore import QPoint, QRect, Qt
from qtpy.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLineEdit,
    QScrollArea,
    QSpinBox,
    QTableWidget,
)

from napari_denoise_ae._napari.denoise.widget import DenoiseWidget
from napari_denoise_ae._napari.files.widget import FilesWidget
from napari_denoise_ae._napari.shared.fields import Field


def is_in_window(widget):
    """Return whether a widget is inside the window and nothing scrolls it."""
    window = widget.window()
    place = QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())
    return window.rect().contains(place) and not any(
        area.isAncestorOf(widget) for area in window.findChildren(QScrollArea)
    )


@pytest.mark.qt_binding
@pytest.mark.parametrize("size", [(1280, 800), (1024, 700)])
def test_the_buttons_and_the_table_are_always_visible(
    make_napari_viewer, run, qtbot, size
):
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(*size)
    widget = DenoiseWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Denoise")
    stack = np.random.default_rng(0).integers(0, 255, (3, 40, 56)).astype(np.uint8)
    fixed = [widget.run_button, widget.cancel_button, widget.status]

    def assert_visible():
        QApplication.processEvents()
        qtbot.waitUntil(lambda: all(each.isVisible() for each in fixed))
        assert (widget.window().width(), widget.window().height()) == size
        assert all(is_in_window(each) for each in fixed)
        scroll = widget.findChild(QScrollArea)
        assert scroll.widget().width() <= scroll.viewport().width()

    assert_visible()
    viewer.add_image(stack, name="a long name " * 20)
    assert_visible()
    widget.form.kind.value = "clean"
    run(widget)
    fixed += [widget.readout, widget.readout.note, widget.copy_figures]
    assert_visible()
    for section in (widget.form.options, widget.form.to_remove.curve):
        section.expand()
    widget.compare_section.expand()
    assert_visible()
    widget.panel.warn(["A warning that is as long as the longest ones are. " * 4] * 3)
    assert_visible()
    viewer.add_image(da.from_array(stack), contrast_limits=(0, 255))
    fixed = fixed[:3]
    assert_visible()


def test_options_stay_open_or_closed(viewer):
    widget = DenoiseWidget(viewer)
    assert widget.form.device.isVisibleTo(widget) is False
    widget.form.options.button.click()
    again = DenoiseWidget(viewer)
    assert again.form.device.isVisibleTo(again)
    again.form.options.button.click()
    last = DenoiseWidget(viewer)
    assert not last.form.device.isVisibleTo(last)


def tooltip_of(editor, widget):
    """Return the tooltip that Qt shows: that of the nearest parent with one."""
    while editor is not widget and not editor.toolTip():
        editor = editor.parent()
    return editor.toolTip()


def test_every_field_and_button_has_a_tooltip_and_every_field_a_default(viewer, widget):
    kinds = QAbstractButton, QComboBox, QLineEdit, QSpinBox
    for each, least in ((widget, 40), (FilesWidget(viewer), 20)):
        editors = [
            editor
            for kind in kinds
            for editor in each.findChildren(kind)
            if not isinstance(editor.parent(), QTableWidget)
        ]
        assert len(editors) > least
        without = [editor for editor in editors if not tooltip_of(editor, each)]
        assert not [getattr(editor, "text", editor.objectName)() for editor in without]
        tooltips = [field.editor.toolTip() for field in each.findChildren(Field)]
        assert len(tooltips) > least / 4
        assert not [text for text in tooltips if "Default: " not in text]


def test_the_full_names_are_in_tooltips(viewer, widget):
    name = "a long name that does not fit " * 3
    viewer.add_image(np.zeros((8, 8)), name=name)
    assert name.strip() in widget.form.layer.editor.toolTip()
    widget.form.facts.resize(60, 20)
    assert widget.form.facts.text() == "8 x 8, float64"
    assert "8 x 8, float64" in widget.form.facts.toolTip()


def test_the_tab_key_follows_the_fields(viewer, widget):
    widget.form.options.expand()
    form = widget.form
    expected = [
        form.layer.editor,
        form.model.editor,
        form.model_button,
        form.to_remove.kind.editor,
        form.preview.editor,
        form.options.button,
        form.follow.editor,
        form.scope.choice,
        form.device.editor,
        form.copy_python,
        widget.compare_section.button,
        widget.run_button,
        widget.cancel_button,
        widget.side_by_side,
        widget.copy_figures,
    ]
    found, current = [], form.layer.editor
    for _ in range(200):
        if current in expected and current.focusPolicy() != Qt.FocusPolicy.NoFocus:
            found.append(current)
        current = current.nextInFocusChain()
        if current is form.layer.editor:
            break
    assert found == expected
