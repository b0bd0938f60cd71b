"""The models that come with the package: one file each in ``weights/``."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

#: Taken where no model is named: the built-in one that suits the image's colors.
DEFAULT_MODEL = "auto"
_MODEL_OF_COLORS = {1: "gray", 3: "rgb"}
_FOLDER = resources.files(__package__) / "weights"


def builtin_models() -> list[str]:
    """Return the names of the built-in models, in alphabetical order."""
    names = (Path(entry.name) for entry in _FOLDER.iterdir())
    return sorted(name.stem for name in names if name.suffix == ".pt")


def fitting_model(model: str, n_colors: int) -> str:
    """Return the built-in model that ``"auto"`` stands for; others are themselves.

    Parameters
    ----------
    model : str
        ``"auto"``, a built-in model's name or a file.
    n_colors : int
        Colors of the image: 1 for gray, 3 for RGB, with or without alpha.

    Examples
    --------
    >>> fitting_model("auto", 3)
    'rgb'
    """
    if model != DEFAULT_MODEL:
        return model
    return _MODEL_OF_COLORS.get(n_colors, "gray")


def suits_any_noise(model: str) -> bool:
    """Tell whether a model is known to be told the noise level, by its name alone.

    Parameters
    ----------
    model : str
        See `fitting_model`. Of a file it is not known before it is read.

    Examples
    --------
    >>> suits_any_noise("auto"), suits_any_noise("conv")
    (True, False)
    """
    return model in (DEFAULT_MODEL, *_MODEL_OF_COLORS.values())


def builtin_file(name: str) -> AbstractContextManager[Path]:
    """Give the checkpoint file of a built-in model while a context lasts."""
    return resources.as_file(_FOLDER / f"{name}.pt")


#: What a checkpoint says it is.
CHECKPOINT_FORMAT = "napari-denoise-ae checkpoint"
