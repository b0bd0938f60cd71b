"""Compare trust reports with the truth, on clean images to which noise was added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...denoising.model_ranges import without_ignored
from ...denoising.options import DenoiseOptions
from ...image.planes import ArrayPlanes
from ..apply import apply_model
from ..fitting import fitting_denoiser
from ..metrics import psnr
from .assessment import Assessment, AssessOptions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...noise.setting import NoiseSetting
    from ..fitting import ScoredModel
    from ..pairs import Pair
    from .report import TrustReport

# Noise cannot be measured in smaller images.
_SMALLEST_SIDE = 64
# Images that are checked.
_MOST_IMAGES = 8


@dataclass(frozen=True, slots=True, eq=False)
class TrustCheck:
    """A trust report beside the truth.

    Parameters
    ----------
    report : TrustReport
        The report, whose data range is 0 to 1.
    psnr : float
        The true PSNR in dB, of the windows that were looked at, without clipping.
    """

    report: TrustReport
    psnr: float

    @property
    def estimated(self) -> tuple[float, float] | None:
        """The range of the PSNR in the report in dB; None if there is none."""
        figures = self.report.figures
        if "psnr_low" not in figures:
            return None
        return float(figures["psnr_low"]), float(figures["psnr_high"])

    @property
    def is_inside(self) -> bool | None:
        """Whether the range holds the truth; None if there is none."""
        if self.estimated is None:
            return None
        return self.estimated[0] <= self.psnr <= self.estimated[1]


def check_reports(
    pairs: Sequence[Pair], model: ScoredModel, setting: NoiseSetting
) -> Iterator[TrustCheck]:
    """Compare the reports of a model with the truth.

    Parameters
    ----------
    pairs : sequence of Pair
        Noisy and clean images. The first 8 of at least 64 x 64 pixels are used.
    model : ScoredModel
        The model.
    setting : NoiseSetting
        Noise settings for a model that takes a noise level, relative to the input
        range.

    Yields
    ------
    TrustCheck
        The report of each image.
    """
    large = [p for p in pairs if min(p.clean.shape[:2]) >= _SMALLEST_SIDE]
    for pair in large[:_MOST_IMAGES]:
        yield _check(pair, model, setting)


def _check(pair: Pair, model: ScoredModel, setting: NoiseSetting) -> TrustCheck:
    unit = pair.input_range.normalize(pair.noisy)
    denoised = apply_model(unit, denoiser=model, setting=setting)
    fitting = fitting_denoiser(model, unit.shape[-1])
    options = DenoiseOptions(intensity_range=(0.0, 1.0), **setting.non_defaults())
    run = Assessment(
        ArrayPlanes(unit, "YX"),
        ArrayPlanes(denoised, "YX"),
        fitting,
        without_ignored(fitting.checkpoint, options),
        choice=AssessOptions(data_range=(0.0, 1.0)),
    )
    for _ in run:
        pass
    clean = pair.input_range.normalize(pair.clean)
    windows = run.report.windows
    true = np.concatenate([clean[window.region].ravel() for window in windows])
    found = np.concatenate([window.denoised.ravel() for window in windows])
    return TrustCheck(run.report, psnr(true, found, data_range=1.0))
