"""Compare a result with a clean image, or with repeats of the noisy one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from ..metrics import psnr, ssim
from .maps import block_means
from .report import FINE, LOOK_CLOSER, Finding
from .rings import FREQUENCIES, N_RINGS, ring_sums, spectrum
from .transfer import taper

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ...image.planes import Planes

    Pixels = NDArray[np.float64]

# Two results agree up to the frequency at which their correlation falls below this.
_AGREEMENT = 1 / 7
_DEVIATIONS = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Others:
    """Other images of the same field.

    Parameters
    ----------
    clean : Planes, optional
        The clean image, if it is known.
    repeats : sequence of Planes
        Other noisy images.
    """

    clean: Planes | None = None
    repeats: Sequence[Planes] = ()

    @property
    def all(self) -> list[Planes]:
        """All of them."""
        return [*self.repeats, *([] if self.clean is None else [self.clean])]


def compare_with_clean(
    denoised: Sequence[Pixels], clean: Sequence[Pixels], data_range: tuple[float, float]
) -> Finding:
    """Compare the windows of a result with those of a clean image.

    Parameters
    ----------
    denoised, clean : sequence of numpy.ndarray
        The windows, (Y, X, channels).
    data_range : tuple of float
        For PSNR and SSIM.
    """
    width = data_range[1] - data_range[0]
    errors = [np.square(a - b) for a, b in zip(denoised, clean, strict=True)]
    error = math.sqrt(float(np.mean([each.mean() for each in errors])))
    scores = [
        (psnr(b, a, data_range=width), ssim(b, a, data_range=width, channel_axis=-1))
        for a, b in zip(denoised, clean, strict=True)
    ]
    psnr_mean, ssim_mean = (float(each) for each in np.mean(scores, axis=0))
    return Finding(
        name="reference",
        sentence=f"Compared with the clean image: error {error:.3g}, PSNR "
        f"{psnr_mean:.2f} dB, SSIM {ssim_mean:.3f}.",
        validity="Noise of the clean image counts as an error of the result.",
        figures={
            "reference_error": error,
            "reference_psnr": psnr_mean,
            "reference_ssim": ssim_mean,
        },
    )


def compare_with_repeats(
    denoised: Sequence[Pixels],
    repeats: Sequence[Sequence[Pixels]],
    denoised_repeat: Sequence[Pixels],
    pixel_size: tuple[float, str] | None,
) -> Finding:
    """Compare the windows of a result with repeats of the noisy image.

    Parameters
    ----------
    denoised : sequence of numpy.ndarray
        The windows of the result, (Y, X, channels).
    repeats : sequence of sequence of numpy.ndarray
        For each other noisy image of the same field, its windows.
    denoised_repeat : sequence of numpy.ndarray
        The windows of the first repeat, denoised.
    pixel_size : tuple or None
        Size of a pixel and its unit.

    Notes
    -----
    The noise of two repeats x and z is independent of each other and of the result h,
    so that the mean of (h - x) (h - z) is the mean squared error of h, whatever the
    noise. The correlation of two results in rings of frequency shows up to where
    details are reproduced.
    """
    period = _agreement(denoised, denoised_repeat)
    size, unit = pixel_size or (1.0, "pixels")
    sentences = [f"Two repeats agree down to a period of {size * period:.3g} {unit}"]
    figures: dict[str, float | str] = {"agreement_period": size * period}
    if len(repeats) > 1:
        mse, error = _mean_product(denoised, repeats)
        low, high = (math.sqrt(max(mse + sign * error, 0.0)) for sign in (-1, 1))
        figures |= {"repeats_error_low": low, "repeats_error_high": high}
        sentences.append(f"the error of a pixel is {low:.3g} to {high:.3g}")
    if math.isnan(period):
        sentences[0] = "Two repeats do not agree at any frequency"
    return Finding(
        name="repeats",
        sentence="; ".join(sentences) + ".",
        light=LOOK_CLOSER if math.isnan(period) else FINE,
        validity="Whatever moved or bleached between the repeats counts as an error. "
        "What the model does to every repeat in the same way is not noticed.",
        figures=figures,
    )


def _mean_product(
    denoised: Sequence[Pixels], repeats: Sequence[Sequence[Pixels]]
) -> tuple[float, float]:
    """Return the mean squared error and twice its standard error."""
    blocks = []
    for number, result in enumerate(denoised):
        differences = [result - repeat[number] for repeat in repeats]
        products = [a * b for a, b in combinations(differences, 2)]
        product = np.mean(products, axis=0)
        blocks.append(block_means(product, np.isfinite(product)).ravel())
    values = np.concatenate(blocks)
    values = values[np.isfinite(values)]
    deviation = float(values.std(ddof=1)) / math.sqrt(len(values))
    return float(values.mean()), _DEVIATIONS * deviation


def _agreement(one: Sequence[Pixels], other: Sequence[Pixels]) -> float:
    """Return the finest period, in pixels, at which two results agree."""
    sums = np.zeros((3, N_RINGS))
    for pair in zip(one, other, strict=True):
        shape = pair[0].shape
        middle = np.nanmean(pair[0], axis=(0, 1))
        first, second = (
            spectrum(np.nan_to_num(image - middle) * taper(shape)) for image in pair
        )
        products = ((first, second), (first, first), (second, second))
        sums += [ring_sums(a, b, shape) for a, b in products]
    correlation = sums[0] / np.sqrt(np.maximum(sums[1] * sums[2], 1e-300))
    agrees = correlation >= _AGREEMENT
    end = N_RINGS if agrees.all() else int(np.argmin(agrees))
    return math.nan if end == 0 else float(1 / FREQUENCIES[end - 1])
