"""The subcommands ``demo`` and ``info``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .arguments import add_model_and_device, examples, model_names, require_names

if TYPE_CHECKING:
    import argparse


def _demo(arguments: argparse.Namespace) -> None:
    require_names(models=[arguments.model], device=arguments.device)
    if arguments.viewer:
        from .._napari.viewer.show import require_viewer

        require_viewer()
    from ..evaluation.demo import run_demo

    result = run_demo(
        arguments.output,
        model=arguments.model,
        device=arguments.device,
        overwrite=arguments.overwrite,
    )
    for line in result.lines():
        print(line)
    if arguments.viewer:
        from .._napari.viewer.show import show_images

        show_images(
            {"clean": result.clean, "noisy": result.noisy, "denoised": result.denoised}
        )


def _info(arguments: argparse.Namespace) -> None:
    from ..models.describe import describe_model
    from ..models.summary import read_summary

    for line in describe_model(read_summary(arguments.model)):
        print(line)


def add_demo(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``demo``."""
    parser.set_defaults(command=_demo)
    shown = examples("", "--model conv --output figures", "--viewer")
    parser.epilog = f"{model_names()}\n\n{shown}"
    add_model_and_device(parser)
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="folder to write demo.png to (default: the current folder)",
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace a demo.png that is no figure of an earlier run (default: off)",
    )
    parser.add_argument(
        "--viewer",
        action="store_true",
        help="also show the images in napari (default: off)",
    )


def add_info(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``info``."""
    parser.set_defaults(command=_info)
    shown = examples("conv", "best_denoising_model.pt")
    parser.epilog = f"{model_names()}\n\n{shown}"
    parser.add_argument(
        "model",
        metavar="FILE|NAME",
        help="file or name of a built-in model",
    )
