"""Tests in here need napari, a Qt binding and a window."""

import os
import subprocess
import sys

import pytest

_OPEN_A_WINDOW = "from qtpy.QtWidgets import QApplication; QApplication([])"


@pytest.fixture(scope="session", autouse=True)
def _window():
    """Skip, saying so, where no window can be opened; but never in CI."""
    # In a process of its own: Qt ends the process that it cannot open one in.
    probe = subprocess.run(
        [sys.executable, "-c", _OPEN_A_WINDOW],
        capture_output=True,
        text=True,
        check=False,
    )
    if probe.returncode == 0:
        return
    reason = f"no window can be opened here: {probe.stderr.strip()[-500:]}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer()


@pytest.fixture
def messages():
    """What the user was told by napari's notifications since the test began."""
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
    """Press Denoise and wait for the end; returns what the status says then."""

    def press_and_wait(widget):
        widget.run_button.click()
        qtbot.waitUntil(widget.run_button.isEnabled, timeout=60_000)
        return widget.status.text()

    return press_and_wait


@pytest.fixture
def checkpoint(tmp_path):
    from shutil import copyfile

    from napari_denoise_ae.models.builtin import builtin_file

    with builtin_file("conv") as file:
        return str(copyfile(file, tmp_path / "mine.pt"))


@pytest.fixture(autouse=True)
def _settings_of_its_own(tmp_path):
    """Keep what the plugin remembers out of the user's own settings."""
    from qtpy.QtCore import QSettings

    QSettings.setPath(
        QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(tmp_path / "qt")
    )
