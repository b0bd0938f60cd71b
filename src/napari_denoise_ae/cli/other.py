"""The subcommands ``demo`` and ``info``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .arguments import add_model_and_device

if TYPE_CHECKING:
    import argparse


def _demo(arguments: argparse.Namespace) -> None:
    if arguments.viewer:
        from .._napari.viewer.show import require_viewer

        require_viewer()
    from ..evaluation.demo import run_demo

    result = run_demo(arguments.output, model=arguments.model, device=arguments.device)
    for line in result.lines():
        print(line)
    if arguments.viewer:
        from .._napari.viewer.show import show_images

        show_images(
            {"clean": result.clean, "noisy": result.noisy, "denoised": result.denoised}
        )


def _info(arguments: argparse.Namespace) -> None:
    from ..models.describe import describe_checkpoint
    from ..models.load import load_checkpoint

    for line in describe_checkpoint(load_checkpoint(arguments.model)):
        print(line)


def add_demo(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``demo``."""
    parser.set_defaults(command=_demo)
    add_model_and_device(parser)
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="folder for demo.png (default: the current one)",
    )
    parser.add_argument(
        "--viewer", action="store_true", help="show the images in napari as well"
    )


def add_info(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``info``."""
    parser.set_defaults(command=_info)
    parser.add_argument("model", help="checkpoint file or name of a built-in model")
