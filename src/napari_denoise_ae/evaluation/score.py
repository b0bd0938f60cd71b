"""Scores: how well a method denoises a set of images."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Score:
    """Score of one method on a set of images.

    Parameters
    ----------
    method : str
        ``"noisy"``, a model's name, or a baseline's.
    noise : str
        The noise that was added, or ``"real"``.
    n : int
        Number of images.
    psnr_mean, psnr_std : float
        Mean and standard deviation of the PSNR over the images, in dB.
    ssim_mean, ssim_std : float
        The same for SSIM.
    seconds_per_image : float
        Median time for an image, without loading the model. Images that are
        scored together share their time equally.
    parameter : float or None
        A baseline's parameter: the one of a small grid with the highest PSNR on
        the first images. The truth is used, which favors the baseline.
    n_parameters : int or None
        A model's parameters; None for methods that are no models.
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
        """Return the fields, with None for what JSON cannot hold (NaN, infinity)."""
        return {
            key: None
            if isinstance(value, float) and not math.isfinite(value)
            else value
            for key, value in asdict(self).items()
        }


@dataclass(frozen=True, slots=True)
class ScoringProgress:
    """Number of images that have been scored, and of all images."""

    done: int
    total: int


def summarize(
    name: str,
    noise: str,
    psnrs: Sequence[float],
    ssims: Sequence[float],
    seconds_per_image: float,
) -> Score:
    """Return the score of a method from its figures for each image."""
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
    # Identical images have an infinite PSNR.
    return float(np.std(values)) if np.isfinite(values).all() else math.nan
