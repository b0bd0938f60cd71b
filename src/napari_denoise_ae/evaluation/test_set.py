"""The test set of a model: the images of CIFAR-10 that it was not trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..denoising.denoiser import Denoiser
from ..errors import InvalidInputError
from ..io.cifar10 import CIFAR10, load_test_images
from ..models.config import N_CIFAR10_TEST
from .scoring import score_together

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from threading import Event

    from numpy.typing import NDArray

    from ..models.checkpoint import Checkpoint
    from ..models.devices import DeviceChoice
    from .score import Score, ScoringProgress

    Images = Iterable[NDArray[Any]]


def count_test_images(checkpoint: Checkpoint) -> int:
    """Return the size of a model's test set.

    The test set is the first images of CIFAR-10's own test set. The images after them
    were used to train or validate the model.

    Parameters
    ----------
    checkpoint : Checkpoint
        The model.

    Returns
    -------
    int
        Number of images; 10,000 if the model was trained on other or unknown images.
    """
    record = checkpoint.record
    if record is None or not record.dataset.startswith(CIFAR10):
        return N_CIFAR10_TEST
    return record.config.n_test


def score_test_set(
    checkpoint: Checkpoint,
    folder: str | Path,
    device: DeviceChoice,
    *,
    stop: Event | None = None,
) -> Iterator[ScoringProgress | Score]:
    """Score a model on its test set with the noise that it was trained for.

    Parameters
    ----------
    checkpoint : Checkpoint
        A model that was trained on CIFAR-10.
    folder : path
        Folder that contains CIFAR-10's ``cifar-10-batches-py``.
    device : DeviceChoice
        Device to compute on.
    stop : threading.Event, optional
        Set it from any thread to end scoring without a score.

    Yields
    ------
    ScoringProgress or Score
        Progress after each batch of images, then the scores of the noisy and the
        denoised images.

    Raises
    ------
    InvalidInputError
        If the model was not trained on CIFAR-10.
    DatasetError
        If the data is missing or damaged.
    """
    record = checkpoint.record
    if record is None or not record.dataset.startswith(CIFAR10):
        raise InvalidInputError(
            f"The model {checkpoint.name!r} was not trained on CIFAR-10, so it has no "
            "test set. Evaluate it on a folder of suitable images instead."
        )
    images = load_test_images(folder, n_test=record.config.n_test).images
    denoiser = Denoiser(checkpoint, device)
    yield from score_together(images, denoiser, record.config.noise, stop=stop)
