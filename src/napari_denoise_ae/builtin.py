"""The models that come with the package: one file each in ``weights/``."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

#: The built-in model that is taken where none is named.
DEFAULT_MODEL = "conv"

_FOLDER = resources.files(__package__) / "weights"


def builtin_models() -> list[str]:
    """Return the names of the built-in models, in alphabetical order."""
    names = (Path(entry.name) for entry in _FOLDER.iterdir())
    return sorted(name.stem for name in names if name.suffix == ".pt")


def builtin_file(name: str) -> AbstractContextManager[Path]:
    """Give the checkpoint file of a built-in model while a context lasts."""
    return resources.as_file(_FOLDER / f"{name}.pt")
