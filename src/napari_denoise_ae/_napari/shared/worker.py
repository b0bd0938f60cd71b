"""Tasks in worker threads that can be dropped at any time."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari.qt.threading import GeneratorWorker, create_worker

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


def format_duration(seconds: float) -> str:
    """Format a remaining time in seconds for display."""
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


class ClosingWorker(GeneratorWorker):  # type: ignore[misc]
    """A worker that closes its generator, in the worker thread, when it ends.

    Otherwise temporary files of the generator would remain until the worker is
    deleted. If napari is closed during a step, the worker ends without a message: Qt
    has then deleted its signals, and there is nobody to tell.
    """

    def run(self) -> None:
        """Run the generator, and emit the signals."""
        # An error of the generator is a signal; only signals raise here.
        with suppress(RuntimeError):
            super().run()

    def work(self) -> Any:
        """Run the generator."""
        try:
            result = super().work()
        finally:
            self._gen.close()
        # A signal's error is returned, and napari would warn of it.
        return None if isinstance(result, RuntimeError) else result


class UnexpectedError(Exception):
    """An error in a worker thread that napari would not report."""


def _report_all_errors(
    function: Callable[..., Generator[Any, None, Any]],
) -> Callable[..., Generator[Any, None, Any]]:
    """Translate a RuntimeError, after which napari's worker neither fails nor ends.

    Python raises one, too, when a generator lets a StopIteration escape.
    """

    def run(*args: Any) -> Generator[Any, None, Any]:
        try:
            return (yield from function(*args))
        except RuntimeError as error:
            raise UnexpectedError(
                f"{error.__cause__!r}" if error.__cause__ else str(error)
            ) from error

    return run


class Task:
    """A generator that runs in a worker thread until it ends or is dropped.

    The callbacks run in the main thread. After `drop`, only `ended` is called: napari
    emits nothing for a worker that is aborted during its last step, and the user must
    not wait for a step that cannot be interrupted.

    Parameters
    ----------
    function : callable
        A generator function. It returns a `Failed` for errors that concern the user;
        napari shows exceptions.
    *args
        Arguments of `function`.
    returned : callable
        Called with the return value.
    yielded : callable, optional
        Called with each yielded value.
    errored : callable, optional
        Called without arguments after an exception.
    ended : callable, optional
        Called without arguments when the thread has ended, even after `drop`.
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
        worker = create_worker(
            _report_all_errors(function), *args, _worker_class=ClosingWorker
        )
        worker.returned.connect(lambda outcome: self._call(returned, outcome))
        if yielded is not None:
            worker.yielded.connect(lambda step: self._call(yielded, step))
        if errored is not None:
            worker.errored.connect(lambda _: self._call(errored))
        if ended is not None:
            worker.finished.connect(ended)
        self._worker = worker
        worker.start()

    def stop(self) -> None:
        """Stop at the next step and call `ended`, but not `returned`."""
        self._worker.quit()

    def drop(self) -> None:
        """Stop at the next step and ignore all further results."""
        self._dropped = True
        self._worker.quit()

    def _call(self, function: Callable[..., None], *args: Any) -> None:
        if not self._dropped:
            function(*args)


@dataclass(frozen=True, slots=True)
class Failed:
    """The error message of a job that failed, for the user."""

    message: str
