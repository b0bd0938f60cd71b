from pathlib import Path

import pytest

from napari_denoise_ae._napari.shared.model_choice import (
    LAST_CHOSEN,
    ModelChoice,
    model_choice,
)
from napari_denoise_ae.models.builtin import builtin_models

BUILT_IN = ("auto", *builtin_models())


@pytest.mark.qt_binding
def test_the_widgets_of_a_viewer_share_their_models(viewer, widget, checkpoint):
    _, other = viewer.window.add_plugin_dock_widget("napari-denoise-ae", "Denoise")
    model_choice(viewer).choose(checkpoint)
    for form in (widget.form, other.form):
        assert form.model.value == checkpoint
        assert form.model.editor.values == (*BUILT_IN, checkpoint)
    other.form.model.value = "conv"
    assert widget.form.model.value == "conv"


@pytest.mark.qt_binding
def test_checkpoints_are_remembered_most_recent_first(checkpoint):
    second = str(Path(checkpoint).rename(Path(checkpoint).with_name("second.pt")))
    Path(checkpoint).write_bytes(Path(second).read_bytes())
    choice = ModelChoice()
    assert choice.models == BUILT_IN
    for model in (checkpoint, second, "conv"):
        choice.choose(model)
    again = ModelChoice()
    assert again.models == (*BUILT_IN, second, checkpoint)
    assert again.chosen == "auto"
    again.choose(checkpoint)
    Path(second).unlink()
    assert ModelChoice().models == (*BUILT_IN, checkpoint)


@pytest.mark.qt_binding
def test_ten_checkpoints_are_remembered(tmp_path):
    choice = ModelChoice()
    for number in range(12):
        file = tmp_path / f"{number}.pt"
        file.touch()
        choice.choose(str(file))
    assert [Path(path).stem for path in ModelChoice().models[len(BUILT_IN) :]] == [
        str(number) for number in range(11, 1, -1)
    ]


def test_checkpoints_with_the_same_name_are_separate_choices(viewer, widget, tmp_path):
    files = [tmp_path / part / "run" / "best.pt" for part in "ab"]
    for file in files:
        file.parent.mkdir(parents=True)
        file.touch()
        model_choice(viewer).choose(str(file))
    assert widget.form.model.editor.count() == len(BUILT_IN) + 2
    for file in files:
        widget.form.model.value = str(file)
        assert model_choice(viewer).chosen == str(file)


def test_reading_the_models_does_not_change_the_recent_checkpoints(viewer, tmp_path):
    from napari_denoise_ae._napari.shared.preferences import preferences

    files = [str(tmp_path / name) for name in ("old.pt", "recent.pt")]
    old, recent = files
    for file in files:
        Path(file).touch()
        ModelChoice().choose(file)
    preferences().default_model = LAST_CHOSEN
    for _ in range(2):
        assert model_choice(viewer).chosen == recent
    ModelChoice().choose("conv")
    assert ModelChoice().chosen == "conv"
    preferences().default_model = "auto"
    assert ModelChoice().chosen == "auto"
    assert ModelChoice().models == (*BUILT_IN, recent, old)
