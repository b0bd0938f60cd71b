"""The last guard of the command: an unexpected error is one line and a log."""

from __future__ import annotations

import sys
import tempfile
import traceback

from .._version import __version__
from ..errors import one_line

#: Exit status after an error that no one expected: `EX_SOFTWARE` of BSD.
UNEXPECTED = 70


def report_crash(error: Exception) -> int:
    """Print an unexpected error on one line, and write its traceback to a log.

    Parameters
    ----------
    error : Exception
        The error, with its traceback.

    Returns
    -------
    int
        The exit status.
    """
    reason = f"{type(error).__name__}: {one_line(error)}".rstrip(".: ")
    print(f"error: unexpected {reason}. {_write_log(error)}", file=sys.stderr)
    return UNEXPECTED


def _write_log(error: Exception) -> str:
    """Write the traceback to a file; return a sentence that says where it is."""
    arguments = [f"napari-denoise-ae {__version__}", *sys.argv[1:]]
    lines = [" ".join(arguments), "\n", *traceback.format_exception(error)]
    try:
        with tempfile.NamedTemporaryFile(
            "w",
            encoding="utf-8",
            errors="backslashreplace",
            prefix="napari-denoise-ae-",
            suffix=".log",
            delete=False,
        ) as log:
            log.writelines(lines)
    except OSError as reason:
        return f"Its traceback could not be written ({one_line(reason)})."
    return f"Please report it with the log {log.name}."
