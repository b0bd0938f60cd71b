"""Fixtures for tests that need napari, a Qt binding and a display."""

import gc
import importlib
import os
import subprocess
import sys
import threading
from functools import partial

import pytest

_OPEN_A_WINDOW = "from qtpy.QtWidgets import QApplication; QApplication([])"


@pytest.fixture(scope="session", autouse=True)
def _window():
    """Skip the tests if no window can be opened; in CI, fail instead."""
    # In a subprocess, because Qt aborts the process if it cannot open a window.
    probe = subprocess.run(
        [sys.executable, "-c", _OPEN_A_WINDOW],
        capture_output=True,
        text=True,
        check=False,
    )
    if probe.returncode == 0:
        return
    reason = f"cannot open a window: {probe.stderr.strip()[-500:]}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session", autouse=True)
def _few_objects_to_collect(_window):
    """Keep the garbage collector away from the objects of imported modules.

    napari collects all garbage when a viewer is made, cleared and closed. That took a
    third of the time of these tests.
    """
    importlib.import_module("napari")
    for name in ("denoise", "train", "files"):
        importlib.import_module(f"napari_denoise_ae._napari.{name}.widget")
    gc.collect()
    gc.freeze()


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer()


@pytest.fixture
def qtbot(qtbot):
    """pytest-qt's qtbot, with a timeout that only a broken test reaches."""
    qtbot.waitUntil = partial(qtbot.waitUntil, timeout=120_000)
    return qtbot


class Gate:
    """Blocks the network before each tile until a test lets it pass.

    Attributes
    ----------
    arrived : list of int
        The thread identifier of each tile that has arrived.
    """

    def __init__(self):
        self.arrived = []
        self._passes = 0
        self._changed = threading.Condition()

    def let(self, n_tiles):
        with self._changed:
            self._passes += n_tiles
            self._changed.notify_all()

    def open(self):
        self.let(10**9)

    def wait(self):
        with self._changed:
            self.arrived.append(threading.get_ident())
            self._changed.wait_for(lambda: self._passes > 0)
            self._passes -= 1


@pytest.fixture
def gate(make_napari_viewer, monkeypatch):
    """Block the network before each tile until the test lets it pass."""
    from napari.qt.threading import WorkerBase

    from napari_denoise_ae.denoising.denoiser import Denoiser

    gate = Gate()
    run_network = Denoiser.run_network

    def run_gated(self, batch, level=None):
        gate.wait()
        return run_network(self, batch, level)

    monkeypatch.setattr(Denoiser, "run_network", run_gated)
    yield gate
    # Must precede make_napari_viewer's wait for threads. A run that went on in the next
    # test would pass the gate of that test.
    gate.open()
    WorkerBase.await_workers(120_000)


@pytest.fixture
def messages():
    """Return a function that lists napari's notifications since the test began."""
    from napari.utils.notifications import notification_manager

    notification_manager.records.clear()
    return lambda: [record.message for record in notification_manager.records]


@pytest.fixture
def widget(viewer):
    from napari_denoise_ae._napari.denoise.widget import DenoiseWidget

    widget = DenoiseWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Denoise")
    return widget


@pytest.fixture
def run(qtbot):
    """Return a function that presses Denoise, waits, and returns the status text."""

    def press_and_wait(widget):
        widget.run_button.click()
        qtbot.waitUntil(widget.run_button.isEnabled)
        return widget.status.text()

    return press_and_wait


@pytest.fixture
def checkpoint(tmp_path):
    from napari_denoise_ae import load_checkpoint
    from napari_denoise_ae.models.checkpoint_file import save_checkpoint

    save_checkpoint(load_checkpoint("conv"), tmp_path / "mine.pt")
    return str(tmp_path / "mine.pt")


@pytest.fixture(autouse=True)
def _isolated_settings(tmp_path):
    """Keep the tests from changing the user's settings."""
    from qtpy.QtCore import QSettings

    QSettings.setPath(
        QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(tmp_path / "qt")
    )
