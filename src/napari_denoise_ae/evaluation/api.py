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
    measured: bool = False,
    device: str = "auto",
) -> list[Score]:
    """Score a model and the baselines on the test images of CIFAR-10.

    Parameters
    ----------
    data : path
        Folder that contains CIFAR-10's ``cifar-10-batches-py``.
    model : str, path, or Checkpoint
        See `denoise`.
    noise : str, optional
        Synthetic noise to add, as a fraction of the intensity range. None means the
        noise that the model was trained for, or ``"gaussian:0.5"`` if it is unknown.
    limit : int, optional
        Number of images, from the first on. None means all images that the model
        was not trained on, see `TrainingConfig.n_test`.
    seed : int
        Random seed of the noise, 0 or more.
    measured : bool
        Whether models that take a noise level measure it in each image, as
        `denoise` does by default. By default they are given the level of the noise
        that is added, where it is known: that of white, unclipped Gaussian noise.
    device : str
        See `denoise`.

    Returns
    -------
    list of Score
        Scores of the noisy images, the model, and each baseline.

    Warns
    -----
    DenoiseAEWarning
        If the model was trained for different noise.

    Raises
    ------
    InvalidInputError, DatasetError, CheckpointError, DeviceError
        If the noise, the limit, the data, the model, or the device is invalid. The
        limit must not exceed the number of images that the model was not trained on.
    """
    images = Cifar10Images(
        folder=data, noise=noise, limit=limit, seed=seed, measured=measured
    )
    evaluation = Evaluation([model], images, device=device)
    for message in evaluation.find_incompatibilities():
        warnings.warn(message, DenoiseAEWarning, stacklevel=2)
    return list(evaluation)


def compare_models(  # noqa: PLR0913 - keywords of a public function
    models: Sequence[str | Path | Checkpoint],
    data: str | Path,
    *,
    noise: str | None = None,
    limit: int | None = None,
    seed: int = 0,
    measured: bool = False,
    device: str = "auto",
    baselines: bool = True,
    figure: str | Path | None = None,
) -> list[Score]:
    """Score models and the baselines on the same noisy test images of CIFAR-10.

    Parameters
    ----------
    models : sequence of str, path, or Checkpoint
        At least one model; see `denoise`.
    data : path
        Folder that contains CIFAR-10's ``cifar-10-batches-py``.
    noise : str, optional
        Synthetic noise to add. None means the noise that the models were trained
        for, which must be the same for all.
    limit : int, optional
        Number of images, from the first on. None means 1,000, or all images that
        none of the models was trained on if there are fewer.
    seed : int
        Random seed of the noise, 0 or more.
    measured : bool
        Whether models that take a noise level measure it in each image, as
        `denoise` does by default. By default they are given the level of the noise
        that is added, where it is known: that of white, unclipped Gaussian noise.
    device : str
        See `denoise`.
    baselines : bool
        Whether to score classical denoisers as well.
    figure : path, optional
        PNG file to write. It shows a few images: noisy, denoised by each model,
        and clean.

    Returns
    -------
    list of Score
        Scores of the noisy images, each model, and each baseline. Folders or
        numbers are added to names that are not unique.

    Warns
    -----
    DenoiseAEWarning
        If a model was trained for different noise.

    Raises
    ------
    InvalidInputError, DatasetError, CheckpointError, DeviceError, OutputError
        If the noise, the limit, the data, a model, the device, or the figure is
        invalid.

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
        folder=data,
        noise=noise,
        limit=limit,
        max_images=COMPARED_IMAGES,
        seed=seed,
        measured=measured,
    )
    evaluation = Evaluation(models, images, device=device, baselines=baselines)
    for message in evaluation.find_incompatibilities():
        warnings.warn(message, DenoiseAEWarning, stacklevel=2)
    scores = list(evaluation)
    if figure is not None:
        evaluation.save_figure(Path(figure))
    return scores
