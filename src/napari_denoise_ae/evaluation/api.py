"""Evaluate and compare models from Python."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DenoiseAEWarning
from ..io.atomic import require_replaces_nothing
from ..models.builtin import DEFAULT_MODEL
from ..models.checkpoint import Checkpoint
from .comparison_figure import require_figure
from .run import Evaluation
from .tasks import COMPARED_IMAGES, Cifar10Images

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .score import Score


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
        Noise to add, as a fraction of the range. None means the noise that the
        model was trained for, or ``"gaussian:0.5"`` if that is unknown.
    limit : int, optional
        Use the first `limit` images. None means all that the model was not
        trained on, see `TrainingConfig.n_test`.
    seed : int
        Seed of the noise.
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
        used. A limit is too large if the model was trained on some of the images.
    """
    images = Cifar10Images(folder=data, noise=noise, limit=limit, seed=seed)
    evaluation = Evaluation([model], images, device=device)
    for message in evaluation.misfits():
        warnings.warn(message, DenoiseAEWarning, stacklevel=2)
    return list(evaluation)


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
        Noise to add. None means the noise that the models were trained for,
        if it is the same for all.
    limit : int, optional
        Use the first `limit` images. None means 1,000, or all that none of
        the models was trained on if there are fewer.
    seed : int
        Seed of the noise.
    device : str
        See `denoise`.
    baselines : bool
        Whether to score classical denoisers too.
    figure : path, optional
        PNG file to write, with a few images: noisy, as each model denoises
        them, and clean.

    Returns
    -------
    list of Score
        One for the noisy images, one for each model, one for each baseline.
        Models of the same name are told apart by their folders or by numbers.

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
    images = Cifar10Images(
        folder=data, noise=noise, limit=limit, most=COMPARED_IMAGES, seed=seed
    )
    evaluation = Evaluation(models, images, device=device, baselines=baselines)
    for message in evaluation.misfits():
        warnings.warn(message, DenoiseAEWarning, stacklevel=2)
    scores = list(evaluation)
    if figure is not None:
        evaluation.save_figure(Path(figure))
    return scores
