"""The command ``napari-denoise-ae``: the parser and the exit status.

Subcommands import torch only when they compute, so ``--help`` and most mistakes in
the arguments are answered at once.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from contextlib import nullcontext
from typing import TYPE_CHECKING

from .._version import __version__
from ..errors import DenoiseAEError
from .arguments import BAD_INPUT, INTERRUPTED
from .completion import add_completion
from .crash_report import report_crash
from .denoise import add_denoise
from .evaluate import add_compare, add_evaluate
from .export import add_export
from .messages import LOGGER, add_verbosity, show_warning, shown_messages
from .other import add_demo, add_info
from .signals import ended_by_signals
from .streams import silent_output, steady_streams
from .train import add_train

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Each subcommand: its name, one sentence, and the function that adds its arguments.
_COMMANDS: list[tuple[str, str, Callable[[argparse.ArgumentParser], None]]] = [
    ("demo", "Add noise to a sample photograph and denoise it.", add_demo),
    ("denoise", "Denoise image files.", add_denoise),
    ("train", "Train a model on CIFAR-10 or on your own images.", add_train),
    ("evaluate", "Score a model and classical denoisers.", add_evaluate),
    ("compare", "Score several models on the same noisy images.", add_compare),
    ("info", "Describe a model.", add_info),
    ("export", "Write a model for other programs.", add_export),
    (
        "completion",
        "Print a shell completion script.",
        add_completion,
    ),
]

# Their result is what they print; the others write files and print a report.
_PRINTING = {"evaluate", "compare", "info", "completion"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments. Default: those of the process.

    Returns
    -------
    int
        Exit status: 0 if done, 2 after an error that the user can fix, 70 after an
        unexpected one, 130 if interrupted.

    Raises
    ------
    SystemExit
        With status 0 after ``--help`` and ``--version``, 1 if some of several files
        could not be denoised, 2 if the arguments cannot be parsed, 130 if a run that
        can be resumed was interrupted, and 143 and 129 after SIGTERM and SIGHUP.
    """
    arguments = make_parser().parse_args(argv)
    with (
        steady_streams() as output,
        ended_by_signals(),
        shown_messages(arguments),
        warnings.catch_warnings(),
    ):
        warnings.showwarning = show_warning
        # For what a user asks to be printed, also by --quiet.
        arguments.standard_output = output
        try:
            is_silent = arguments.quiet and not arguments.prints_result
            with silent_output() if is_silent else nullcontext():
                arguments.command(arguments)
            output.require_written()
        except DenoiseAEError as error:
            LOGGER.error("%s", error)
            return BAD_INPUT
        except Exception as error:  # noqa: BLE001 - the last guard
            return report_crash(error)
        except KeyboardInterrupt as interrupt:
            # The subcommand may say in the exception which results are kept.
            print("interrupted", *interrupt.args, sep=": ", file=sys.stderr)
            return INTERRUPTED
    return 0


def make_parser() -> argparse.ArgumentParser:
    """Return the parser with all subcommands."""
    parser = argparse.ArgumentParser(
        prog="napari-denoise-ae",
        description="Train denoising autoencoders and denoise images with them.",
        epilog="napari-denoise-ae COMMAND --help lists the options of a command.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, title="commands", metavar="COMMAND")
    for name, sentence, add_arguments in _COMMANDS:
        command = commands.add_parser(
            name,
            help=sentence,
            description=sentence,
            # Keeps the line breaks of the epilog, which contains examples.
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        add_arguments(command)
        add_verbosity(command, prints_result=name in _PRINTING)
    return parser
