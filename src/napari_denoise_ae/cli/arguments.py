"""Arguments, checks and help texts that several subcommands share."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from ..errors import DeviceError
from ..models.builtin import DEFAULT_MODEL, builtin_models, require_model
from ..noise.base import amount_fields, option_fields
from ..noise.spec import how_to_write, parse_noise
from ..noise.synthetic import NOISE_MODELS

if TYPE_CHECKING:
    from collections.abc import Sequence

SOME_FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130  # exit statuses

_DEVICES = "auto, cpu, cuda, cuda:N or mps"
_DEVICE = re.compile(r"auto|(cpu|cuda|mps)(:\d+)?", re.ASCII)


# --- names -----------------------------------------------------------------


def require_names(
    *, models: Sequence[str] = (), noise: str | None = None, device: str = "auto"
) -> None:
    """Raise if a name is wrong, before torch is imported, which takes seconds.

    Parameters
    ----------
    models : sequence of str
        Checkpoint files and names of built-in models, or ``"auto"``.
    noise : str, optional
        Synthetic noise, such as ``"gaussian:0.1"``.
    device : str
        Name of a device. Only its spelling is checked.

    Raises
    ------
    CheckpointError, InvalidInputError, DeviceError
        If a model does not exist, or the noise or the device is misspelled.
    """
    for model in models:
        if model != DEFAULT_MODEL:
            require_model(model)
    if noise is not None:
        parse_noise(noise)
    if not _DEVICE.fullmatch(device):
        raise DeviceError(f"Unknown device {device!r}. Use {_DEVICES}.")


# --- help texts ------------------------------------------------------------


def examples(*arguments: str) -> str:
    """Return the section of a help text that shows examples, one line each."""
    lines = (f"  %(prog)s {line}".rstrip() for line in arguments)
    return "\n".join(["examples:", *lines])


def model_names() -> str:
    """Return the section of a help text that lists the built-in models."""
    return f"built-in models:\n  {', '.join(builtin_models())}"


def noise_notation() -> str:
    """Return the section of a help text that describes the noise notation."""
    lines = ["synthetic noise (NOISE), for intensities from 0 to 1:"]
    for model in NOISE_MODELS.values():
        amounts = (
            f"{amount.name.upper()} {amount.metadata['unit']}"
            for amount in (*amount_fields(model), *option_fields(model))
        )
        lines += [f"  {how_to_write(model)}", f"      {', '.join(amounts)}"]
    lines += [
        "  LOW..HIGH instead of an amount draws one from that range for each image;",
        "  a plus sign adds several: gaussian:0.1+salt-pepper:0.05;",
        "  a mixture draws one for each image: 0.6*gaussian:0.1|0.4*speckle:0.1",
    ]
    return "\n".join(lines)


# --- arguments -------------------------------------------------------------


def allow_negative_numbers(parser: argparse.ArgumentParser) -> None:
    """Let option values such as -5,5 begin with a minus sign."""
    # Otherwise argparse takes -5,5 for an option; it has no public setting for this.
    parser._negative_number_matcher = re.compile(r"^-\d")  # noqa: SLF001


def add_model_and_device(parser: argparse.ArgumentParser) -> None:
    """Add ``--model`` and ``--device``."""
    parser.add_argument(
        "--model",
        default=DEFAULT_MODEL,
        metavar="FILE|NAME",
        help="file or name of a built-in model; auto is rgb for color "
        "images, gray for others (default: %(default)s)",
    )
    add_device(parser)


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add ``--device``."""
    parser.add_argument(
        "--device",
        default="auto",
        help=f"device to compute on: {_DEVICES} (default: %(default)s)",
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
