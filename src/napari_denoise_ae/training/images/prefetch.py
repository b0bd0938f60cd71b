"""Read ahead in a background thread."""

from __future__ import annotations

from queue import SimpleQueue
from threading import Event, Semaphore, Thread
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_Position = TypeVar("_Position")
_Patch = TypeVar("_Patch")

# Batches that are read ahead: enough to even out slow files, and little memory.
_AHEAD = 4


def read_ahead(
    read: Callable[[_Position], _Patch], batches: Iterable[Sequence[_Position]]
) -> Iterator[list[_Patch]]:
    """Read batches in a background thread while the previous ones are used.

    The thread starts with the first batch that is asked for. It ends with the last
    batch, or as soon as the iterator is closed, after the patch that it is reading.

    Parameters
    ----------
    read : callable
        Reads one patch. Called in the thread, in order.
    batches : iterable of sequence
        The positions of the patches. Iterated in the thread, up to four batches
        ahead.

    Yields
    ------
    list
        The patches of a batch, in order. Timing does not change them.

    Raises
    ------
    Exception
        Whatever `read` or `batches` raises, in place of the batch.
    """
    worker = _Worker(read, batches)
    thread = Thread(target=worker.run, name="read-ahead", daemon=True)
    thread.start()
    try:
        while (done := worker.results.get()) is not None:
            worker.free.release()
            if isinstance(done, BaseException):
                raise done
            yield done
    finally:
        worker.stop()
        thread.join()


class _Worker(Generic[_Position, _Patch]):
    """The work of the thread. It puts lists, an exception or None as its last."""

    def __init__(
        self,
        read: Callable[[_Position], _Patch],
        batches: Iterable[Sequence[_Position]],
    ) -> None:
        self.results: SimpleQueue[list[_Patch] | BaseException | None] = SimpleQueue()
        self.free = Semaphore(_AHEAD)
        self._read, self._batches = read, batches
        self._stopped = Event()

    def stop(self) -> None:
        """End the thread after the patch that it is reading."""
        self._stopped.set()
        self.free.release()

    def run(self) -> None:
        try:
            for batch in self._batches:
                self.free.acquire()
                patches = []
                for position in batch:
                    if self._stopped.is_set():
                        return
                    patches.append(self._read(position))
                self.results.put(patches)
        except BaseException as error:  # noqa: BLE001 - raised in the other thread
            self.results.put(error)
        else:
            self.results.put(None)
