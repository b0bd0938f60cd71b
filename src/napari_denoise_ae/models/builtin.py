"""The built-in models: one checkpoint each in ``weights/``."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CheckpointError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

#: Model used when none is named: the built-in one for the image's colors.
DEFAULT_MODEL = "auto"
_MODEL_OF_COLORS = {1: "gray", 3: "rgb"}
_FOLDER = resources.files(__package__) / "weights"

#: Suffixes of checkpoints: safetensors, and that of `torch.save`.
MODEL_SUFFIX, TORCH_SUFFIX = ".safetensors", ".pt"
#: Files that describe a bioimage.io package, of which it has one.
PACKAGE_DESCRIPTIONS = ("rdf.yaml", "bioimageio.yaml", "model.yaml")
#: Value of the ``"format"`` entry of every checkpoint.
CHECKPOINT_FORMAT = "napari-denoise-ae checkpoint"


def builtin_models() -> list[str]:
    """Return the names of the built-in models in alphabetical order."""
    names = (Path(entry.name) for entry in _FOLDER.iterdir())
    return sorted(name.stem for name in names if name.suffix == MODEL_SUFFIX)


def require_model(source: str | Path) -> None:
    """Raise if a model does not exist. Its file is not read, and torch not imported.

    Parameters
    ----------
    source : path or str
        A file, the folder of a bioimage.io package, or the name of a built-in model.

    Raises
    ------
    CheckpointError
        If there is neither such a built-in model nor such a file or folder.
    """
    if not isinstance(source, (str, os.PathLike)):
        raise CheckpointError(
            f"A model must be a name or the path of a file, got {source!r}."
        )
    files = (Path(source), *(Path(source, name) for name in PACKAGE_DESCRIPTIONS))
    # Path.is_file raises an error if the name is too long.
    if str(source) in builtin_models() or any(map(os.path.isfile, files)):
        return
    raise CheckpointError(
        f"There is no model {str(source)!r}: expected a checkpoint, an ONNX file, a "
        f"bioimage.io package or a built-in model ({', '.join(builtin_models())})."
    )


def fitting_model(model: str, n_colors: int) -> str:
    """Resolve ``"auto"`` to a built-in model; return other names unchanged.

    Parameters
    ----------
    model : str
        ``"auto"``, the name of a built-in model, or a checkpoint file.
    n_colors : int
        Colors of the image: 1 for gray, 3 for RGB with or without alpha.

    Returns
    -------
    str
        The name of a built-in model, or the checkpoint file.

    Examples
    --------
    >>> fitting_model("auto", 3)
    'rgb'
    """
    if model != DEFAULT_MODEL:
        return model
    return _MODEL_OF_COLORS.get(n_colors, "gray")


def suits_any_noise(model: str) -> bool:
    """Return whether a model is a built-in one that takes the noise level.

    Parameters
    ----------
    model : str
        See `fitting_model`.

    Returns
    -------
    bool
        False for a checkpoint file, even if its network takes the noise level:
        the file is not read.

    Examples
    --------
    >>> suits_any_noise("auto"), suits_any_noise("conv")
    (True, False)
    """
    return model in (DEFAULT_MODEL, *_MODEL_OF_COLORS.values())


def builtin_file(name: str) -> AbstractContextManager[Path]:
    """Return a context manager that provides a built-in model as a file.

    Parameters
    ----------
    name : str
        One of `builtin_models`.
    """
    return resources.as_file(_FOLDER / f"{name}{MODEL_SUFFIX}")
