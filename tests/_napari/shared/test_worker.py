"""Work outside the GUI thread."""

from __future__ import annotations

import threading
import time

import pytest

from napari_denoise_ae._napari.shared.worker import Running


@pytest.fixture
def told():
    return []


@pytest.fixture
def start(told, qtbot, viewer):
    """Run a generator until its first step is told."""

    def start():
        running = Running(
            count,
            told,
            returned=lambda outcome: told.append(("returned", outcome)),
            yielded=told.append,
            ended=lambda: told.append("ended"),
        )
        qtbot.waitUntil(lambda: 0 in told, timeout=10_000)
        return running

    return start


def count(told):
    """Yield numbers until somebody has heard enough of them."""
    thread = threading.current_thread()
    try:
        for number in range(1000):
            yield number
            time.sleep(0.01)
    finally:
        told.append(("closed", threading.current_thread() is thread))


def test_a_run_that_is_stopped_is_closed_in_its_own_thread(start, told, qtbot):
    start().stop()
    qtbot.waitUntil(lambda: "ended" in told, timeout=10_000)
    numbers = [told.index(step) for step in told if isinstance(step, int)]
    assert told.index(("closed", True)) < told.index("ended")
    assert max(numbers) < told.index("ended")
    assert ("returned", None) not in told


def test_a_run_that_is_dropped_tells_only_its_end(start, told, qtbot):
    running = start()
    running.drop()
    n_told = sum(isinstance(step, int) for step in told)
    qtbot.waitUntil(lambda: "ended" in told, timeout=10_000)
    assert ("closed", True) in told
    assert sum(isinstance(step, int) for step in told) == n_told
