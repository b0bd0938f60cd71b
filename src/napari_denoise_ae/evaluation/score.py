"""The score of a denoising method on a set of images."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Score:
    """The score of one method on a set of images.

    Parameters
    ----------
    method : str
        Name of a model or a baseline, or ``"noisy"`` for the noisy images.
    noise : str
        Noise that was added, or ``"real"``.
    n : int
        Number of images.
    psnr_mean, psnr_std : float
        Mean and standard deviation of the PSNR over the images, in dB.
    ssim_mean, ssim_std : float
        Mean and standard deviation of the SSIM over the images.
    seconds_per_image : float
        Median time per image in seconds, without loading the model; the mean time
        if images were denoised in batches.
    parameter : float or None
        Parameter of a baseline: the value from a small grid with the highest mean
        PSNR on the first 16 images. Using the clean images favors the baseline.
        None for other methods.
    n_parameters : int or None
        Number of parameters of a model; None for other methods.
    """

    method: str
    noise: str
    n: int
    psnr_mean: float
    psnr_std: float
    ssim_mean: float
    ssim_std: float
    seconds_per_image: float
    parameter: float | None = None
    n_parameters: int | None = None

    def as_record(self) -> dict[str, Any]:
        """Return the fields as a dict for JSON: NaN and infinity become None."""
        return {
            key: None
            if isinstance(value, float) and not math.isfinite(value)
            else value
            for key, value in asdict(self).items()
        }


@dataclass(frozen=True, slots=True)
class ScoringProgress:
    """The number of images scored so far, and of all images."""

    done: int
    total: int


def summarize(
    name: str,
    noise: str,
    psnrs: Sequence[float],
    ssims: Sequence[float],
    seconds_per_image: float,
) -> Score:
    """Summarize the PSNR and SSIM of each image as a score.

    Parameters
    ----------
    name, noise : str
        Names of the method and of the noise.
    psnrs, ssims : sequence of float
        PSNR in dB and SSIM of each image, at least one.
    seconds_per_image : float
        Time per image, in seconds.

    Returns
    -------
    Score
        The score, with None for `parameter` and `n_parameters`.
    """
    return Score(
        method=name,
        noise=noise,
        n=len(psnrs),
        psnr_mean=float(np.mean(psnrs)),
        psnr_std=_standard_deviation(psnrs),
        ssim_mean=float(np.mean(ssims)),
        ssim_std=_standard_deviation(ssims),
        seconds_per_image=seconds_per_image,
    )


def _standard_deviation(values: Sequence[float]) -> float:
    # The PSNR of identical images is infinite.
    return float(np.std(values)) if np.isfinite(values).all() else math.nan
