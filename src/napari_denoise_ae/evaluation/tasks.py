"""Models and classical denoisers, scored on images that none of the models has seen."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..denoising.api import Denoising
from ..denoising.compatibility import find_noise_misfit, relative_noise
from ..denoising.denoiser import Denoiser
from ..errors import DenoiseAEWarning, InvalidInputError
from ..io.atomic import require_replaces_nothing
from ..io.cifar10 import load_test_images
from ..models.builtin import DEFAULT_MODEL, builtin_models, fitting_model
from ..models.checkpoint import Checkpoint, load_fitting
from ..models.config import N_CIFAR10_TEST
from ..models.devices import choose_device
from ..noise.normalization import NoiseSetting, setting_of
from ..noise.synthetic import Composed, parse_noise
from .baselines import BASELINES
from .comparison_figure import require_figure, save_comparison
from .pairs import noisy_pairs, plane_axes, read_clean_images, real_pairs
from .scoring import score_methods
from .test_set import count_held_out

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from ..models.devices import DeviceChoice
    from .pairs import Pair
    from .scoring import Score

#: Images that models are compared on where no limit is given.
COMPARED_IMAGES = 1000
# Where no model says what it was trained for.
_FALLBACK_NOISE = "gaussian:0.5"
# Images whose noise is measured, and the share of them that may not fit.
_N_NOISE_IMAGES = 64
_MISFITS_ALLOWED = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What methods are scored on.

    Parameters
    ----------
    pairs : list of Pair
        Noisy images and their truth.
    noise : str
        The noise that was added, or ``"real"``.
    origin : str
        How many images these are and where they are from, for a user to read.
    setting : NoiseSetting
        What models that take a noise level are told, relative to the images'
        intensity range.
    """

    pairs: list[Pair]
    noise: str
    origin: str
    setting: NoiseSetting


def evaluate(
    data: str | Path,
    *,
    model: str | Path | Checkpoint = DEFAULT_MODEL,
    noise: str | None = None,
    limit: int | None = None,
    seed: int = 0,
    device: str = "auto",
) -> list[Score]:
    """Score a model and the baselines on the test images of CIFAR-10.

    Parameters
    ----------
    data : path
        The folder that holds CIFAR-10's ``cifar-10-batches-py``.
    model : str, path or Checkpoint
        See `denoise`.
    noise : str, optional
        Noise to add, as a fraction of the range; None means that which the
        model was trained for, or ``"gaussian:0.5"`` if it does not say.
    limit : int, optional
        Take the first `limit` images; None means all that the model was not
        trained on, see `TrainingConfig.n_test`.
    seed : int
        Decides the noise.
    device : str
        See `denoise`.

    Returns
    -------
    list of Score
        One for the noisy images, one for the model, one for each baseline.

    Warns
    -----
    DenoiseAEWarning
        If the model was trained for other noise.

    Raises
    ------
    InvalidInputError, DatasetError, CheckpointError, DeviceError
        If the noise, the limit, the data, the model or the device cannot be
        used. The limit cannot be used if the model was trained on some of the
        images.
    """
    models = load_models([model], choose_device(device))
    task = cifar10_task(data, models, noise=noise, limit=limit, seed=seed)
    for message in find_misfits(task, models):
        warnings.warn(message, DenoiseAEWarning, stacklevel=2)
    return list(score_methods(task.pairs, models, task.noise, setting=task.setting))


def compare_models(
    models: Sequence[str | Path | Checkpoint],
    data: str | Path,
    *,
    noise: str | None = None,
    limit: int | None = None,
    seed: int = 0,
    device: str = "auto",
    baselines: bool = True,
    figure: str | Path | None = None,
) -> list[Score]:
    """Score models and the baselines on the same noisy test images of CIFAR-10.

    Parameters
    ----------
    models : sequence of str, path or Checkpoint
        At least one; see `denoise`.
    data : path
        The folder that holds CIFAR-10's ``cifar-10-batches-py``.
    noise : str, optional
        Noise to add; None means that which the models were trained for, if
        they agree.
    limit : int, optional
        Take the first `limit` images; None means 1,000, or all that none of
        the models was trained on if they are fewer.
    seed : int
        Decides the noise.
    device : str
        See `denoise`.
    baselines : bool
        Whether classical denoisers are scored too.
    figure : path, optional
        PNG to draw a few images in, noisy, as each model denoises them, and
        clean.

    Returns
    -------
    list of Score
        One for the noisy images, one for each model, one for each baseline.
        Models of one name are told apart by their folders or by numbers.

    Warns
    -----
    DenoiseAEWarning
        If a model was trained for other noise.

    Raises
    ------
    InvalidInputError, DatasetError, CheckpointError, DeviceError, OutputError
        If the noise, the limit, the data, a model, the device or the figure
        cannot be used.

    Examples
    --------
    >>> scores = compare_models(
    ...     ["conv", "mine.pt"], "data", noise="gaussian:0.5"
    ... )  # doctest: +SKIP
    """
    if figure is not None:
        require_figure(Path(figure))
        require_replaces_nothing(
            Path(figure), [m for m in models if not isinstance(m, Checkpoint)]
        )
    denoisers = load_models(models, choose_device(device))
    task = cifar10_task(
        data, denoisers, noise=noise, limit=limit, most=COMPARED_IMAGES, seed=seed
    )
    for message in find_misfits(task, denoisers):
        warnings.warn(message, DenoiseAEWarning, stacklevel=2)
    scores = list(
        score_methods(
            task.pairs,
            denoisers,
            task.noise,
            baselines=baselines,
            setting=task.setting,
        )
    )
    if figure is not None:
        save_comparison(task.pairs, denoisers, scores, Path(figure), task.setting)
    return scores


def load_models(
    sources: Sequence[str | Path | Checkpoint],
    device: DeviceChoice,
    *,
    n_colours: int = 3,
) -> dict[str, Denoiser]:
    """Load models, each under a name that no other method has.

    Parameters
    ----------
    sources : sequence of str, path or Checkpoint
        At least one; see `denoise`.
    device : DeviceChoice
        Where to compute.
    n_colours : int
        Colours of the images to score on, see `fitting_model`.

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
        else fitting_model(str(source), n_colours)
        for source in sources
    ]
    loaded = [load_fitting(source, n_colours) for source in fitting]
    names = _distinct_names([_path_of(source) for source in fitting], loaded)
    return {
        name: Denoiser(checkpoint, device)
        for name, checkpoint in zip(names, loaded, strict=True)
    }


def cifar10_task(
    folder: str | Path,
    models: Mapping[str, Denoiser],
    *,
    noise: str | None = None,
    limit: int | None = None,
    most: int | None = None,
    seed: int = 0,
) -> Task:
    """Take test images of CIFAR-10 that none of the models was trained on.

    Parameters
    ----------
    folder : path
        The folder that holds ``cifar-10-batches-py``.
    models : mapping
        The models by name.
    noise : str, optional
        Noise to add, see `compare_models`.
    limit : int, optional
        Take the first `limit` images.
    most : int, optional
        Take no more than these if no limit is given.
    seed : int
        Decides the noise.

    Raises
    ------
    InvalidInputError, DatasetError
        If the noise, the limit or the data cannot be used.
    """
    noise = _choose_noise(models, noise)
    counts = {name: count_held_out(m.checkpoint) for name, m in models.items()}
    strictest = min(counts, key=counts.__getitem__)
    images = load_test_images(folder, n_test=counts[strictest]).images
    if limit is not None and limit > len(images):
        reason = "there are no more test images"
        if len(images) == counts[strictest] < N_CIFAR10_TEST:
            reason = f"the model {strictest!r} was trained on the others"
        raise InvalidInputError(
            f"limit must be at most {len(images):,} for the test images of CIFAR-10, "
            f"since {reason}; got {limit}."
        )
    pairs = noisy_pairs(
        list(images), noise, seed=seed, limit=most if limit is None else limit
    )
    _require_fitting(pairs, models)
    origin = _describe_origin(len(pairs), len(images), models)
    return Task(pairs, noise, origin, setting_of(parse_noise(noise)))


def folder_task(
    folder: Path,
    models: Mapping[str, Denoiser],
    *,
    noise: str | None = None,
    limit: int | None = None,
    most: int | None = None,
    seed: int = 0,
) -> Task:
    """Take the clean images of a folder; see `cifar10_task`."""
    noise = _choose_noise(models, noise)
    images = read_clean_images(folder)
    pairs = noisy_pairs(
        images, noise, seed=seed, limit=most if limit is None else limit
    )
    _require_fitting(pairs, models)
    which = "all" if len(pairs) == len(images) else f"the first of {len(images):,}"
    origin = f"{len(pairs):,}, {which} in {folder}"
    return Task(pairs, noise, origin, setting_of(parse_noise(noise)))


def pair_task(
    noisy: NDArray[Any],
    reference: NDArray[Any],
    models: Mapping[str, Denoiser],
    data_range: tuple[float, float] | None,
    setting: NoiseSetting | None = None,
) -> Task:
    """Take a real noisy image, or repeats of it, and its reference."""
    pairs = real_pairs(noisy, reference, data_range)
    _require_fitting(pairs, models)
    origin = f"{len(pairs):,} with a reference"
    return Task(pairs, "real", origin, setting or NoiseSetting())


def find_misfits(task: Task, models: Mapping[str, Denoiser]) -> list[str]:
    """Say, in words for a user, which models were trained for other noise.

    Parameters
    ----------
    task : Task
        The noisy images; the noise of the first of them is measured.
    models : mapping
        The models by name.

    Returns
    -------
    list of str
        Empty where all models fit.
    """
    estimates = [
        relative_noise(pair.noisy, pair.input_range)
        for pair in task.pairs[:_N_NOISE_IMAGES]
    ]
    found = []
    for name, denoiser in models.items():
        record = denoiser.checkpoint.record
        if record is None or denoiser.network.takes_noise_level:
            continue
        unfit = [e for e in estimates if find_noise_misfit(e, record, name)]
        if len(unfit) > _MISFITS_ALLOWED * len(estimates):
            # Of a range of noise some images may have too little, some too much.
            more = [e for e in unfit if e > record.noise_estimate[1]]
            side = (
                more if 2 * len(more) > len(unfit) else sorted(set(unfit) - set(more))
            )
            median = float(np.median(side))
            found += find_noise_misfit(median, record, name, several=True)
        elif task.noise != "real":
            found += _find_other_kinds(task.noise, record.config.noise, name)
    return found


def _find_other_kinds(noise: str, trained: str, name: str) -> list[str]:
    """Compare kinds of noise whose strengths are alike."""
    if _kinds(noise) <= _kinds(trained):
        return []
    return [
        f"The model {name!r} was trained for another kind of noise ({trained}) than "
        f"that of these images ({noise}). Use a model that was trained for it."
    ]


def _kinds(noise: str) -> set[str]:
    model = parse_noise(noise)
    parts = model.parts if isinstance(model, Composed) else (model,)
    # With and without clipping they are two tasks; ranges are compared by strength.
    return {",".join([part.name, *part.flags]) for part in parts}


def _choose_noise(models: Mapping[str, Denoiser], noise: str | None) -> str:
    """Return the noise to add, as it is written in full."""
    if noise is not None:
        return str(parse_noise(noise))
    records = {name: m.checkpoint.record for name, m in models.items()}
    own = {name: r.config.noise for name, r in records.items() if r is not None}
    if len(set(own.values())) > 1:
        listed = ", ".join(f"{name}: {text}" for name, text in own.items())
        raise InvalidInputError(
            f"The models were trained for different noise ({listed}). Say by noise "
            "which one to compare them with."
        )
    return next(iter(own.values()), _FALLBACK_NOISE)


def _describe_origin(n: int, n_held_out: int, models: Mapping[str, Denoiser]) -> str:
    """Say how many test images are taken, and why not others."""
    unknown = [name for name, m in models.items() if m.checkpoint.record is None]
    known = [name for name in models if name not in unknown]
    which = "all" if n == n_held_out else f"the first of {n_held_out:,}"
    text = f"{n:,}, {which} test images of CIFAR-10"
    if len(known) > 1:
        text += " that none of the models was trained on"
    elif known:
        text += f" that {known[0]} was not trained on"
    if unknown:
        text += f"; what {' and '.join(unknown)} was trained on is unknown"
    return text


def _require_fitting(pairs: Sequence[Pair], models: Mapping[str, Denoiser]) -> None:
    """Find out before the work whether all models take images of these channels."""
    examples = {pair.noisy.shape[-1]: pair.noisy for pair in pairs}
    for denoiser in models.values():
        for image in examples.values():
            Denoising(image, denoiser, axes=plane_axes(image))


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
