"""The command `napari-denoise-ae`.

Commands import what they need when they run, so that ``--help`` and mistakes
in the arguments are answered at once.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from typing import TYPE_CHECKING

from .._version import __version__
from ..errors import DenoiseAEError
from .arguments import BAD_INPUT, INTERRUPTED, show_warning
from .denoise import add_denoise
from .evaluate import add_compare, add_evaluate
from .other import add_demo, add_info
from .train import add_train

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; None means those of the process.

    Returns
    -------
    int
        Exit status: 0, 2 for a mistake that the user can mend, 130 if
        interrupted.
    """
    arguments = make_parser().parse_args(argv)
    with warnings.catch_warnings():
        warnings.showwarning = show_warning
        try:
            arguments.command(arguments)
            sys.stdout.flush()
        except DenoiseAEError as error:
            print(f"error: {error}", file=sys.stderr)
            return BAD_INPUT
        except BrokenPipeError:
            # Whoever read the output, such as `head`, has gone.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except KeyboardInterrupt as interrupt:
            # What is kept is up to the command, which may say so.
            print("interrupted", *interrupt.args, sep=": ", file=sys.stderr)
            return INTERRUPTED
    return 0


# --- the arguments ---------------------------------------------------------


def make_parser() -> argparse.ArgumentParser:
    """Return the parser with all subcommands."""
    parser = argparse.ArgumentParser(
        prog="napari-denoise-ae",
        description="Train denoising autoencoders and denoise images with them.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_demo(commands.add_parser("demo", help="denoise an image that comes along"))
    add_denoise(commands.add_parser("denoise", help="denoise image files"))
    add_train(commands.add_parser("train", help="train on CIFAR-10"))
    add_evaluate(
        commands.add_parser("evaluate", help="score a model and classical denoisers")
    )
    add_compare(
        commands.add_parser("compare", help="score several models side by side")
    )
    add_info(commands.add_parser("info", help="say what a checkpoint is"))
    return parser
