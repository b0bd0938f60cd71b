"""A picture of test images, noisy and denoised, at the end of a run."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from ..denoising.denoiser import Denoiser
from ..evaluation.apply import denoise_together
from ..evaluation.figures import save_panels
from ..evaluation.metrics import psnr
from ..evaluation.pairs import noisy_pairs
from ..image.intensity import IntensityRange
from ..io.cifar10 import load_test_images

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from .run import TrainingRun
    from .trainer import Trainer

# Images in the gallery of a run.
_N_GALLERY = 8
_UNIT = IntensityRange(0.0, 1.0)


def save_gallery(run: TrainingRun, folder: str | Path | None) -> None:
    """Draw what the best epoch of a run makes of a few images.

    Parameters
    ----------
    run : TrainingRun
        The run; there must be a finished epoch.
    folder : path, optional
        The folder that holds CIFAR-10: the first images of the test set are
        drawn. None means images in memory, which have no test set: the first
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
    # Drawn as for the scores of the test set.
    pairs = noisy_pairs(list(images), trainer.config.noise, seed=0)
    return (
        np.stack([pair.input_range.normalize(pair.noisy) for pair in pairs]),
        np.stack([pair.data_range.normalize(pair.clean) for pair in pairs]),
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
