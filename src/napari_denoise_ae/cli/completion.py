"""The subcommand ``completion``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..models.builtin import DEFAULT_MODEL, builtin_models
from ..models.presets import PRESETS
from .arguments import examples
from .train_options import IMAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEVICES = ("auto", "cpu", "cuda", "mps")
_SHELLS = ("bash", "zsh")
# How an argument is completed, in each shell; the functions are in the preambles.
_FILES = {"bash": "_shtab_compgen_files", "zsh": "_files"}
_MODELS, _DEVICE, _PRESET = (
    dict.fromkeys(_SHELLS, f"_napari_denoise_ae_{name}")
    for name in ("models", "devices", "presets")
)
_BASH = """
_napari_denoise_ae_models() {{ compgen -W "{models}" -- "$1"; compgen -f -- "$1"; }}
_napari_denoise_ae_devices() {{ compgen -W "{devices}" -- "$1"; }}
_napari_denoise_ae_presets() {{ compgen -W "{presets}" -- "$1"; }}
"""
_ZSH = """
_napari_denoise_ae_models() {{ compadd -- {models}; _files; }}
_napari_denoise_ae_devices() {{ compadd -- {devices}; }}
_napari_denoise_ae_presets() {{ compadd -- {presets}; }}
"""


def _completion(arguments: argparse.Namespace) -> None:
    import shtab

    from .main import make_parser

    parser = make_parser()
    for action in _actions(parser):
        if (how := _completed_by(action)) is not None:
            action.complete = how  # type: ignore[attr-defined]
    words = {
        "models": (DEFAULT_MODEL, *builtin_models()),
        "devices": _DEVICES,
        "presets": PRESETS,
    }
    joined = {name: " ".join(each) for name, each in words.items()}
    preamble = (_BASH if arguments.shell == "bash" else _ZSH).format(**joined)
    print(shtab.complete(parser, arguments.shell, preamble=preamble))


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the arguments of a parser and of its subcommands."""
    for action in parser._actions:  # noqa: SLF001 - there is no public name
        yield action
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for command in action.choices.values():
                yield from _actions(command)


def _completed_by(action: argparse.Action) -> dict[str, str] | None:
    """Return how shells complete an argument; None for choices and numbers."""
    if action.metavar == "FILE|NAME":
        return _MODELS
    if action.type is Path or action.dest in IMAGES:
        return _FILES
    return {"device": _DEVICE, "preset": _PRESET}.get(action.dest)


def add_completion(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``completion``."""
    parser.set_defaults(command=_completion)
    parser.epilog = examples("bash", "zsh")
    parser.add_argument("shell", choices=_SHELLS, help="shell that reads the script")
