"""Work outside the GUI thread whose outcome can be dropped at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari.qt.threading import GeneratorWorker, create_worker

if TYPE_CHECKING:
    from collections.abc import Callable


def say_duration(seconds: float) -> str:
    """Return a time that is left as a user reads it."""
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


class _ClosingWorker(GeneratorWorker):  # type: ignore[misc]
    """Closes the generator in its own thread as soon as the work has to end.

    Otherwise, its temporary files would stay until the worker is deleted.
    """

    def work(self) -> Any:
        """Run the generator."""
        try:
            return super().work()
        finally:
            self._gen.close()


class Running:
    """A generator at work in a thread, until it ends or is dropped.

    The callables are called in the main thread, and but for `ended` never after
    `drop`: napari tells nothing of a worker that is cancelled in its last step,
    and a step that cannot be interrupted must not keep a user waiting.

    Parameters
    ----------
    function : callable
        A generator function. What a user has to know of a failure it returns;
        an exception that leaves it is shown by napari.
    *args
        Its arguments.
    returned : callable
        Called with what it returns.
    yielded : callable, optional
        Called with what it yields.
    errored : callable, optional
        Called without arguments after an exception.
    ended : callable, optional
        Called without arguments when the thread has ended, even if it was
        dropped.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *args: Any,
        returned: Callable[[Any], None],
        yielded: Callable[[Any], None] | None = None,
        errored: Callable[[], None] | None = None,
        ended: Callable[[], None] | None = None,
    ) -> None:
        self._dropped = False
        worker = create_worker(function, *args, _worker_class=_ClosingWorker)
        worker.returned.connect(lambda outcome: self._pass_on(returned, outcome))
        if yielded is not None:
            worker.yielded.connect(lambda step: self._pass_on(yielded, step))
        if errored is not None:
            worker.errored.connect(lambda _: self._pass_on(errored))
        if ended is not None:
            worker.finished.connect(ended)
        self._worker = worker
        worker.start()

    def stop(self) -> None:
        """Stop it at its next step; `returned` is not called then, but `ended`."""
        self._worker.quit()

    def drop(self) -> None:
        """Stop it at its next step, and hear no more of it."""
        self._dropped = True
        self._worker.quit()

    def _pass_on(self, function: Callable[..., None], *args: Any) -> None:
        if not self._dropped:
            function(*args)


@dataclass(frozen=True, slots=True)
class Failed:
    """What a user has to know of a job that could not be done."""

    message: str
