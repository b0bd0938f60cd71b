import pytest

from napari_denoise_ae._napari.shared.editors import Choice, RadioEdit


class Thing:
    """A value that is equal only to itself, like a layer."""


@pytest.fixture
def told():
    return []


@pytest.fixture
def make_choice(qtbot, told):
    def make(choices, value=None):
        choice = Choice(choices, value)
        qtbot.addWidget(choice)
        choice.changed.connect(lambda: told.append(choice.value))
        return choice

    return make


def test_a_value_is_chosen_by_its_title(make_choice, told):
    first, second = Thing(), Thing()
    choice = make_choice([("one", first), ("two", second)])
    assert choice.value is first
    choice.setCurrentText("two")
    choice.value = second
    assert choice.value is second
    assert told == [second]


def test_the_chosen_value_stays_when_others_are_offered(make_choice, told):
    first, second = Thing(), Thing()
    choice = make_choice([("one", first), ("two", second)], second)
    choice.offer([("none", None), ("renamed", second)])
    assert choice.currentText() == "renamed"
    assert choice.value is second
    assert told == []


def test_the_first_takes_the_place_of_a_value_that_is_gone(make_choice, told):
    choice = make_choice("ab", "b")
    choice.offer("ac")
    assert choice.values == ("a", "c")
    assert told == ["a"]


def test_nothing_in_between_is_told_where_a_value_is_given(make_choice, told):
    choice = make_choice(())
    choice.offer("abc", "c")
    assert told == ["c"]


def test_in_an_editable_choice_any_text_is_a_value(make_choice, told):
    choice = make_choice("ab")
    choice.setEditable(True)
    choice.value = "other"
    assert choice.value == "other"
    assert told == ["other"]


def test_one_of_the_radio_buttons_is_chosen(qtbot, told):
    edit = RadioEdit(("noisy", "clean"))
    qtbot.addWidget(edit)
    edit.changed.connect(lambda: told.append(edit.value))
    assert edit.value == "noisy"
    edit.value = "clean"
    edit.value = "clean"
    assert told == ["clean"]
