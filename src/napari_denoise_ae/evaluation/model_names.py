"""Load the models of a comparison under unique names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..denoising.denoiser import Denoiser
from ..errors import InvalidInputError
from ..models.builtin import builtin_models, fitting_model
from ..models.checkpoint import Checkpoint
from ..models.load import load_fitting
from .baselines import BASELINES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..models.devices import DeviceChoice


def load_models(
    sources: Sequence[str | Path | Checkpoint],
    device: DeviceChoice,
    *,
    n_colors: int = 3,
) -> dict[str, Denoiser]:
    """Load models under names that are unique among all scored methods.

    Parameters
    ----------
    sources : sequence of str, path, or Checkpoint
        At least one model; see `denoise`.
    device : DeviceChoice
        Device to compute on.
    n_colors : int
        Number of colors of the images to score on, see `fitting_model`.

    Returns
    -------
    dict of str to Denoiser
        Models by name, in the order of `sources`.

    Raises
    ------
    InvalidInputError
        If `sources` is empty or not a list.
    CheckpointError
        If a model cannot be loaded.
    """
    if isinstance(sources, (str, Path, Checkpoint)) or not sources:
        raise InvalidInputError(
            f"Expected a list of at least one model to compare, got {sources!r}."
        )
    fitting = [
        source
        if isinstance(source, Checkpoint)
        else fitting_model(str(source), n_colors)
        for source in sources
    ]
    loaded = [load_fitting(source, n_colors) for source in fitting]
    names = _distinct_names([_path_of(source) for source in fitting], loaded)
    return {
        name: Denoiser(checkpoint, device)
        for name, checkpoint in zip(names, loaded, strict=True)
    }


def _path_of(source: str | Path | Checkpoint) -> Path | None:
    """Return the file of a model; None for built-in models and objects in memory."""
    if isinstance(source, Checkpoint) or str(source) in builtin_models():
        return None
    return Path(source).absolute()


def _distinct_names(
    paths: Sequence[Path | None], checkpoints: Sequence[Checkpoint]
) -> list[str]:
    """Make names unique by adding folders and, if necessary, numbers."""
    taken = {"noisy", *BASELINES}
    names = []
    for path, checkpoint in zip(paths, checkpoints, strict=True):
        name = checkpoint.name if path is None else _shortest_suffix(path, paths)
        unique, number = name, 1
        while unique in taken:
            number += 1
            unique = f"{name} ({number})"
        taken.add(unique)
        names.append(unique)
    return names


def _shortest_suffix(path: Path, paths: Sequence[Path | None]) -> str:
    """Return the shortest end of a path that no other path shares."""
    others = [other.parts for other in paths if other not in (None, path)]
    for depth in range(1, len(path.parts)):
        suffix = path.parts[-depth:]
        if all(parts[-depth:] != suffix for parts in others):
            return "/".join(suffix)
    return str(path)
