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
    """Return the fields of a form with such rows, and its layout."""

    parents = []

    def make(*rows):
        parent = QWidget()
        qtbot.addWidget(parent)
        parents.append(parent)  # qtbot keeps no widget alive
        form = make_form(parent)
        return add_fields(form, rows), form

    yield make
    parents.clear()


def spec(editor, *, is_wide=False, label="label"):
    return FieldSpec("name", label, editor, "What it is.", is_wide)


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
def test_every_editor_has_a_value_and_tells_when_it_changes(
    build, editor, before, after
):
    fields, _ = build(spec(editor))
    field = fields["name"]
    told = []
    field.changed.connect(lambda: told.append(field.value))
    assert field.value == before
    field.value = after
    assert field.value == after
    assert told[-1] == after


def test_text_that_is_no_number_stays_text(build):
    field = build(spec(NumberEdit))[0]["name"]
    field.value = "many"
    assert field.value == "many"


def test_a_mistake_is_marked_until_the_value_changes(build):
    field = build(spec(NumberEdit))[0]["name"]
    field.mark("It is wrong.")
    assert field.message == "It is wrong."
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


def test_rows_come_in_the_order_in_which_they_are_given(build):
    text = QLabel("text")
    fields, form = build(spec(NumberEdit), text)
    assert form.itemAt(0, form.ItemRole.FieldRole).widget() is fields["name"]
    assert form.itemAt(1, form.ItemRole.SpanningRole).widget() is text


def test_a_field_is_hidden_with_its_label(build):
    field = build(spec(NumberEdit))[0]["name"]
    field.show_if(False)
    assert field.isHidden()
    assert field.label.isHidden()
    assert "What it is." in field.label.toolTip()
