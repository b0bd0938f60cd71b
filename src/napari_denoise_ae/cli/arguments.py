"""Arguments that several subcommands share."""

from __future__ import annotations

import argparse
import re
import sys
from typing import Any

from ..models.builtin import DEFAULT_MODEL

SOME_FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130  # exit statuses


def show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Print a warning as the command's own message."""
    print(f"warning: {message}", file=sys.stderr)


def allow_negative_numbers(parser: argparse.ArgumentParser) -> None:
    """Let option values such as -5,5 begin with a minus sign."""
    # argparse takes -5,5 for an option otherwise; there is no public way.
    parser._negative_number_matcher = re.compile(r"^-\d")  # noqa: SLF001


def add_model_and_device(parser: argparse.ArgumentParser) -> None:
    """Add ``--model`` and ``--device``."""
    parser.add_argument(
        "--model",
        default=DEFAULT_MODEL,
        metavar="FILE|NAME",
        help="checkpoint file or name of a built-in model; auto is gray or rgb, by the "
        f"image's colors ({DEFAULT_MODEL})",
    )
    add_device(parser)


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add ``--device``."""
    parser.add_argument(
        "--device", default="auto", help="auto, cpu, cuda, cuda:N or mps (auto)"
    )


def two_numbers(text: str) -> tuple[float, float]:
    """Parse LOW,HIGH."""
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r}: write two numbers, LOW,HIGH"
        ) from None
    return low, high
