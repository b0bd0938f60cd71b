"""End a run in good order when the system asks for it."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

# What schedulers, containers and terminals that close send. Windows has no SIGHUP.
_SIGNALS = [
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
]


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Raise `SystemExit` at SIGTERM and SIGHUP, so that temporary files are removed.

    The exit status is 128 plus the number of the signal, as in shells: 143 and 129.
    A signal that is ignored, as below ``nohup``, stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    caught = [each for each in _SIGNALS if signal.getsignal(each) == signal.SIG_DFL]
    for each in caught:
        signal.signal(each, _end)
    try:
        yield
    finally:
        for each in caught:
            signal.signal(each, signal.SIG_DFL)


def _end(number: int, _frame: FrameType | None) -> None:
    # Another signal must not interrupt the removal of temporary files.
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    print(f"ended by {signal.Signals(number).name}", file=sys.stderr)
    raise SystemExit(128 + number)
