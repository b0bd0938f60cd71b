"""Call slow functions from the GUI thread while the window keeps responding."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, TypeVar

from qtpy.QtCore import QEventLoop, QTimer
from qtpy.QtWidgets import QApplication

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
# How often it is checked whether the function has returned, in milliseconds.
_INTERVAL = 10


def is_gui_thread() -> bool:
    """Return whether the caller is in the thread of an application's windows."""
    in_main = threading.current_thread() is threading.main_thread()
    return in_main and QApplication.instance() is not None


def call_responsive(
    function: Callable[[], T],
    *,
    watch: Callable[[], None] | None = None,
    takes_input: bool = False,
) -> T:
    """Call a slow function in a thread, and run Qt's event loop until it returns.

    Without an application, or in another thread than the GUI thread, the function is
    called directly.

    Parameters
    ----------
    function : callable
        Takes no arguments, and touches neither the viewer nor widgets.
    watch : callable, optional
        Called in the GUI thread every 10 ms, to show the progress.
    takes_input : bool
        Whether keys and the mouse work meanwhile. By default they wait, because a
        command in napari's console must end before the next begins.

    Returns
    -------
    object
        What the function returns. What it raises is raised here.
    """
    if not is_gui_thread():
        return function()
    flags = QEventLoop.ProcessEventsFlag
    loop, timer = QEventLoop(), QTimer()
    timer.setSingleShot(True)
    timer.setInterval(_INTERVAL)
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(copy_context().run, function)

        def check() -> None:
            if watch is not None:
                watch()
            if future.done():
                loop.quit()
            else:
                timer.start()

        timer.timeout.connect(check)
        timer.start()
        loop.exec(flags.AllEvents if takes_input else flags.ExcludeUserInputEvents)
        return future.result()
