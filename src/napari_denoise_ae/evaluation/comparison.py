"""Compare a noisy and a denoised image with the clean image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..image.axes import color_planes
from .metrics import psnr, ssim

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..image.intensity import IntensityRange


@dataclass(frozen=True, slots=True)
class Comparison:
    """PSNR and SSIM of a noisy and a denoised image.

    For a stack, these are means over its planes.

    Parameters
    ----------
    psnr_noisy, psnr_denoised : float
        In dB; infinite for images equal to the clean image.
    ssim_noisy, ssim_denoised : float
        NaN for planes smaller than 7 pixels.
    data_range : IntensityRange
        Lowest and highest intensity that the clean image can have.
    n_planes : int
        Number of planes.
    """

    psnr_noisy: float
    psnr_denoised: float
    ssim_noisy: float
    ssim_denoised: float
    data_range: IntensityRange
    n_planes: int

    @property
    def psnr_gain(self) -> float:
        """Difference of the PSNRs in dB, as rounded to two decimals for display."""
        return round(self.psnr_denoised, 2) - round(self.psnr_noisy, 2)

    @property
    def ssim_gain(self) -> float:
        """Difference of the SSIMs, as rounded to three decimals for display."""
        return round(self.ssim_denoised, 3) - round(self.ssim_noisy, 3)

    def lines(self) -> list[str]:
        """Return a table, as lines of text for users."""
        rows = [
            ("noisy", _format(self.psnr_noisy, 2), _format(self.ssim_noisy, 3)),
            (
                "denoised",
                _format(self.psnr_denoised, 2),
                _format(self.ssim_denoised, 3),
            ),
            ("gain", _format(self.psnr_gain, 2, "+"), _format(self.ssim_gain, 3, "+")),
        ]
        heading = f"{'':<10}{'PSNR / dB':>11}{'SSIM':>9}"
        table = [f"{name:<10}{first:>11}{second:>9}" for name, first, second in rows]
        note = f"data range {self.data_range}"
        if self.n_planes > 1:
            note += f", means over {self.n_planes} planes"
        return [heading, *table, note]

    def as_record(self) -> dict[str, Any]:
        """Return the figures as JSON values; None for those that are not finite."""
        figures = {
            name: getattr(self, name)
            for name in ("psnr_noisy", "psnr_denoised", "ssim_noisy", "ssim_denoised")
        }
        record = {k: v if math.isfinite(v) else None for k, v in figures.items()}
        data_range = [self.data_range.low, self.data_range.high]
        return record | {"data_range": data_range, "n_planes": self.n_planes}

    def titles(self) -> list[str]:
        """Return titles for the noisy, the denoised and the clean image."""
        return [
            f"noisy, {_format(self.psnr_noisy, 2)} dB",
            f"denoised, {_format(self.psnr_denoised, 2)} dB",
            "clean",
        ]


def compare(
    clean: NDArray[Any],
    noisy: NDArray[Any],
    denoised: NDArray[Any],
    *,
    axes: str,
    data_range: IntensityRange,
) -> Comparison:
    """Compute the PSNR and SSIM of a noisy and a denoised image or stack.

    Parameters
    ----------
    clean, noisy, denoised : numpy.ndarray
        The images, all of one shape. Alpha is ignored.
    axes : str
        Axes of the images, see `resolve_axes`.
    data_range : IntensityRange
        Lowest and highest intensity that the clean image can have.

    Returns
    -------
    Comparison
        PSNR and SSIM, averaged over the planes.

    Raises
    ------
    InvalidInputError
        If the shapes differ or the data range is empty.
    """
    psnr_noisy, ssim_noisy = _mean_scores(clean, noisy, axes, data_range.width)
    psnr_denoised, ssim_denoised = _mean_scores(clean, denoised, axes, data_range.width)
    n_planes = math.prod(color_planes(clean, axes).shape[:-3])
    return Comparison(
        psnr_noisy, psnr_denoised, ssim_noisy, ssim_denoised, data_range, n_planes
    )


def _mean_scores(
    clean: NDArray[Any], test: NDArray[Any], axes: str, data_range: float
) -> tuple[float, float]:
    """Return the mean PSNR and SSIM over the planes."""
    true_planes, test_planes = color_planes(clean, axes), color_planes(test, axes)
    psnrs, ssims = [], []
    for plane in np.ndindex(true_planes.shape[:-3]):
        pair = true_planes[plane], test_planes[plane]
        psnrs.append(psnr(*pair, data_range=data_range))
        ssims.append(ssim(*pair, data_range=data_range, channel_axis=-1))
    return float(np.mean(psnrs)), float(np.mean(ssims))


def _format(value: float, decimals: int, sign: str = "") -> str:
    return "n/a" if math.isnan(value) else f"{value:{sign}.{decimals}f}"
