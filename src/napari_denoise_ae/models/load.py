"""Load a model by name or from a file."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from ..errors import CheckpointError
from .builtin import builtin_file, builtin_models, fitting_model, require_model
from .checkpoint import Checkpoint
from .checkpoint_file import parse_checkpoint, parse_plain_state_dict, read_content
from .imported.model import ImportedModel, is_imported, load_imported


def load_checkpoint(source: str | Path) -> Checkpoint:
    """Load a checkpoint file or a built-in model.

    Parameters
    ----------
    source : path or str
        A checkpoint file, ``.safetensors`` or ``.pt``, the name of a built-in model
        (``"gray"``, ``"rgb"``, ``"conv"``, ...), or a file that contains only the
        `state_dict` of one of the package's networks with default options. Also a
        model from another program: an ``.onnx`` file, or a bioimage.io package with
        ONNX weights, a ``.zip`` file or a folder.

    Returns
    -------
    Checkpoint
        The checked checkpoint.

    Raises
    ------
    CheckpointError
        If there is no such file or it is not a usable checkpoint.
    MissingDependencyError
        If onnx or onnxruntime is not installed, and the file needs them.

    Warns
    -----
    DenoiseAEWarning
        If the file contains only a `state_dict`, so that the training is unknown.
    """
    require_model(source)
    if str(source) in builtin_models():
        return _load_builtin(str(source))
    file = Path(source)
    if is_imported(file):
        return load_imported(file)
    content = read_content(file)
    if "format" not in content:
        return parse_plain_state_dict(content, file)
    return parse_checkpoint(content, name=file.name)


# Without the cache, `denoise` in a loop over images spends a tenth of its time here.
@lru_cache(maxsize=8)
def _load_builtin(name: str) -> Checkpoint:
    with builtin_file(name) as file:
        return parse_checkpoint(read_content(file), name=name)


def load_trainable(source: str | Path) -> Checkpoint:
    """Load a model that can be exported, and trained further.

    Parameters
    ----------
    source : path or str
        See `load_checkpoint`.

    Raises
    ------
    CheckpointError
        See `load_checkpoint`; also if it is a model from another program.
    """
    checkpoint = load_checkpoint(source)
    require_trainable(checkpoint)
    return checkpoint


def require_trainable(checkpoint: Checkpoint) -> None:
    """Raise `CheckpointError` if a checkpoint is from another program."""
    if isinstance(checkpoint, ImportedModel):
        raise CheckpointError(
            f"{checkpoint.name} is an ONNX model, which can only denoise. To export a "
            "model or to train it further, use its checkpoint."
        )


def load_fitting(source: str | Path | Checkpoint, n_colors: int) -> Checkpoint:
    """Load the model for images with a number of colors.

    Parameters
    ----------
    source : str, path or Checkpoint
        See `load_checkpoint`. ``"auto"`` is the built-in model for `n_colors`;
        a `Checkpoint` is returned unchanged.
    n_colors : int
        1 for gray, 3 for RGB.

    Returns
    -------
    Checkpoint
        The checked checkpoint.

    Raises
    ------
    CheckpointError
        See `load_checkpoint`.
    """
    if isinstance(source, Checkpoint):
        return source
    return load_checkpoint(fitting_model(str(source), n_colors))
