"""Tests of tasks in worker threads."""

from __future__ import annotations

import threading
import time
import warnings

import pytest
from qtpy.QtCore import QEvent

from napari_denoise_ae._napari.shared.worker import ClosingWorker, Task


@pytest.fixture
def calls():
    return []


@pytest.fixture
def start(calls, qtbot, viewer):
    """Return a function that starts a task and waits for its first step."""

    def start():
        task = Task(
            count,
            calls,
            returned=lambda outcome: calls.append(("returned", outcome)),
            yielded=calls.append,
            ended=lambda: calls.append("ended"),
        )
        qtbot.waitUntil(lambda: 0 in calls, timeout=10_000)
        return task

    return start


def count(calls):
    """Yield numbers until closed."""
    thread = threading.current_thread()
    try:
        for number in range(1000):
            yield number
            time.sleep(0.01)
    finally:
        calls.append(("closed", threading.current_thread() is thread))


def test_stopping_a_task_closes_its_generator_in_the_worker_thread(start, calls, qtbot):
    start().stop()
    qtbot.waitUntil(lambda: "ended" in calls, timeout=10_000)
    numbers = [calls.index(step) for step in calls if isinstance(step, int)]
    assert calls.index(("closed", True)) < calls.index("ended")
    assert max(numbers) < calls.index("ended")
    assert ("returned", None) not in calls


def test_a_dropped_task_calls_only_ended(start, calls, qtbot):
    task = start()
    task.drop()
    n_steps = sum(isinstance(step, int) for step in calls)
    qtbot.waitUntil(lambda: "ended" in calls, timeout=10_000)
    assert ("closed", True) in calls
    assert sum(isinstance(step, int) for step in calls) == n_steps


@pytest.mark.parametrize("error", [StopIteration, RuntimeError])
def test_every_error_is_reported(calls, qtbot, viewer, error):
    def fail():
        yield
        raise error("no more models")

    # napari raises it again in the main thread, where its notifications show it.
    with qtbot.captureExceptions() as raised:
        Task(fail, returned=calls.append, errored=lambda: calls.append("errored"))
        qtbot.waitUntil(lambda: "errored" in calls, timeout=10_000)
    ((_, exception, _),) = raised
    assert "no more models" in str(exception)


@pytest.mark.qt_binding
@pytest.mark.parametrize("n_steps", [0, 1])
def test_a_worker_whose_signals_are_deleted_ends_silently(qapp, n_steps):
    # As happens when napari is closed before its first step, or during one.
    def steps():
        try:
            yield "first"
            delete()
            yield "second"
        finally:
            closed.append(True)

    def delete():
        worker.signals.deleteLater()
        qapp.sendPostedEvents(worker.signals, QEvent.Type.DeferredDelete)

    closed = []
    worker = ClosingWorker(steps)
    if not n_steps:
        delete()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        worker.run()
    assert closed == [True] * n_steps
    with pytest.raises(RuntimeError, match="deleted"):
        worker.finished.emit()
