import inspect
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from napari.utils import progress
from npe2 import PluginManifest
from qtpy.QtWidgets import QDockWidget, QMessageBox

from napari_denoise_ae import denoise, load_checkpoint
from napari_denoise_ae._napari.denoise.widget import DenoiseWidget
from napari_denoise_ae._napari.shared import preferences
from napari_denoise_ae._napari.shared.model_choice import model_choice
from napari_denoise_ae._napari.train import curve_bar
from napari_denoise_ae._napari.train import run as train_run
from napari_denoise_ae._napari.train.curve import Curve
from napari_denoise_ae._napari.train.widget import TrainWidget
from napari_denoise_ae.errors import DatasetError
from napari_denoise_ae.evaluation import test_set
from napari_denoise_ae.evaluation.score import ScoringProgress
from napari_denoise_ae.io import download
from napari_denoise_ae.io.cifar10 import CIFAR10_URL, ImageSet
from napari_denoise_ae.io.download import DownloadProgress
from napari_denoise_ae.models.networks.registry import network_class
from napari_denoise_ae.models.presets import PRESETS, preset_config
from napari_denoise_ae.training import gallery, prepare, saved
from napari_denoise_ae.training import run as training_run
from napari_denoise_ae.training.losses import LOSSES
from napari_denoise_ae.training.run_files import default_checkpoint
from napari_denoise_ae.training.step import TrainingStep


@pytest.fixture(autouse=True)
def _few_small_images(monkeypatch):
    """Replace CIFAR-10 by forty images of flat squares."""
    colors = np.random.default_rng(0).integers(0, 256, (40, 2, 2, 3), dtype=np.uint8)
    images = colors.repeat(8, axis=1).repeat(8, axis=2)
    train, test = ImageSet("CIFAR-10 in squares", images[:30]), images[30:]

    def load_test_images(folder, *, n_test):
        return ImageSet("squares to test", test[:n_test])

    def load_training_images(folder, *, n_test):
        return train

    monkeypatch.setattr(prepare, "load_training_images", load_training_images)
    monkeypatch.setattr(gallery, "load_test_images", load_test_images)
    monkeypatch.setattr(test_set, "load_test_images", load_test_images)
    # Drawing takes a second and has its own test.
    monkeypatch.setattr(training_run, "save_gallery", lambda *_: None)


@pytest.fixture
def messages(monkeypatch):
    """Return the errors that the widget shows, instead of napari's pop-ups."""
    shown = []
    monkeypatch.setattr(train_run, "show_error", shown.append)
    return shown


@pytest.fixture
def viewer(make_napari_viewer, plugin_settings, npe2pm):
    """Return a viewer with the plugin registered and isolated settings."""
    npe2pm.register(PluginManifest.from_distribution("napari-denoise-ae"))
    return make_napari_viewer()


@pytest.fixture
def widget(viewer, tmp_path, qtbot, messages):
    """Return the widget in a dock, filled in for a run of two epochs."""
    widget = docked(viewer, tmp_path)
    yield widget
    # A run left by a failed test would make the next one fail.
    for stop in list(train_run._RUNNING):
        stop.set()
    qtbot.waitUntil(lambda: not train_run._RUNNING)


def docked(viewer, folder, **settings):
    widget = TrainWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Train")
    (folder / "cifar-10-batches-py").mkdir(exist_ok=True)
    values = {
        "data": str(folder),
        "output": str(folder / "model.pt"),
        "device": "cpu",
        "epochs": 2,
        "batch_size": 8,
    }
    for name, value in (values | settings).items():
        widget.form.set_value(name, value)
    return widget


def wait_for_end(qtbot, widget):
    qtbot.waitUntil(widget.controls.train_button.isEnabled)
    qtbot.waitUntil(lambda: not train_run._RUNNING)


def train_without_end(qtbot, widget, n_epochs=1):
    """Start a run that only the test ends, and wait for its first epochs."""
    widget.form.set_value("epochs", 10_000)
    widget.form.set_value("patience", 10_000)
    widget.controls.train_button.click()
    qtbot.waitUntil(lambda: len(widget.progress.plot.history) >= n_epochs)


def plain(text):
    """Return a text without break opportunities."""
    return text.replace("\u200b", "")


def answer(monkeypatch, button):
    """Answer the widget's questions with a button, and return the questions."""
    questions = []

    def question(parent, title, text, buttons, default):
        questions.append(text)
        return button

    monkeypatch.setattr(QMessageBox, "question", question)
    return questions


@pytest.mark.qt_binding
def test_the_trained_model_is_chosen(viewer, widget, qtbot, tmp_path):
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    widget.controls.train_button.click()
    wait_for_end(qtbot, widget)
    path = tmp_path / "model.pt"
    record = load_checkpoint(path).record
    assert record.epochs_run == 2
    assert model_choice(viewer).chosen == str(path)
    assert "all epochs are done" in widget.controls.status.text()
    assert str(path) in widget.controls.status.text().replace("\u200b", "")
    assert f"epoch {record.best_epoch}" in widget.controls.status.text()
    assert "cpu (requested)" in widget.progress._facts.text()
    assert [result.epoch for result in widget.progress.plot.history] == [1, 2]
    assert widget.progress.pictures._image is not None
    assert torch.get_num_threads() == threads


@pytest.mark.qt_binding
def test_a_finished_run_shows_scores_and_pictures_of_test_images(
    widget, qtbot, tmp_path
):
    shown = []
    show = widget.progress.pictures.set_examples
    widget.progress.pictures.set_examples = lambda images: (
        shown.append(images),
        show(images),
    )
    widget.controls.train_button.click()
    wait_for_end(qtbot, widget)
    first, noisy, denoised = widget.progress._test_scores.text().split("\n")
    assert first == "All 10, gaussian:0.5:"
    assert noisy.startswith("noisy: PSNR ")
    assert denoised.startswith("denoised: PSNR ")
    assert ", SSIM " in denoised
    mean_psnr = denoised.removeprefix("denoised: PSNR ").partition(",")[0]
    assert f"Test images: {mean_psnr}." in widget.controls.status.text()
    assert widget.progress._title.text() == "Test images, best epoch"
    # As many as fit into the dock.
    test = gallery.load_test_images(None, n_test=4).images
    np.testing.assert_allclose(shown[-1][2], test / 255, atol=1e-6)
    widget.progress.begin(tmp_path / "other.pt")
    assert not widget.progress._test_scores.text()


def score_without_end(images, denoiser, noise, *, stop):
    while not stop.is_set():
        yield ScoringProgress(5, 10)
        time.sleep(0.01)


def test_stopping_the_scoring_keeps_the_model(
    viewer, widget, qtbot, tmp_path, monkeypatch
):
    monkeypatch.setattr(test_set, "score_together", score_without_end)
    widget.controls.train_button.click()
    qtbot.waitUntil(lambda: "5 of 10 test" in widget.controls.status.text())
    assert (widget.controls.bar.value(), widget.controls.bar.maximum()) == (5, 10)
    widget.controls.finish_button.click()
    wait_for_end(qtbot, widget)
    assert "all epochs are done" in widget.controls.status.text()
    assert "Test images were not scored." in widget.controls.status.text()
    assert load_checkpoint(tmp_path / "model.pt").record.epochs_run == 2
    assert model_choice(viewer).chosen == str(tmp_path / "model.pt")


@pytest.mark.parametrize(
    "error", [DatasetError("The test set is damaged."), RuntimeError("shapes differ")]
)
def test_a_model_is_kept_if_scoring_fails(
    viewer, widget, qtbot, messages, tmp_path, monkeypatch, error
):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr(test_set, "score_together", fail)
    widget.controls.train_button.click()
    wait_for_end(qtbot, widget)
    assert f"not scored: {str(error).rstrip('.')}." in widget.controls.status.text()
    assert model_choice(viewer).chosen == str(tmp_path / "model.pt")
    assert not messages


def test_the_trained_model_denoises_a_layer(viewer, widget, qtbot, run, tmp_path):
    denoiser = DenoiseWidget(viewer)
    viewer.window.add_dock_widget(denoiser, name="Denoise")
    image = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    viewer.add_image(image, name="photo", rgb=True)
    widget.controls.train_button.click()
    wait_for_end(qtbot, widget)
    assert run(denoiser).startswith("done")
    expected = denoise(image, model=tmp_path / "model.pt", device="cpu")
    np.testing.assert_array_equal(viewer.layers["photo [denoised]"].data, expected)


def test_early_stopping_is_named_as_the_reason(widget, qtbot):
    widget.form.set_value("epochs", 50)
    widget.form.set_value("patience", 1)
    widget.form.set_value("min_delta", 10.0)
    widget.controls.train_button.click()
    wait_for_end(qtbot, widget)
    assert "patience of 1 used up at epoch 2" in widget.controls.status.text()


@pytest.mark.qt_binding
def test_finish_keeps_the_best_epoch(viewer, widget, qtbot, tmp_path):
    train_without_end(qtbot, widget)
    assert not widget.controls.train_button.isEnabled()
    widget.controls.finish_button.click()
    wait_for_end(qtbot, widget)
    assert "interrupted after epoch" in widget.controls.status.text()
    assert load_checkpoint(tmp_path / "model.pt").record.epochs_run >= 1
    assert model_choice(viewer).chosen == str(tmp_path / "model.pt")
    assert not widget.controls.finish_button.isEnabled()


@pytest.mark.qt_binding
def test_cancel_discards_the_run_on_request(viewer, widget, qtbot, monkeypatch):
    before = model_choice(viewer).chosen
    train_without_end(qtbot, widget)
    questions = answer(monkeypatch, QMessageBox.StandardButton.No)
    widget.controls.cancel_button.click()
    assert "Discard the run with its finished epochs" in questions[0]
    assert widget.controls.cancel_button.isEnabled()
    answer(monkeypatch, QMessageBox.StandardButton.Yes)
    widget.controls.cancel_button.click()
    assert not widget.controls.finish_button.isEnabled()
    wait_for_end(qtbot, widget)
    assert widget.controls.status.text() == "Canceled. Nothing of this run was kept."
    assert widget.progress.plot.history == []
    assert widget.new_model.isHidden()
    assert model_choice(viewer).chosen == before


def test_a_run_without_epochs_is_canceled_without_a_question(
    widget, qtbot, monkeypatch
):
    questions = answer(monkeypatch, QMessageBox.StandardButton.No)
    widget.controls.train_button.click()
    widget.controls.cancel_button.click()
    wait_for_end(qtbot, widget)
    assert not questions
    assert "Canceled" in widget.controls.status.text()


@pytest.mark.qt_binding
def test_only_the_buttons_that_apply_are_shown(widget, qtbot):
    starting = (widget.controls.train_button, widget.controls.resume_button)
    ending = (widget.controls.finish_button, widget.controls.cancel_button)
    assert all(button.isVisibleTo(widget) for button in starting)
    assert not any(button.isVisibleTo(widget) for button in ending)
    train_without_end(qtbot, widget)
    assert not any(button.isVisibleTo(widget) for button in starting)
    assert all(button.isVisibleTo(widget) for button in ending)
    widget.controls.finish_button.click()
    wait_for_end(qtbot, widget)


@pytest.mark.qt_binding
def test_the_activity_dock_shows_the_same_time_left(widget, qtbot):
    texts = []
    widget._run.status_changed.connect(texts.append)
    train_without_end(qtbot, widget)
    (activity,) = progress._all_instances
    assert activity.desc.startswith("Training model.pt")
    shown = []
    activity.events.eta.connect(lambda event: shown.append((event.value, texts[-1])))
    qtbot.waitUntil(lambda: len(shown) > 2)
    assert all(left and status.endswith(left) for left, status in shown[:3])
    assert activity.total == 10_000 * 4
    assert 0 < activity.n < activity.total
    widget.controls.finish_button.click()
    wait_for_end(qtbot, widget)
    assert not progress._all_instances


def curve_names(widget):
    return [curve.name for curve in widget.progress.plot.earlier]


def shown_names(widget):
    legend = widget.progress.plot._legend
    names = [label.text for _, label in legend.items]
    assert names[:2] == ["training", "validation, ★ best"]
    return names[2:]


def test_the_curves_of_earlier_runs_stay(widget, qtbot, tmp_path, monkeypatch):
    plot, curves = widget.progress.plot, widget.progress.curves
    widget.controls.train_button.click()
    wait_for_end(qtbot, widget)
    assert plot.earlier == []
    assert curves.clear_button.isHidden()
    first = tuple(result.val_loss for result in plot.history)
    widget.form.set_value("output", str(tmp_path / "second.pt"))
    widget.controls.train_button.click()
    wait_for_end(qtbot, widget)
    assert [curve.losses for curve in plot.earlier] == [first]
    assert shown_names(widget) == ["model.pt"]
    # A resumed run is not compared with itself.
    monkeypatch.setattr(widget, "_choose_checkpoint", lambda: tmp_path / "model.pt")
    widget.form.set_value("epochs", 3)
    widget.controls.resume_button.click()
    wait_for_end(qtbot, widget)
    assert curve_names(widget) == ["second.pt"]
    assert len(plot.history) == 3
    curves.clear_button.click()
    assert plot.earlier == []
    assert shown_names(widget) == []
    assert curves.clear_button.isHidden()


@pytest.mark.qt_binding
def test_only_runs_with_the_same_loss_are_drawn(widget, qtbot, tmp_path, monkeypatch):
    plot, curves = widget.progress.plot, widget.progress.curves
    widget.form.set_value("epochs", 1)
    widget.controls.train_button.click()
    wait_for_end(qtbot, widget)
    # A saved run is compared like one of this session.
    shown = []
    monkeypatch.setattr(curve_bar, "show_warning", shown.append)
    for name in ("no", "model"):
        file = str(tmp_path / f"{name}.pt")
        monkeypatch.setattr(curves, "_choose_run", lambda file=file: file)
        curves.add_button.click()
    assert "no.pt" in shown.pop()
    (saved,) = plot.earlier
    assert saved == Curve(tmp_path / "model.pt", plot.quantity, tuple(plot.watched))
    assert shown_names(widget) == ["model.pt"]
    assert not curves.note.text()
    widget.form.set_value("output", str(tmp_path / "other.pt"))
    widget.form.set_value("loss", "l1")
    widget.controls.train_button.click()
    wait_for_end(qtbot, widget)
    assert curve_names(widget) == ["model.pt"]
    assert shown_names(widget) == []
    assert "cannot be compared: model.pt (mse)." in plain(curves.note.text())


def test_pictures_say_what_they_show(widget, qtbot):
    titles = []
    show = widget.progress.show_validation
    widget.progress.show_validation = lambda examples: (
        show(examples),
        titles.append(widget.progress._title.text()),
    )
    widget.controls.train_button.click()
    wait_for_end(qtbot, widget)
    when = ("before training", "after epoch 1", "after epoch 2")
    assert titles == [f"Validation images, {each}" for each in when]


@pytest.mark.qt_binding
def test_pictures_without_clean_images_have_two_rows(widget, qtbot):
    pictures = widget.progress.pictures
    images = np.random.default_rng(0).random((2, 3, 8, 8, 1), dtype=np.float32)
    pictures.set_examples((*images, None))
    assert pictures.rows == ("noisy", "denoised")
    assert (pictures._image.width(), pictures._image.height()) == (24, 16)
    pictures.set_examples((*images, images[0]))
    assert pictures.rows == ("noisy", "denoised", "clean")
    assert not pictures.grab().isNull()


def test_finishing_at_once_writes_nothing(viewer, widget, qtbot, tmp_path):
    before = model_choice(viewer).chosen
    widget.controls.train_button.click()
    widget.controls.finish_button.click()
    wait_for_end(qtbot, widget)
    assert "interrupted before" in widget.controls.status.text()
    assert not (tmp_path / "model.pt").exists()
    assert model_choice(viewer).chosen == before


def test_finishing_in_the_first_epoch_keeps_it(widget, qtbot, tmp_path, monkeypatch):
    train = TrainingStep.train

    def stop_and_train(self, *batch):
        widget._run.finish()
        return train(self, *batch)

    monkeypatch.setattr(TrainingStep, "train", stop_and_train)
    widget.controls.train_button.click()
    wait_for_end(qtbot, widget)
    assert "in epoch 1, after 1 of" in widget.controls.status.text()
    assert (tmp_path / "model.pt").exists()


@pytest.mark.qt_binding
def test_resume_continues_the_run(widget, qtbot, tmp_path, monkeypatch):
    widget.controls.train_button.click()
    wait_for_end(qtbot, widget)
    path = tmp_path / "model.pt"
    monkeypatch.setattr(widget, "_choose_checkpoint", lambda: path)
    widget.form.set_value("epochs", 3)
    widget.form.set_value("noise", "gaussian:0.1")  # ignored: the run keeps its noise
    widget.controls.resume_button.click()
    wait_for_end(qtbot, widget)
    record = load_checkpoint(path).record
    assert (record.epochs_run, record.config.noise) == (3, "gaussian:0.5")
    assert [result.epoch for result in widget.progress.plot.history] == [1, 2, 3]


def test_resuming_without_a_saved_run_is_an_error(widget, tmp_path, monkeypatch):
    monkeypatch.setattr(widget, "_choose_checkpoint", lambda: tmp_path / "other.pt")
    widget.controls.resume_button.click()
    assert "nothing to resume" in widget.form.message("output")
    assert not train_run._RUNNING


def test_canceling_the_resume_dialog_does_nothing(widget, monkeypatch):
    monkeypatch.setattr(widget, "_choose_checkpoint", lambda: None)
    widget.controls.resume_button.click()
    assert not train_run._RUNNING


@pytest.mark.qt_binding
def test_invalid_values_are_marked_at_their_fields(widget, messages, monkeypatch):
    cases = [
        ("noise", "loud", "Cannot parse the noise 'loud'"),
        ("epochs", 0, "epochs must be an integer of at least 1, got 0"),
        ("patience", 0, "patience must be"),
        ("learning_rate", "fast", "above 0, got 'fast'"),
        ("learning_rate", -1.0, "above 0, got -1.0"),
        ("val_fraction", 1.0, "below 1, got 1.0"),
        ("n_test", 10_001, "at most 10,000"),
        ("output", "model.txt", "must end in .safetensors or .pt"),
        ("output", "/no/such/folder/model.pt", "does not exist"),
        ("data", "", "Choose the folder"),
    ]
    answer(monkeypatch, QMessageBox.StandardButton.No)
    for name, value, expected in cases:
        good = widget.form._fields[name].value
        widget.form.set_value(name, value)
        widget.controls.train_button.click()
        assert expected in widget.form.message(name)
        assert not train_run._RUNNING
        assert not messages
        widget.form.set_value(name, good)
        assert widget.form.message(name) == ""


@pytest.mark.qt_binding
def test_all_fields_have_a_tooltip_and_a_default(widget):
    for name, field in widget.form._fields.items():
        assert len(field.toolTip()) > 20, name
        if name not in ("preset", "data", "output"):
            assert "Default: " in field.toolTip()


def wait_for_networks(qtbot, widget):
    qtbot.waitUntil(lambda: bool(widget.form.network.fields))


@pytest.mark.qt_binding
def test_all_network_options_have_a_field(widget, qtbot):
    wait_for_networks(qtbot, widget)
    for preset, config in PRESETS.items():
        widget.form.set_value("preset", preset)
        cls = network_class(config.network)
        options = set(inspect.signature(cls).parameters) - {"in_channels"}
        fields = widget.form.network.fields
        assert {n for n, field in fields.items() if field.isEnabled()} == options
        for name, field in fields.items():
            assert len(field.toolTip()) > 30
            assert ("Default: " in field.toolTip()) == (name in options)
        explanation = widget.form._fields["preset"].explanation
        assert explanation == cls.__doc__.partition("\n")[0]


def test_only_changed_network_options_are_returned(widget, qtbot):
    wait_for_networks(qtbot, widget)
    form = widget.form
    assert form.settings["network_options"] == {}
    form.set_value("preset", "residual")
    assert form.settings["network_options"] == {}
    form.network.fields["skip_connections"].value = False
    form.network.fields["latent_dim"].value = 32
    expected = {"latent_dim": 32, "skip_connections": False}
    assert form.settings["network_options"] == expected
    form.set_value("preset", "conv")
    assert form.settings["network_options"] == {}


def test_network_options_of_a_preset_are_shown_and_kept(widget, qtbot, monkeypatch):
    options = {"latent_dim": 64, "in_channels": 3}
    small = replace(PRESETS["residual"], network_options=options)
    monkeypatch.setitem(PRESETS, "residual", small)
    widget.form.set_value("preset", "residual")
    assert widget.form.settings["network_options"] == options
    wait_for_networks(qtbot, widget)
    assert widget.form.network.fields["latent_dim"].value == 64
    assert widget.form.settings["network_options"] == options


def test_changed_network_options_are_trained(widget, qtbot, tmp_path):
    wait_for_networks(qtbot, widget)
    widget.form.network.fields["base_channels"].value = 3
    widget.controls.train_button.click()
    wait_for_end(qtbot, widget)
    checkpoint = load_checkpoint(tmp_path / "model.pt")
    assert checkpoint.network_options == {"base_channels": 3}


def test_an_invalid_network_option_shows_one_message(widget, qtbot, messages):
    wait_for_networks(qtbot, widget)
    widget.form.network.fields["base_channels"].value = 0
    widget.controls.train_button.click()
    wait_for_end(qtbot, widget)
    assert len(messages) == 1
    assert (
        "base_channels must be an integer above 0 and at most 65,536, got 0"
        in messages[0]
    )


@pytest.mark.qt_binding
def test_a_preset_fills_in_all_settings_on_request(widget):
    form = widget.form
    changes = {"noise": "speckle:0.3", "loss": "l1", "n_test": 7, "optimizer": "adamw"}
    for preset in PRESETS:
        for name, value in changes.items():
            form.set_value(name, value)
        form.set_value("epochs", 2)
        for name in (*[name for name in PRESETS if name != preset], preset):
            form.set_value("preset", name)
        kept = {name: form.settings[name] for name in changes}
        assert kept == changes
        assert "Kept: noise speckle:0.3, epochs 2, loss l1, " in plain(
            form.preset_note.text
        )
        form.preset_note.reset_button.click()
        assert not form.preset_note.isVisibleTo(form)
        assert preset_config(preset, **form.settings) == PRESETS[preset]
        for name, value in form.settings.items():
            if name != "network_options":
                assert f"Default: {value}." in form._fields[name].toolTip()


def test_a_preset_says_what_it_changes(viewer, qtbot):
    widget = TrainWidget(viewer)
    qtbot.addWidget(widget)
    form = widget.form
    assert not form.preset_note.text
    form.set_value("epochs", 7)
    form.set_value("preset", "residual")
    changed, kept = plain(form.preset_note.text).split("\n")
    assert changed.startswith("Changed: noise gaussian:0.1, patience 100, ")
    assert "test images 6000" in changed
    assert kept == "Kept: epochs 7."
    # Nothing of the user's is left to keep.
    form.set_value("epochs", 50)
    form.set_value("preset", "conv")
    assert "Kept" not in form.preset_note.text
    assert form.preset_note.reset_button.isHidden()


def test_the_output_follows_the_preset_until_it_is_typed(viewer, qtbot):
    form = TrainWidget(viewer).form
    qtbot.addWidget(form)
    for preset in PRESETS:
        form.set_value("preset", preset)
        assert form.output == default_checkpoint(preset, Path.home())
    form.set_value("preset", "conv")
    assert form.output.suffix == ".pt"
    # A built-in model to start from, and networks for scientific images.
    form.set_value("train_on", "adapt")
    assert form.output.suffix == ".safetensors"
    form.set_value("output", "mine.pt")
    form.set_value("train_on", "data")
    form.set_value("preset", "gray")
    assert form.output == Path("mine.pt")


def test_network_options_of_the_user_are_kept_for_the_same_network(widget, qtbot):
    wait_for_networks(qtbot, widget)
    form = widget.form
    form.set_value("preset", "gray")
    form.network.fields["base_channels"].value = 3
    form.set_value("preset", "rgb")
    assert form.settings["network_options"] == {"base_channels": 3, "in_channels": 3}


@pytest.mark.qt_binding
def test_a_mistyped_noise_does_not_widen_the_form(widget):
    before = widget.form.widget().minimumSizeHint().width()
    widget.form.set_value("noise", "gaussian:" + 40 * "loud")
    assert 40 * "loud" in widget.form._fields["noise"].editor.explanation
    assert widget.form.widget().minimumSizeHint().width() == before


def test_a_loss_is_explained_and_the_weight_enabled_if_it_has_one(widget):
    form = widget.form
    for name, loss in LOSSES.items():
        form.set_value("loss", name)
        assert form._fields["loss"].explanation == loss.__doc__.partition("\n")[0]
        assert form._fields["ssim_weight"].isEnabled() == (name == "mse_ssim")
    form.set_value("loss", "mse_ssim")
    form.set_value("ssim_weight", "much")
    assert "ssim_weight must be a number" in form.message("ssim_weight")
    assert not form.check()
    # A weight without effect is not checked.
    form.set_value("loss", "mse")
    assert form.check()
    assert "ssim_weight" not in form.settings


def test_a_missing_device_is_marked(widget, messages, qtbot):
    widget.form.set_value("device", "cuda:99")
    widget.controls.train_button.click()
    wait_for_end(qtbot, widget)
    assert "cuda:99" in widget.form.message("device")
    assert len(messages) == 1


@pytest.mark.qt_binding
def test_missing_data_is_downloaded_on_request(widget, qtbot, tmp_path, monkeypatch):
    questions = answer(monkeypatch, QMessageBox.StandardButton.Yes)
    folders = []

    def fetch(folder, stop):
        folders.append(folder)
        yield DownloadProgress(85 * 10**6, 170 * 10**6)

    monkeypatch.setattr(download, "fetch_cifar10", fetch)
    widget.form.set_value("data", str(tmp_path / "empty"))
    widget.controls.train_button.click()
    wait_for_end(qtbot, widget)
    assert CIFAR10_URL in questions[0]
    assert "170 MB" in questions[0]
    assert folders == [tmp_path / "empty"]
    assert "all epochs are done" in widget.controls.status.text()


def test_declining_the_download_marks_the_data_field(widget, tmp_path, monkeypatch):
    answer(monkeypatch, QMessageBox.StandardButton.No)
    widget.form.set_value("data", str(tmp_path / "empty"))
    widget.controls.train_button.click()
    assert "CIFAR-10 was not found" in widget.form.message("data")
    assert not train_run._RUNNING


@pytest.mark.qt_binding
def test_finish_ends_the_download(widget, qtbot, tmp_path, monkeypatch):
    def fetch(folder, stop):
        while not stop.is_set():
            yield DownloadProgress(10**6, 170 * 10**6)
            time.sleep(0.01)

    answer(monkeypatch, QMessageBox.StandardButton.Yes)
    monkeypatch.setattr(download, "fetch_cifar10", fetch)
    widget.form.set_value("data", str(tmp_path / "empty"))
    widget.controls.train_button.click()
    qtbot.waitUntil(lambda: "1 of 170 MB" in widget.controls.status.text())
    widget.controls.finish_button.click()
    wait_for_end(qtbot, widget)
    assert "before training began" in widget.controls.status.text()


@pytest.mark.qt_binding
def test_a_run_is_replaced_only_on_request(widget, qtbot, tmp_path, monkeypatch):
    path = tmp_path / "model.pt"
    path.write_bytes(b"precious")
    questions = answer(monkeypatch, QMessageBox.StandardButton.No)
    widget.controls.train_button.click()
    assert not train_run._RUNNING
    assert path.read_bytes() == b"precious"
    assert str(path) in questions[0]
    answer(monkeypatch, QMessageBox.StandardButton.Yes)
    widget.controls.train_button.click()
    wait_for_end(qtbot, widget)
    assert load_checkpoint(path).record.epochs_run == 2


@pytest.mark.parametrize(
    "error",
    [RuntimeError("shapes differ"), MemoryError("too big"), DatasetError("damaged")],
)
def test_an_error_shows_one_message(widget, messages, qtbot, monkeypatch, error):
    def fail(folder, *, n_test):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(prepare, "load_training_images", fail)
        widget.controls.train_button.click()
        wait_for_end(qtbot, widget)
    assert len(messages) == 1
    assert str(error) in messages[0]
    assert "Failed" in widget.controls.status.text()
    widget.controls.train_button.click()  # still usable
    wait_for_end(qtbot, widget)
    assert "all epochs are done" in widget.controls.status.text()


def test_after_an_error_at_any_stage_the_widget_is_usable(
    widget, messages, qtbot, monkeypatch, tmp_path
):
    places = [
        (training_run, "prepare_training"),
        (TrainingStep, "train"),
        (saved, "save_training_state"),
    ]
    for number, (module, stage) in enumerate(places, 1):

        def fail(*_, stage=stage):
            raise RuntimeError(f"injected into {stage}")

        with monkeypatch.context() as patch:
            patch.setattr(module, stage, fail)
            widget.controls.train_button.click()
            wait_for_end(qtbot, widget)
        assert f"injected into {stage}" in messages[-1]
        assert len(messages) == number
        assert not (tmp_path / "model.pt").exists()
    widget.controls.train_button.click()
    wait_for_end(qtbot, widget)
    assert "all epochs are done" in widget.controls.status.text()


def test_running_out_of_memory_keeps_the_best_epoch(
    viewer, widget, messages, qtbot, tmp_path, monkeypatch
):
    torch = pytest.importorskip("torch")
    train = TrainingStep.train

    def fail_late(self, *batch):
        if (tmp_path / "model.pt").exists():
            raise torch.OutOfMemoryError("no memory left")
        return train(self, *batch)

    monkeypatch.setattr(TrainingStep, "train", fail_late)
    widget.controls.train_button.click()
    wait_for_end(qtbot, widget)
    assert len(messages) == 1
    assert "ran out of memory with a batch_size of 8" in messages[0]
    assert load_checkpoint(tmp_path / "model.pt").record.epochs_run == 1
    assert model_choice(viewer).chosen == str(tmp_path / "model.pt")


@pytest.mark.qt_binding
def test_an_unexpected_error_is_shown_and_ends_the_run(
    widget, messages, qtbot, monkeypatch
):
    def fail(folder, *, n_test):
        raise KeyError("a bug")

    monkeypatch.setattr(prepare, "load_training_images", fail)
    widget.controls.train_button.click()
    wait_for_end(qtbot, widget)
    assert messages == ["Training failed (KeyError): 'a bug'"]
    assert widget.controls.status.text() == "Failed."


@pytest.mark.qt_binding
def test_a_second_run_is_refused(viewer, widget, messages, qtbot, tmp_path):
    train_without_end(qtbot, widget)
    other = docked(viewer, tmp_path, output=str(tmp_path / "other.pt"))
    other.controls.train_button.click()
    assert len(messages) == 1
    assert "still in progress" in messages[0]
    assert other.controls.train_button.isEnabled()
    assert not (tmp_path / "other.pt").exists()
    widget.controls.finish_button.click()
    wait_for_end(qtbot, widget)


@pytest.mark.qt_binding
def test_training_continues_while_the_dock_is_hidden(widget, qtbot):
    dock = widget.parent()
    while not isinstance(dock, QDockWidget):
        dock = dock.parent()
    train_without_end(qtbot, widget)
    dock.hide()
    n_epochs = len(widget.progress.plot.history)
    qtbot.waitUntil(lambda: len(widget.progress.plot.history) > n_epochs + 2)
    widget.controls.finish_button.click()
    wait_for_end(qtbot, widget)
    dock.show()
    assert "interrupted after epoch" in widget.controls.status.text()


@pytest.mark.qt_binding
@pytest.mark.parametrize("closed", ["dock", "viewer"])
def test_closing_stops_the_run_and_keeps_the_best_epoch(
    viewer, widget, qtbot, tmp_path, closed
):
    train_without_end(qtbot, widget)
    if closed == "dock":
        viewer.window.remove_dock_widget(widget)
        viewer.theme = "light"
    else:
        viewer.close()
    qtbot.waitUntil(lambda: not train_run._RUNNING)
    assert load_checkpoint(tmp_path / "model.pt").record.epochs_run >= 1


@pytest.mark.qt_binding
def test_the_close_button_of_the_dock_stops_the_run(viewer, widget, qtbot):
    train_without_end(qtbot, widget)
    dock = widget.parent()
    while not isinstance(dock, QDockWidget):
        dock = dock.parent()
    dock.destroyOnClose()
    qtbot.waitUntil(lambda: not train_run._RUNNING)


@pytest.mark.qt_binding
def test_the_plot_follows_the_theme_while_training(viewer, widget, qtbot):
    train_without_end(qtbot, widget)
    dark = widget.progress.plot.backgroundBrush().color().name()
    viewer.theme = "light"
    light = widget.progress.plot.backgroundBrush().color().name()
    assert dark != light
    widget.progress.curves.log_box.setChecked(True)
    widget.controls.finish_button.click()
    wait_for_end(qtbot, widget)


@pytest.mark.qt_binding
def test_the_last_folders_are_saved(viewer, widget, qtbot, tmp_path):
    widget.controls.train_button.click()
    wait_for_end(qtbot, widget)
    assert preferences.preferences().data_folder == str(tmp_path)
    again = TrainWidget(viewer)
    qtbot.addWidget(again)
    assert again.form.data == tmp_path
    assert again.form.output.parent == tmp_path


def test_preferences_have_defaults_without_plugin_settings(monkeypatch):
    def unknown(name):
        raise KeyError(name)

    monkeypatch.setattr(preferences, "get_plugin_settings", unknown)
    assert preferences.preferences().device == "auto"


@pytest.mark.qt_binding
def test_napari_finds_the_widget(viewer):
    _, widget = viewer.window.add_plugin_dock_widget("napari-denoise-ae", "Train")
    assert isinstance(widget, TrainWidget)
