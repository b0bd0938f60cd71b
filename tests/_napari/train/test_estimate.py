"""Settings are proposed, and a run is estimated, before it starts."""

from __future__ import annotations

import re

import numpy as np
import pytest

from napari_denoise_ae._napari.shared.worker import Failed
from napari_denoise_ae._napari.train.estimate import Estimated, estimate
from napari_denoise_ae._napari.train.widget import TrainWidget
from napari_denoise_ae.training.job import TrainingJob


def result_of(job):
    """Return what the worker returns."""
    worker = estimate(job)
    while True:
        try:
            next(worker)
        except StopIteration as end:
            return end.value


def test_the_time_and_the_measured_noise_are_stated(tmp_path):
    noisy = np.random.default_rng(0).normal(100, 9, (80, 80))
    settings = {"batches_per_epoch": 1, "epochs": 1}
    options = {"output": tmp_path / "model.pt", "settings": settings, "device": "cpu"}
    found = result_of(TrainingJob(adapt=noisy, **options))
    assert re.match(
        r"About \d+ s and \d+ MB of memory on the CPU, for 1 epoch of 1 batch\. "
        r"Noise, measured: noise has one level: sigma \d",
        found.text,
    )
    assert found.config.patch_size < 64
    # Noise that is added is in the form.
    assert "Noise" not in result_of(TrainingJob(images=noisy, **options)).text


def test_unusable_images_give_an_error(tmp_path):
    (tmp_path / "empty").mkdir()
    job = TrainingJob(images=tmp_path / "empty", output=tmp_path / "model.pt")
    found = result_of(job)
    assert isinstance(found, Failed)
    assert "There are no images" in found.message


@pytest.fixture
def widget(make_napari_viewer, plugin_settings, qtbot):
    """Return a visible widget: a hidden one estimates nothing."""
    viewer = make_napari_viewer(show=True)
    noisy = np.random.default_rng(0).normal(100, 9, (80, 80))
    viewer.add_image(noisy, name="scan")
    widget = TrainWidget(viewer)
    widget.form.set_value("device", "cpu")
    viewer.window.add_dock_widget(widget, name="Train")
    return widget


def cut_off(form):
    """Return the fields that are too low for their texts."""
    shown = {k: f for k, f in form._fields.items() if f.isVisible()}
    return [k for k, f in shown.items() if f.height() < f.heightForWidth(f.width())]


def test_no_text_is_cut_off_when_a_scroll_bar_appears(widget, qtbot):
    # The options of the network make the form higher than the window.
    widget.form.window().resize(1280, 800)
    qtbot.waitUntil(lambda: bool(widget.form.network.fields))
    qtbot.waitUntil(widget.form.verticalScrollBar().isVisible)
    qtbot.wait(200)
    qtbot.waitUntil(lambda: not cut_off(widget.form))


@pytest.mark.qt_binding
def test_the_form_is_filled_in_and_what_was_typed_is_kept(widget, qtbot):
    form, shown = widget.form, []
    widget._estimator.estimated.connect(shown.append)

    def wait_for_estimate():
        shown.clear()
        qtbot.waitUntil(lambda: any(isinstance(each, Estimated) for each in shown))

    form.set_value("train_on", "images")
    form.set_value("epochs", 3)
    wait_for_estimate()
    assert widget.controls.estimate.text().startswith("About ")
    assert "for 3 epochs of 20 batches" in widget.controls.estimate.text()
    # 40 pixels fit twice into the image. The noise is that of the model to start from.
    assert form._fields["patch_size"].value == 40
    assert "Default: 40." in form._fields["patch_size"].toolTip()
    assert "blur=0..1.6" in form._fields["noise"].value
    # What was filled in is not mistaken for what was typed.
    assert form.settings == {"epochs": 3}
    shown.clear()
    form.changed.emit()
    assert not shown
    # Another run is estimated anew; until then, nothing is stated.
    form.set_value("batches_per_epoch", 2)
    assert not widget.controls.estimate.text()
    wait_for_estimate()
    assert "for 3 epochs of 2 batches" in widget.controls.estimate.text()
    assert form.settings == {"epochs": 3, "batches_per_epoch": 2}
