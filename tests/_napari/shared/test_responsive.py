import threading
import time

import pytest
from qtpy.QtCore import QTimer

from napari_denoise_ae._napari.shared.responsive import call_responsive


def test_the_event_loop_runs_meanwhile(qtbot):
    ticks, threads = [], []
    timer = QTimer()
    timer.timeout.connect(lambda: ticks.append(threading.current_thread()))
    timer.start(10)

    def wait():
        threads.append(threading.current_thread())
        deadline = time.monotonic() + 60
        while len(ticks) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        return "done"

    assert call_responsive(wait) == "done"
    assert len(ticks) >= 3
    assert threads != [threading.main_thread()]


def test_errors_are_raised(qtbot):
    def fail():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        call_responsive(fail)


def test_in_another_thread_it_is_a_call():
    found = []

    def ask():
        found.append(call_responsive(threading.current_thread))

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert found == [thread]
