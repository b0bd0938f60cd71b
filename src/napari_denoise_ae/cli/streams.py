"""Standard streams whose errors do not stop a run."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager, redirect_stdout, suppress
from typing import TYPE_CHECKING, Any, TextIO, cast

from ..errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Errors of a stream that no one reads any more, such as `... | head -1`.
_CLOSED = {errno.EPIPE, errno.EBADF, errno.EINVAL}


class SteadyStream:
    """A text stream that keeps its first error instead of raising it.

    Characters that its encoding does not have are written as escapes. After an error,
    what is written is discarded.

    Parameters
    ----------
    stream : text stream
        The stream to write to.

    """

    def __init__(self, stream: TextIO) -> None:
        self._error: OSError | None = None
        self._stream = stream
        if getattr(stream, "errors", "") == "strict" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")

    def write(self, text: str) -> int:
        """Write a text."""
        try:
            return self._stream.write(text)
        except OSError as error:
            self._discard(error)
            return len(text)

    def flush(self) -> None:
        """Write what has been buffered."""
        try:
            self._stream.flush()
        except OSError as error:
            self._discard(error)

    def require_written(self) -> None:
        """Raise if something was not written, unless no one reads it any more.

        Raises
        ------
        OutputError
            In this case, for instance because the disk is full.
        """
        self.flush()
        if self._error is not None:
            raise OutputError(
                f"Cannot print to standard output: {self._error.strerror}. All files "
                "were written."
            )

    def _discard(self, error: OSError) -> None:
        if self._error is None and error.errno not in _CLOSED:
            self._error = error
        # The interpreter flushes what is buffered once more when it ends.
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        """Return any other attribute of the stream."""
        return getattr(self._stream, name)


@contextmanager
def steady_streams() -> Iterator[SteadyStream]:
    """Keep errors of standard output and standard error from ending a run.

    Yields
    ------
    SteadyStream
        Standard output.
    """
    # Otherwise a file that is opened next would get the number of a closed stream,
    # and with it all that libraries print.
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    before = sys.stdout, sys.stderr
    nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    with nowhere:
        output = SteadyStream(sys.stdout or nowhere)
        sys.stdout = cast("TextIO", output)
        sys.stderr = cast("TextIO", SteadyStream(sys.stderr or nowhere))
        try:
            yield output
        finally:
            output.flush()
            sys.stderr.flush()
            sys.stdout, sys.stderr = before


def is_standard_output(path: Path | None) -> bool:
    """Return whether the name of an output is ``-``, which stands for printing it."""
    return str(path) == "-"


@contextmanager
def silent_output() -> Iterator[None]:
    """Discard what is printed to standard output."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):  # noqa: PTH123
        yield
