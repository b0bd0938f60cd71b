"""The subcommand ``export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InvalidInputError
from ..models.builtin import require_model
from .arguments import examples, model_names

if TYPE_CHECKING:
    import argparse


def _export(arguments: argparse.Namespace) -> None:
    require_model(arguments.model)
    if arguments.output.suffix != ".onnx":
        raise InvalidInputError(
            f"Cannot export to {arguments.output}: the name of the file must end in "
            ".onnx."
        )
    from ..models.export.onnx_file import export_onnx

    result = export_onnx(
        arguments.model, arguments.output, standalone=arguments.standalone
    )
    for line in result.lines():
        print(line)


def add_export(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``export``."""
    parser.set_defaults(command=_export)
    shown = examples("gray gray.onnx", "gray gray.onnx --standalone")
    parser.epilog = f"{model_names()}\n\n{shown}"
    parser.add_argument(
        "model",
        metavar="FILE|NAME",
        help="checkpoint file or name of a built-in model",
    )
    parser.add_argument("output", type=Path, help="ONNX file to write")
    parser.add_argument(
        "--standalone",
        action="store_true",
        help="include the normalization, so that images of any intensities go in "
        "(default: normalized images go in)",
    )
