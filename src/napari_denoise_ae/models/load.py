"""Load a model by name, path or as a loaded checkpoint."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from ..errors import CheckpointError
from .builtin import builtin_file, builtin_models, fitting_model
from .checkpoint import Checkpoint
from .checkpoint_file import parse_checkpoint, parse_plain_state_dict, read_torch_file


def load_checkpoint(source: str | Path) -> Checkpoint:
    """Load a checkpoint, or a built-in model by its name.

    Parameters
    ----------
    source : path or str
        A file, or a name that `builtin_models` lists. A file of a plain
        ``state_dict`` of one of the package's networks is taken too, with a
        warning, since how it was trained is unknown.

    Returns
    -------
    Checkpoint
        The checked checkpoint.

    Raises
    ------
    CheckpointError
        If there is no such file or it is not a usable checkpoint.
    """
    if str(source) in builtin_models():
        return _load_builtin(str(source))
    file = Path(source)
    if not os.path.isfile(file):  # noqa: PTH113 - Path's raises for names too long
        raise CheckpointError(
            f"There is no model {str(source)!r}: expected a checkpoint file or one of "
            f"the built-in models ({', '.join(builtin_models())})."
        )
    content = read_torch_file(file)
    if "format" not in content:
        return parse_plain_state_dict(content, file)
    return parse_checkpoint(content, name=file.name)


# Read once: a call for each image of a loop would spend a tenth of its time here.
@lru_cache(maxsize=8)
def _load_builtin(name: str) -> Checkpoint:
    with builtin_file(name) as file:
        return parse_checkpoint(read_torch_file(file), name=name)


def load_fitting(source: str | Path | Checkpoint, n_colors: int) -> Checkpoint:
    """Load the model for images of some colors; one that is loaded is itself.

    Parameters
    ----------
    source : str, path or Checkpoint
        See `load_checkpoint`, or ``"auto"``.
    n_colors : int
        See `fitting_model`.

    Raises
    ------
    CheckpointError
        See `load_checkpoint`.
    """
    if isinstance(source, Checkpoint):
        return source
    return load_checkpoint(fitting_model(str(source), n_colors))
