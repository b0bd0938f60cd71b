"""The subcommand ``export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InvalidInputError
from ..models.builtin import require_model
from .arguments import examples, model_names

if TYPE_CHECKING:
    import argparse

_ONNX, _BIOIMAGEIO = ".onnx", ".zip"


def _export(arguments: argparse.Namespace) -> None:
    require_model(arguments.model)
    suffix = arguments.output.suffix
    if suffix == _ONNX:
        lines = _export_onnx(arguments)
    elif suffix == _BIOIMAGEIO:
        lines = _export_bioimageio(arguments)
    else:
        raise InvalidInputError(
            f"Cannot export to {arguments.output}: the name of the file must end in "
            f"{_ONNX}, or in {_BIOIMAGEIO} for a bioimage.io package."
        )
    for line in lines:
        print(line)


def _export_onnx(arguments: argparse.Namespace) -> list[str]:
    if arguments.author or arguments.license:
        raise InvalidInputError(
            f"--author and --license are for bioimage.io packages ({_BIOIMAGEIO}). "
            "Leave them out."
        )
    from ..models.export.onnx_file import export_onnx

    return export_onnx(
        arguments.model, arguments.output, standalone=arguments.standalone
    ).lines()


def _export_bioimageio(arguments: argparse.Namespace) -> list[str]:
    from ..models.export.bioimageio_file import export_bioimageio

    return export_bioimageio(
        arguments.model,
        arguments.output,
        authors=arguments.author,
        license=arguments.license,
    ).lines()


def add_export(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``export``."""
    parser.set_defaults(command=_export)
    shown = examples(
        "gray gray.onnx",
        "gray gray.onnx --standalone",
        "gray gray.zip",
        "mine.safetensors mine.zip --author 'Ada Lovelace' --license CC-BY-4.0",
    )
    parser.epilog = f"{model_names()}\n\n{shown}"
    parser.add_argument(
        "model",
        metavar="FILE|NAME",
        help="checkpoint file or name of a built-in model",
    )
    parser.add_argument(
        "output",
        type=Path,
        help="file to write: .onnx, or .zip for a bioimage.io package",
    )
    parser.add_argument(
        "--standalone",
        action="store_true",
        help="include the normalization in an ONNX file, so that images of any "
        "intensities go in; always so in a package (default: normalized images go in)",
    )
    parser.add_argument(
        "--author",
        action="append",
        default=[],
        metavar="NAME",
        help="author of the model, for a package; repeat for several (default: those "
        "of this program, for a built-in model)",
    )
    parser.add_argument(
        "--license",
        default="",
        metavar="SPDX",
        help="license of the model, for a package, such as CC-BY-4.0 (default: "
        "BSD-3-Clause, for a built-in model)",
    )
