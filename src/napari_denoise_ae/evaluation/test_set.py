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
    """Return how many of CIFAR-10's test images, from the first on, are the test set.

    Those after them have trained or validated the model. A model that was trained on
    other or unknown images can be tested on all.
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
    """Score a model on its test set, with the noise that it was trained for.

    Parameters
    ----------
    checkpoint : Checkpoint
        A model that was trained on CIFAR-10.
    folder : path
        The folder that holds CIFAR-10's ``cifar-10-batches-py``.
    device : DeviceChoice
        Where to compute.
    stop : threading.Event, optional
        Once it is set, by any thread, scoring ends without a score.

    Yields
    ------
    ScoringProgress or Score
        Progress every few hundred images; at the end the scores of the noisy
        and of the denoised images.

    Raises
    ------
    InvalidInputError
        If the model was not trained on CIFAR-10.
    DatasetError
        If the data is not there, or is damaged.
    """
    record = checkpoint.record
    if record is None or not record.dataset.startswith(CIFAR10):
        raise InvalidInputError(
            f"The model {checkpoint.name!r} was not trained on CIFAR-10, so it has no "
            "test set. Score it on images of its kind instead."
        )
    images = load_test_images(folder, n_test=record.config.n_test).images
    denoiser = Denoiser(checkpoint, device)
    yield from score_together(images, denoiser, record.config.noise, stop=stop)
