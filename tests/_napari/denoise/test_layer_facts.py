"""Tests of how often a layer is read to show facts about it."""

import numpy as np
import pytest
from qtpy.QtCore import QCoreApplication, QEvent, QTimer

from napari_denoise_ae._napari.denoise import inspect_job
from napari_denoise_ae._napari.denoise.job_maker import JobMaker
from napari_denoise_ae._napari.denoise.layer_facts import LayerInspector
from napari_denoise_ae._napari.shared.model_choice import model_choice


@pytest.fixture
def scans(monkeypatch):
    """Return a function that lists the highest intensity of each scan."""
    results, scan_layer = [], inspect_job.scan_layer

    def scan(job):
        results.append(scan_layer(job))
        return results[-1]

    monkeypatch.setattr(inspect_job, "scan_layer", scan)
    return lambda: [scan.ranges.hull.high for scan in results]


@pytest.fixture
def wait_for_facts(qtbot, widget):
    def wait():
        widget.form.facts.setText("")
        qtbot.waitUntil(lambda: "estimated" in widget.form.facts.text(), timeout=60_000)

    return wait


def image(high):
    values = np.random.default_rng(0).random((40, 56))
    return np.interp(values, (values.min(), values.max()), (0.0, high))


def test_changing_a_setting_does_not_scan_the_layer_again(
    viewer, widget, scans, wait_for_facts
):
    viewer.add_image(image(5.0))
    widget.form.model.value = "conv"
    wait_for_facts()
    widget.form.seed.value = 3
    wait_for_facts()
    widget.form.kind.value = "clean"
    wait_for_facts()
    assert scans() == [5.0]


def test_changed_pixels_are_scanned(viewer, widget, scans, wait_for_facts):
    layer = viewer.add_image(image(5.0))
    widget.form.model.value = "conv"
    wait_for_facts()
    layer.data = image(7.0)
    wait_for_facts()
    # The same array with other values; assigning it emits an event.
    layer.data[:] = image(9.0)
    layer.data = layer.data
    wait_for_facts()
    viewer.add_image(image(11.0))
    wait_for_facts()
    assert scans() == [5.0, 7.0, 9.0, 11.0]


@pytest.mark.qt_binding
def test_an_inspector_can_be_dropped_after_qt_has_deleted_its_timer(viewer, widget):
    models = model_choice(viewer)
    inspector = LayerInspector(widget.form, models, JobMaker(widget.form, viewer))
    inspector.findChild(QTimer).deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    inspector.drop()
