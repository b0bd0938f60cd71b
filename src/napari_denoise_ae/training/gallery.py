"""The gallery of a training run: noisy, denoised, and clean images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..denoising.denoiser import Denoiser
from ..evaluation.apply import denoise_together
from ..evaluation.figures import save_panels
from ..evaluation.metrics import psnr
from ..evaluation.pairs import noisy_pairs
from ..image.intensity import IntensityRange
from ..io.cifar10 import CIFAR10, load_test_images
from ..noise.setting import setting_of
from .results import Examples

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from .trainer import Trainer

_N_IMAGES = 8
_UNIT = IntensityRange(0.0, 1.0)


def denoise_examples(trainer: Trainer, folder: str | Path | None) -> Examples:
    """Denoise a few images with the best epoch of a run.

    Parameters
    ----------
    trainer : Trainer
        The trainer, with at least one finished epoch.
    folder : path, optional
        Folder that contains CIFAR-10, to denoise the first test images. None
        denoises validation images.

    Returns
    -------
    examples : Examples
        Up to 8 images.

    Raises
    ------
    DatasetError
        If the data is missing or damaged.
    """
    if folder is None:
        return trainer.example_images(_N_IMAGES, best=True)
    noisy, clean = _noisy_and_clean(trainer, folder)
    denoiser = Denoiser(trainer.checkpoint(), trainer.device)
    # Passed or estimated as for the scores of the test set, so that both agree.
    setting = setting_of(trainer.config.noise_model)
    denoised = denoise_together(noisy, denoiser, setting)
    return Examples(
        *(np.asarray(images, dtype=np.float32) for images in (noisy, denoised, clean))
    )


def gallery_title(trainer: Trainer, *, is_test: bool) -> str:
    """Say which images the gallery shows, and how its epoch was chosen.

    Parameters
    ----------
    trainer : Trainer
        The trainer, with at least one finished epoch.
    is_test : bool
        Whether it shows test images. Otherwise, it shows validation images.
    """
    config, record = trainer.config, trainer.checkpoint().record
    name = record.dataset if record is not None and not is_test else CIFAR10
    mean = f", mean of {config.smoothing} epochs" if config.smoothing > 1 else ""
    return (
        f"{'Test' if is_test else 'Validation'} images of {name}\n"
        f"epoch {trainer.best_epoch.epoch}, the best by validation loss "
        f"({config.loss}{mean})"
    )


def save_gallery(examples: Examples, path: Path, title: str = "") -> None:
    """Write examples and their PSNR to a PNG file.

    Parameters
    ----------
    examples : Examples
        Images to draw, one column each.
    path : pathlib.Path
        PNG file to write.
    title : str
        The title, see `gallery_title`. Default: none.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    rows = {
        title: [_drop_gray_axis(image) for image in images]
        for title, images in examples._asdict().items()
        if images is not None
    }
    captions: list[list[str]] = []
    if examples.clean is not None:
        captions = [
            _captions(images, examples.clean)
            for images in (examples.noisy, examples.denoised)
        ]
    save_panels(
        list(rows.values()),
        [""] * len(examples.noisy),
        path,
        intensity_range=_UNIT,
        row_titles=list(rows),
        captions=captions,
        panel_width=1.6,
        title=title,
    )


def _noisy_and_clean(
    trainer: Trainer, folder: str | Path
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return noisy and clean test images, (N, Y, X, channels)."""
    n_images = min(_N_IMAGES, trainer.config.n_test)
    images = load_test_images(folder, n_test=n_images).images
    # The seed of the scores, so that the noise is the same.
    pairs = noisy_pairs(list(images), trainer.config.noise, seed=0)
    return (
        np.stack([pair.input_range.normalize(pair.noisy) for pair in pairs]),
        np.stack([pair.data_range.normalize(pair.clean) for pair in pairs]),
    )


def _captions(
    images: Iterable[NDArray[Any]], clean: Iterable[NDArray[Any]]
) -> list[str]:
    values = [
        psnr(true, np.clip(image, 0.0, 1.0), data_range=1.0)
        for true, image in zip(clean, images, strict=True)
    ]
    return [f"{value:.1f} dB" for value in values]


def _drop_gray_axis(image: NDArray[Any]) -> NDArray[Any]:
    return image if image.shape[-1] == 3 else image[..., 0]
