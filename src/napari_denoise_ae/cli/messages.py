"""Messages on standard error, through `logging`: errors, warnings and decisions."""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..errors import one_line

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

#: The logger of the package. The choices that a run makes are logged as INFO.
LOGGER = logging.getLogger("napari_denoise_ae")


class _Lines(logging.Handler):
    """Prints each message on one line, above the progress bars."""

    def emit(self, record: logging.LogRecord) -> None:
        line = f"{record.levelname.lower()}: {one_line(record.getMessage())}"
        if (bars := sys.modules.get("tqdm")) is not None:
            bars.tqdm.write(line, file=sys.stderr)
        else:
            print(line, file=sys.stderr)


def add_verbosity(parser: argparse.ArgumentParser, *, prints_result: bool) -> None:
    """Add ``--quiet`` and ``--verbose``.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The parser of a subcommand.
    prints_result : bool
        Whether its result is what it prints, which ``--quiet`` then keeps.
    """
    parser.set_defaults(prints_result=prints_result)
    kept = (
        "the result and errors only: no" if prints_result else "errors only: no report,"
    )
    group = parser.add_argument_group("messages").add_mutually_exclusive_group()
    group.add_argument(
        "-q",
        "--quiet",
        action="store_true",
        help=f"print {kept} warnings or progress bars (default: off)",
    )
    group.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="also print the choices made: model, device, precision, tiles, noise "
        "(default: off)",
    )


@contextmanager
def shown_messages(arguments: argparse.Namespace) -> Iterator[None]:
    """Print messages as ``--quiet`` and ``--verbose`` ask for."""
    level = logging.WARNING
    if arguments.quiet:
        level = logging.ERROR
    elif arguments.verbose:
        level = logging.INFO
    handler, before = _Lines(), LOGGER.level
    LOGGER.addHandler(handler)
    LOGGER.setLevel(level)
    try:
        yield
    finally:
        LOGGER.setLevel(before)
        LOGGER.removeHandler(handler)


def show_warning(message: Warning | str, *_: object, **__: object) -> None:
    """Log a warning; replaces `warnings.showwarning`."""
    LOGGER.warning("%s", message)
