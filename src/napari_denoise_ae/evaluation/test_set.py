"""The images of CIFAR-10 that a model was not trained on, and what it makes of them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from ..denoising.denoiser import Denoiser
from ..errors import InvalidInputError
from ..image.intensity import IntensityRange
from ..io.cifar10 import CIFAR10, load_test_images
from ..models.config import N_CIFAR10_TEST
from .figures import save_panels
from .metrics import psnr
from .pairs import noisy_pairs
from .scoring import denoise_together, score_together

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from threading import Event
    from typing import Any

    from numpy.typing import NDArray

    from ..models.checkpoint import Checkpoint
    from ..models.devices import DeviceChoice
    from ..training.run import TrainingRun
    from ..training.trainer import Trainer
    from .scoring import Score, ScoringProgress

    Images = Iterable[NDArray[Any]]

# Images in the gallery of a run.
_N_GALLERY = 8
_UNIT = IntensityRange(0.0, 1.0)


def count_held_out(checkpoint: Checkpoint) -> int:
    """Return how many of CIFAR-10's test images, from the first on, are held out.

    Those after them have trained or validated the model. All are held out for a
    model that was trained on other images, or on nobody knows what.
    """
    record = checkpoint.record
    if record is None or not record.dataset.startswith(CIFAR10):
        return N_CIFAR10_TEST
    return record.config.n_test


def score_test_part(
    checkpoint: Checkpoint,
    folder: str | Path,
    device: DeviceChoice,
    *,
    stop: Event | None = None,
) -> Iterator[ScoringProgress | Score]:
    """Score a model on its test part, with the noise that it was trained for.

    Parameters
    ----------
    checkpoint : Checkpoint
        A model that was trained on CIFAR-10.
    folder : path
        The folder that holds CIFAR-10's ``cifar-10-batches-py``.
    device : DeviceChoice
        Where to compute.
    stop : threading.Event, optional
        Once it is set, by whichever thread, scoring ends without a score.

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
            "test part. Score it on images of its kind instead."
        )
    images = load_test_images(folder, n_test=record.config.n_test).images
    denoiser = Denoiser(checkpoint, device)
    yield from score_together(images, denoiser, record.config.noise, stop=stop)


def save_gallery(run: TrainingRun, folder: str | Path | None) -> None:
    """Draw what the best epoch of a run makes of a few images.

    Parameters
    ----------
    run : TrainingRun
        The run; there must be a finished epoch.
    folder : path, optional
        The folder that holds CIFAR-10: the first images of the test part are
        drawn. None means images in memory, which have no test part: the first
        validation images are drawn.

    Raises
    ------
    DatasetError
        If the data is not there, or is damaged.
    OutputError
        If the file cannot be written.
    """
    trainer = run.trainer
    # That of a run that was overwritten must not be taken for this one's.
    with suppress(OSError):
        run.files.gallery.unlink(missing_ok=True)
    noisy, clean = _noisy_and_clean(trainer, folder)
    denoiser = Denoiser(trainer.checkpoint(), trainer.device)
    # One by one: images in memory may be large.
    denoised = [denoise_together(image[np.newaxis], denoiser)[0] for image in noisy]
    rows = {"noisy": list(noisy), "denoised": denoised, "clean": list(clean)}
    save_panels(
        [[_picture(image) for image in images] for images in rows.values()],
        [""] * len(clean),
        run.files.gallery,
        intensity_range=_UNIT,
        row_titles=list(rows),
        captions=[_captions(images, clean) for images in (noisy, denoised)],
        panel_width=1.6,
    )


def _noisy_and_clean(
    trainer: Trainer, folder: str | Path | None
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return a few noisy images and their truth, (N, Y, X, channels) in [0, 1]."""
    if folder is None:
        noisy, _, clean = trainer.example_images(_N_GALLERY)
        return noisy, clean
    n_images = min(_N_GALLERY, trainer.config.n_test)
    images = load_test_images(folder, n_test=n_images).images
    # Drawn as for the scores of the test part.
    pairs = noisy_pairs(list(images), trainer.config.noise, seed=0)
    return (
        np.stack([pair.input_range.to_unit(pair.noisy) for pair in pairs]),
        np.stack([pair.data_range.to_unit(pair.clean) for pair in pairs]),
    )


def _captions(
    images: Iterable[NDArray[Any]], clean: Iterable[NDArray[Any]]
) -> list[str]:
    figures = [
        psnr(true, np.clip(image, 0.0, 1.0), data_range=1.0)
        for true, image in zip(clean, images, strict=True)
    ]
    return [f"{figure:.1f} dB" for figure in figures]


def _picture(image: NDArray[np.float64]) -> NDArray[np.float64]:
    return image if image.shape[-1] == 3 else image[..., 0]
