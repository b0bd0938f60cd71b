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
