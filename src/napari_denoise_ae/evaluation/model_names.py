"""Load the models of a comparison under unique names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..denoising.denoiser import Denoiser
from ..errors import InvalidInputError
from ..image.intensity_rule import UNCHANGED
from ..models.builtin import DEFAULT_MODEL, builtin_models
from ..models.checkpoint import Checkpoint
from ..models.load import load_fitting
from .baselines import BASELINES
from .fitting import FittingDenoiser, denoisers_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ..models.devices import DeviceChoice
    from .fitting import ScoredModel


def load_models(
    sources: Sequence[str | Path | Checkpoint],
    device: DeviceChoice,
    *,
    colors: Collection[int] = (3,),
) -> dict[str, ScoredModel]:
    """Load models under names that are unique among all scored methods.

    Parameters
    ----------
    sources : sequence of str, path, or Checkpoint
        At least one model; see `denoise`.
    device : DeviceChoice
        Device to compute on.
    colors : collection of int
        Numbers of colors of the images to score on. If there are several, the model
        ``auto`` stands for the models that fit them, see `fitting_model`.

    Returns
    -------
    dict of str to ScoredModel
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
    loaded = [_load(source, device, colors) for source in sources]
    names = [
        " and ".join(each.checkpoint.name for each in denoisers_of(model))
        for model in loaded
    ]
    unique = _distinct_names([_path_of(source) for source in sources], names)
    return dict(zip(unique, loaded, strict=True))


def _load(
    source: str | Path | Checkpoint, device: DeviceChoice, colors: Collection[int]
) -> ScoredModel:
    if source == DEFAULT_MODEL and len(colors) > 1:
        return FittingDenoiser(
            {n: Denoiser(load_fitting(source, n), device) for n in sorted(colors)}
        )
    denoiser = Denoiser(load_fitting(source, max(colors)), device)
    rule = denoiser.network.intensity_rule
    if rule is not None and rule.kind == UNCHANGED:
        raise InvalidInputError(
            f"{denoiser.checkpoint.name} takes intensities in the units that it was "
            "trained on, but images are scored with intensities of 0 to 1. Denoise "
            "the images with it, and score the results."
        )
    return denoiser


def _path_of(source: str | Path | Checkpoint) -> Path | None:
    """Return the file of a model; None for built-in models and objects in memory."""
    if isinstance(source, Checkpoint):
        return None
    if str(source) in (DEFAULT_MODEL, *builtin_models()):
        return None
    return Path(source).absolute()


def _distinct_names(paths: Sequence[Path | None], given: Sequence[str]) -> list[str]:
    """Make names unique by adding folders and, if necessary, numbers."""
    taken = {"noisy", *BASELINES}
    names = []
    for path, own in zip(paths, given, strict=True):
        name = own if path is None else _shortest_suffix(path, paths)
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
