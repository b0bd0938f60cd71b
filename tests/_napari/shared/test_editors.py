import pytest

from napari_denoise_ae._napari.shared.editors import Choice, RadioEdit


class Thing:
    """A value that equals only itself, like a layer."""


@pytest.fixture
def emitted():
    return []


@pytest.fixture
def make_choice(qtbot, emitted):
    def make(choices, value=None):
        choice = Choice(choices, value)
        qtbot.addWidget(choice)
        choice.changed.connect(lambda: emitted.append(choice.value))
        return choice

    return make


def test_a_value_is_chosen_by_its_title(make_choice, emitted):
    first, second = Thing(), Thing()
    choice = make_choice([("one", first), ("two", second)])
    assert choice.value is first
    choice.setCurrentText("two")
    choice.value = second
    assert choice.value is second
    assert emitted == [second]


def test_offering_other_choices_keeps_the_chosen_value(make_choice, emitted):
    first, second = Thing(), Thing()
    choice = make_choice([("one", first), ("two", second)], second)
    choice.set_choices([("none", None), ("renamed", second)])
    assert choice.currentText() == "renamed"
    assert choice.value is second
    assert emitted == []


def test_the_first_value_replaces_a_removed_one(make_choice, emitted):
    choice = make_choice("ab", "b")
    choice.set_choices("ac")
    assert choice.values == ("a", "c")
    assert emitted == ["a"]


def test_offering_choices_with_a_value_emits_once(make_choice, emitted):
    choice = make_choice(())
    choice.set_choices("abc", "c")
    assert emitted == ["c"]


def test_an_editable_choice_accepts_any_text(make_choice, emitted):
    choice = make_choice("ab")
    choice.setEditable(True)
    choice.value = "other"
    assert choice.value == "other"
    assert emitted == ["other"]


def test_radio_buttons_emit_only_changes(qtbot, emitted):
    edit = RadioEdit(("noisy", "clean"))
    qtbot.addWidget(edit)
    edit.changed.connect(lambda: emitted.append(edit.value))
    assert edit.value == "noisy"
    edit.value = "clean"
    edit.value = "clean"
    assert emitted == ["clean"]
