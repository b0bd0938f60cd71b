import numpy as np
import pint
import pytest

from napari_denoise_ae import denoise
from napari_denoise_ae._napari.viewer.axes import layer_axes
from napari_denoise_ae._napari.viewer.guess_axes import (
    Axes,
    describe_guess,
    find_axes,
    possible_axes,
)
from napari_denoise_ae.errors import InvalidInputError

UNNAMED = ("-5", "-4", "-3", "-2", "-1")


@pytest.mark.parametrize(
    ("labels", "rgb", "letters", "guessed"),
    [
        (("y", "x"), False, "YX", ""),
        (UNNAMED[-2:], True, "YXS", ""),
        (("Time", "Channel", "Y", "X"), False, "TCYX", ""),
        (("z", "y", "x"), True, "ZYXS", ""),
        (UNNAMED[-3:], False, "TYX", "T"),
        (UNNAMED, False, "TZCYX", "TZC"),
        (("stage", "t", "y", "x"), False, "ZTYX", "Z"),
    ],
)
def test_axes_follow_the_axis_labels(labels, rgb, letters, guessed):
    assert find_axes(labels, "cells", rgb=rgb) == Axes(letters, guessed)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (("y", "x", "t"), "y, x, t.* must be the last two"),
        (("t", "time", "y", "x"), "two of them are the same"),
        (("-6", *UNNAMED), "6 dimensions; 2 to 5"),
    ],
)
def test_unsupported_axes_raise(labels, expected):
    with pytest.raises(InvalidInputError, match=expected):
        find_axes(labels, "cells", rgb=False)


@pytest.mark.parametrize(
    ("metadata", "letters"),
    [
        ({"axes": "ZCYX"}, "ZCYX"),
        ({"axes": [{"name": name} for name in "czyx"]}, "CZYX"),
        ({"dims": ["time", "other", "y", "x"]}, "TZYX"),
        # These do not fit the layer.
        ({"axes": "CYX"}, "TZYX"),
        ({"axes": "CYXZ"}, "TZYX"),
        ({"axes": 3, "dims": None}, "TZYX"),
    ],
)  # fmt: skip
def test_axes_are_read_from_the_metadata(metadata, letters):
    shape = (9, 8, 40, 50)
    found = find_axes(UNNAMED[-4:], "a", rgb=False, shape=shape, metadata=metadata)
    assert found.letters == letters


def test_axis_labels_come_before_metadata_and_units():
    labels, units = ("-4", "t", "y", "x"), [pint.Unit("second")] * 4
    found = find_axes(labels, "a", rgb=False, metadata={"axes": "TCYX"}, units=units)
    assert found == Axes("ZTYX", "Z")


@pytest.mark.parametrize(
    ("unit", "letter"), [("second", "T"), ("micrometer", "Z"), ("pixel", "T")]
)
def test_the_unit_tells_times_from_depths(unit, letter):
    units = [pint.Unit(unit), pint.Unit("pixel"), pint.Unit("pixel")]
    found = find_axes(UNNAMED[-3:], "a", rgb=False, shape=(9, 40, 50), units=units)
    assert found == Axes(f"{letter}YX", "T" if unit == "pixel" else "")


@pytest.mark.parametrize(
    ("shape", "letters", "text"),
    [
        ((40, 50), "YX", ""),
        ((9, 40, 50), "TYX", "Guessed: axis 1 has no name."),
        ((3, 40, 50), "TYX",
         "⚠ Guessed: axis 1, of length 3, is taken as frames. Is it channels?"),
        ((9, 8, 40, 50), "TZYX", "Guessed: axes 1 and 2 have no names."),
        ((9, 2, 40, 50), "TCYX",
         "⚠ Guessed: axis 2, of length 2, is taken as channels."),
        ((3, 9, 40, 50), "CTYX",
         "⚠ Guessed: axis 1, of length 3, is taken as channels."),
        ((2, 3, 40, 50), "TZYX",
         "⚠ Guessed: axis 1, of length 2, is taken as frames. Is it channels?"),
        ((9, 2, 8, 40, 50), "TCZYX",
         "⚠ Guessed: axis 2, of length 2, is taken as channels."),
    ],
)  # fmt: skip
def test_unnamed_axes_are_guessed_from_the_shape(shape, letters, text):
    found = find_axes(UNNAMED[-len(shape) :], "a", rgb=False, shape=shape)
    assert found.letters == letters
    assert describe_guess(found, shape) == text


def test_possible_axes_keep_the_plane():
    assert possible_axes(Axes("YXS")) == ["YXS"]
    assert possible_axes(Axes("CYX")) == ["TYX", "ZYX", "CYX"]
    assert len(set(possible_axes(Axes("TZYXS")))) == 6


@pytest.mark.filterwarnings("ignore::napari_denoise_ae.errors.DenoiseAEWarning")
def test_axes_are_chosen_in_the_form(viewer, widget, run):
    rng = np.random.default_rng(0)
    data = rng.integers(0, 100, (2, 40, 48)).astype(np.uint16)
    data[1] *= 50
    field, note = widget.form.axes, widget.form.axes_note
    layer = viewer.add_image(data)
    assert (field.value, field.isHidden()) == ("TYX", False)
    assert field.editor.currentText() == "T Y X"
    assert note.text().endswith("Is it channels?")
    field.value = "CYX"
    assert not note.text()
    assert "2 channels" in widget.form.facts.details
    run(widget)
    np.testing.assert_array_equal(viewer.layers[1].data, denoise(data, axes="CYX"))
    # They belong to the layer.
    viewer.add_image(data[0])
    assert field.isHidden()
    viewer.layers.selection.active = layer
    assert field.value == "CYX"
    layer.axis_labels = ("z", "y", "x")
    assert (field.value, layer_axes(layer)) == ("ZYX", "ZYX")
    layer.axis_labels = ("y", "x", "t")
    assert "must be the last two" in note.text()
    assert field.isHidden()


def test_colors_are_not_taken_for_channels():
    axes = find_axes(["-4", "-3", "-2", "-1"], "a", rgb=True, shape=(9, 3, 8, 8, 3))
    assert axes.letters == "TZYXS"
    single = find_axes(["-3", "-2", "-1"], "a", rgb=True, shape=(3, 8, 8, 3))
    assert "⚠" not in describe_guess(single, (3, 8, 8, 3))
