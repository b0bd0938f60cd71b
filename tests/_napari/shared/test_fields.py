from functools import partial

import pytest
from qtpy.QtWidgets import QLabel, QWidget

from napari_denoise_ae._napari.shared.editors import (
    Choice,
    NumberEdit,
    PathEdit,
    RadioEdit,
    make_check,
    make_editor,
    make_line,
)
from napari_denoise_ae._napari.shared.fields import FieldSpec, add_fields
from napari_denoise_ae._napari.shared.layout import make_form
from napari_denoise_ae._napari.shared.noise_edit import NoiseChooser


@pytest.fixture
def build(qtbot):
    """Return a function that makes a form with given rows."""

    parents = []

    def make(*rows):
        parent = QWidget()
        qtbot.addWidget(parent)
        parents.append(parent)  # qtbot does not keep widgets alive
        form = make_form(parent)
        return add_fields(form, rows), form

    yield make
    parents.clear()


def spec(editor, *, is_wide=False, label="label"):
    return FieldSpec("name", label, editor, "A tooltip.", is_wide)


@pytest.mark.parametrize(
    ("editor", "before", "after"),
    [
        (partial(Choice, "ab"), "a", "b"),
        (partial(RadioEdit, "ab"), "a", "b"),
        (partial(make_check, "text"), False, True),
        (partial(make_editor, 3), 3, 4),
        (partial(make_editor, 0.5), 0.5, 1e-3),
        (partial(make_line, placeholder="none"), "", "TYX"),
        (partial(PathEdit, "here", str), "here", "there"),
        (partial(NoiseChooser, "gaussian:0.1"), "gaussian:0.1", "poisson:50"),
    ],
)
def test_each_editor_has_a_value_and_emits_its_changes(build, editor, before, after):
    fields, _ = build(spec(editor))
    field = fields["name"]
    emitted = []
    field.changed.connect(lambda: emitted.append(field.value))
    assert field.value == before
    field.value = after
    assert field.value == after
    assert emitted[-1] == after


def test_text_that_is_not_a_number_is_returned_unchanged(build):
    field = build(spec(NumberEdit))[0]["name"]
    field.value = "many"
    assert field.value == "many"


def test_an_error_is_shown_until_the_value_changes(build):
    field = build(spec(NumberEdit))[0]["name"]
    field.mark("Invalid value.")
    assert field.message == "Invalid value."
    assert "border" in field.editor.styleSheet()
    field.value = 1.0
    assert field.message == ""
    assert not field.editor.styleSheet()


def test_a_label_is_beside_its_editor_or_above_a_wide_one(build):
    narrow, wide = spec(NumberEdit), spec(NumberEdit, is_wide=True)
    bare = spec(NumberEdit, is_wide=True, label="")
    assert build(narrow)[1].rowCount() == 1
    assert build(wide)[1].rowCount() == 2
    assert build(bare)[1].rowCount() == 1


def test_rows_keep_their_order(build):
    text = QLabel("text")
    fields, form = build(spec(NumberEdit), text)
    assert form.itemAt(0, form.ItemRole.FieldRole).widget() is fields["name"]
    assert form.itemAt(1, form.ItemRole.SpanningRole).widget() is text


def test_a_field_is_hidden_with_its_label(build):
    field = build(spec(NumberEdit))[0]["name"]
    field.show_if(False)
    assert field.isHidden()
    assert field.label.isHidden()
    assert "A tooltip." in field.label.toolTip()
