"""Load the models of a comparison and give each a name of its own."""

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
    """Load models, each under a name that no other method has.

    Parameters
    ----------
    sources : sequence of str, path or Checkpoint
        At least one; see `denoise`.
    device : DeviceChoice
        Where to compute.
    n_colors : int
        Colors of the images to score on, see `fitting_model`.

    Returns
    -------
    dict
        The models by name, in the order given.

    Raises
    ------
    InvalidInputError
        If there is none.
    CheckpointError
        If one cannot be loaded.
    """
    if isinstance(sources, (str, Path, Checkpoint)) or not sources:
        raise InvalidInputError(
            f"Give a list of at least one model to compare, got {sources!r}."
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
    """Return the file that a model is from; None if it is from none."""
    if isinstance(source, Checkpoint) or str(source) in builtin_models():
        return None
    return Path(source).absolute()


def _distinct_names(
    paths: Sequence[Path | None], checkpoints: Sequence[Checkpoint]
) -> list[str]:
    """Tell models of one name apart by their folders, and if need be by numbers."""
    taken = {"noisy", *BASELINES}
    names = []
    for path, checkpoint in zip(paths, checkpoints, strict=True):
        name = checkpoint.name if path is None else _shortest_tail(path, paths)
        unique, number = name, 1
        while unique in taken:
            number += 1
            unique = f"{name} ({number})"
        taken.add(unique)
        names.append(unique)
    return names


def _shortest_tail(path: Path, paths: Sequence[Path | None]) -> str:
    """Return as much of a path's end as none of the others has."""
    others = [other.parts for other in paths if other not in (None, path)]
    for depth in range(1, len(path.parts)):
        tail = path.parts[-depth:]
        if all(parts[-depth:] != tail for parts in others):
            return "/".join(tail)
    return str(path)
