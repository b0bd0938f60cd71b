"""What was measured of a denoised image, before it is put into words."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from .error import ErrorEstimate, ErrorSums, estimate_error
from .maps import Agreement
from .residual import ResidualSums
from .transfer import Transfer

if TYPE_CHECKING:
    from ...noise.noise_estimate import NoiseEstimate

# These limits were chosen on Set12 and the first six images of McMaster18, see
# benchmarks/trust.py.
# Standard deviation of the blurred residual above which structure was removed all over:
# 0.3 to 0.91 at the right strength, mostly above 1 at 2.5 times the strength.
_OVER_SMOOTHED = 0.95
# Mean square of the residual over that of the best denoiser below which noise was left:
# 0.91 to 1.05 at the right strength, at most 0.41 at half the strength.
_LEFTOVER = 0.75
# Correlation of neighbors in the residual, below which noise was left. For results that
# cannot be computed again.
_LEFTOVER_CORRELATION = -0.15
# Power of a wave in the residual over that of noise: a pattern was removed.
_PATTERN = 3.5
# Fraction of the blurred residual beyond 4 standard deviations: there is structure.
_SHARE_FAR = 1e-3
# Below this number of photons per pixel the error map was wrong, and dark regions are
# biased.
_FEW_PHOTONS = 2.0
# Mean square of the differences of two estimates of the error of blocks, in standard
# errors, above which the map did not rank them.
_DISAGREEMENT = 1.0
# A given level this many times above or below the measured one is doubtful.
_OTHER_LEVEL = 2.0
# Less than this fraction of the noise was removed: nothing.
_NOTHING = 0.05
# With fewer values than this, nothing is certain.
_FEWEST = 32**2
#: Why the model is not run again if there is no noise.
NO_NOISE = "no noise was detected"


@dataclass(slots=True, eq=False, kw_only=True)
class Facts:
    """What was measured of a denoised image.

    Attributes
    ----------
    noise : NoiseEstimate
        The noise that was removed: given, or measured.
    measured : NoiseEstimate
        The noise that is measured in the image.
    is_given : bool
        Whether the level was given.
    strength : float
        Noise level multiplier of the run.
    takes_noise_level : bool
        Whether the model takes a noise level.
    is_rounded : bool
        Whether the result has whole numbers.
    obstacle : str
        Why the model cannot be run again; empty if it can.
    n : int
        Number of values that count in the windows.
    n_windows : int
        Number of windows.
    left_out : list of str
        For each window on which the model was not run again, why not.
    noise_squares, removed_squares : float
        Sums of the variance of the noise and of the squares of noisy - denoised.
    rounding_squares : float
        Sum of the squares of what rounding changes, in the windows that were denoised
        again.
    data_range : tuple of float
        For the PSNR.
    is_range_given : bool
        Whether the data range was given or that of uint8.
    errors, residuals, transfer, agreement
        Sums over the windows.
    """

    noise: NoiseEstimate
    measured: NoiseEstimate
    is_given: bool
    strength: float
    takes_noise_level: bool
    is_rounded: bool
    obstacle: str = ""
    n: int = 0
    n_windows: int = 0
    left_out: list[str] = field(default_factory=list)
    noise_squares: float = 0.0
    removed_squares: float = 0.0
    rounding_squares: float = 0.0
    data_range: tuple[float, float] = (0.0, 0.0)
    is_range_given: bool = False
    errors: ErrorSums = field(default_factory=ErrorSums)
    residuals: ResidualSums = field(default_factory=ResidualSums)
    transfer: Transfer = field(default_factory=Transfer)
    agreement: Agreement = field(default_factory=Agreement)

    @property
    def level(self) -> float:
        """Root mean square of the noise."""
        return math.sqrt(self.noise_squares / self.n) if self.n else 0.0

    @property
    def removed(self) -> float:
        """Root mean square of noisy - denoised."""
        return math.sqrt(self.removed_squares / self.n) if self.n else 0.0

    @property
    def photons(self) -> float | None:
        """Mean number of photons of a pixel, for noise that grows with intensity."""
        if self.noise.curve is None:
            return None
        return (self.level / self.noise.gain) ** 2

    @property
    def has_noise(self) -> bool:
        """Whether the noise is known and independent, and has enough pixels."""
        is_usable = self.noise.is_detected and not self.is_correlated
        return is_usable and self.n >= _FEWEST

    @property
    def is_unchanged(self) -> bool:
        """Whether hardly any noise was removed."""
        return self.n > 0 and self.removed <= _NOTHING * self.level

    @property
    def is_correlated(self) -> bool:
        """Whether the noise is correlated, or may be."""
        return self.measured.is_correlated or self.measured.leaves_coarse

    @property
    def is_level_doubtful(self) -> bool:
        """Whether the given level is far from the measured one."""
        if not self.is_given or not self.measured.is_detected or not self.level:
            return False
        return not 1 / _OTHER_LEVEL <= self.measured_level / self.level <= _OTHER_LEVEL

    @property
    def measured_level(self) -> float:
        """Root mean square of the measured noise at the mean intensity."""
        middle = (self.data_range[0] + self.data_range[1]) / 2
        measured, used = (
            float(each.variance(np.array([middle]))[0])
            for each in (self.measured, self.noise)
        )
        return self.level * math.sqrt(measured / used) if used > 0 else 0.0

    @property
    def reason_unchecked(self) -> str:
        """Why a check could not run."""
        if self.obstacle:
            return self.obstacle
        if self.left_out and len(self.left_out) == self.n_windows:
            return self.reasons_left_out
        return "there are too few pixels"

    @property
    def reasons_left_out(self) -> str:
        """Why windows were left out, each reason once."""
        return ", or ".join(dict.fromkeys(self.left_out))

    @property
    def has_reruns(self) -> bool:
        """Whether the checks that need the model were made."""
        return not self.obstacle and self.errors.n >= _FEWEST

    @property
    def is_over_smoothed(self) -> bool:
        """Whether structure was removed all over."""
        return self.residuals.spread > _OVER_SMOOTHED

    @property
    def has_leftover(self) -> bool:
        """Whether much of the noise was left."""
        if self.is_unchanged:
            return True
        if self.has_reruns:
            return self.errors.excess < _LEFTOVER
        return self.residuals.correlation < _LEFTOVER_CORRELATION

    @property
    def pattern(self) -> float:
        """Power of the strongest wave in the residual, see `ResidualSums.pattern`."""
        return self.residuals.pattern(self.errors.kept_noise)

    @property
    def has_pattern(self) -> bool:
        """Whether a repeating pattern was removed."""
        return self.has_reruns and self.pattern > _PATTERN

    @property
    def has_structure(self) -> bool:
        """Whether structure was removed in places."""
        return self.residuals.share_far > _SHARE_FAR

    @property
    def has_few_photons(self) -> bool:
        """Whether there are too few photons for an error map."""
        return self.photons is not None and self.photons < _FEW_PHOTONS

    @property
    def is_clipped(self) -> bool:
        """Whether the noise is clipped, which makes errors near a bound smaller."""
        return self.measured.bounds != (None, None)

    @property
    def is_best(self) -> bool:
        """Whether the model is nearly the best possible one for this noise."""
        return (
            self.takes_noise_level
            and self.strength == 1.0
            and not (self.is_over_smoothed or self.has_leftover or self.has_pattern)
        )

    @property
    def has_map(self) -> bool:
        """Whether the map of the error holds."""
        return self.has_reruns and not self.map_obstacle

    @property
    def map_obstacle(self) -> str:
        """Why the map of the error does not hold; empty if it does."""
        if self.is_clipped:
            return "it is not reliable if noise is clipped"
        if self.has_few_photons:
            return "it is not reliable below 2 photons per pixel"
        if self.strength != 1.0 or self.is_over_smoothed or self.has_leftover:
            return "it holds only if all of the noise, and nothing else, was removed"
        if self.agreement.mean_square > _DISAGREEMENT:
            return (
                "two estimates of the error disagree, as happens where fine texture "
                "was removed"
            )
        return ""

    @property
    def rounding(self) -> float:
        """Variance that rounding the result adds."""
        return self.rounding_squares / self.errors.n if self.errors.n else 0.0

    def error(self) -> ErrorEstimate:
        """Estimate the mean squared error of the result."""
        return estimate_error(
            self.errors,
            is_given=self.is_given,
            is_best=self.is_best,
            rounding=self.rounding,
        )
