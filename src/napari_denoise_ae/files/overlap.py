"""Read and write files while a device computes, each in a thread of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

Item = TypeVar("Item")
Value = TypeVar("Value")


def read_ahead(
    items: Iterable[Item], read: Callable[[Item], Value]
) -> Iterator[tuple[Item, Value]]:
    """Read what belongs to each item, and meanwhile what belongs to the next.

    Parameters
    ----------
    items : iterable
        What to read, in order.
    read : callable
        Reads what belongs to an item. It is called in another thread, once at a time.

    Yields
    ------
    item, value
        Each item, and what `read` returned for it. Its errors are raised here.
    """
    waiting: tuple[Item, Future[Value]] | None = None
    with ThreadPoolExecutor(1) as reader:
        for item in items:
            reading = reader.submit(read, item)
            if waiting is not None:
                yield waiting[0], waiting[1].result()
            waiting = item, reading
        if waiting is not None:
            yield waiting[0], waiting[1].result()


def write_behind(
    items: Iterable[Item], write: Callable[[Item], object]
) -> Iterator[None]:
    """Write each item while the next one is computed.

    Parameters
    ----------
    items : iterable
        Computes what to write, in order.
    write : callable
        Writes an item. It is called in another thread, once at a time.

    Yields
    ------
    None
        After each item has been written. Errors of `write` are raised here.
    """
    writing: Future[object] | None = None
    with ThreadPoolExecutor(1) as writer:
        for item in items:
            if writing is not None:
                writing.result()
                yield
            writing = writer.submit(write, item)
        if writing is not None:
            writing.result()
            yield
