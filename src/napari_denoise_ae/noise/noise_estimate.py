"""What was measured of an image's noise, or what a user says of it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError
from ..image.checks import number_of
from .curve import NoiseCurve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

#: The kinds of noise that are told apart.
GAUSSIAN, POISSON_GAUSSIAN = "gaussian", "poisson-gaussian"
KINDS = (GAUSSIAN, POISSON_GAUSSIAN)
#: The network is not told a higher correlation, at which noise is nearly constant.
STRONGEST_CORRELATION = 0.95
# Below this correlation neighboring pixels are called independent.
_INDEPENDENT = 0.02


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class NoiseEstimate:
    """The noise of an image, or of one channel of it.

    `measure_noise` returns it, and ``denoise(image, noise_type=estimate)`` takes it.

    Parameters
    ----------
    kind : str
        ``"gaussian"``: one level everywhere. ``"poisson-gaussian"``: the variance is
        ``gain x intensity + offset_variance``.
    sigma : float
        Standard deviation of Gaussian noise in the image's units, at least 0; 0
        means that no noise was found. Unused for Poisson-Gaussian noise.
    gain : float
        Intensity that one photon adds, above 0, for Poisson-Gaussian noise.
    offset_variance : float
        Variance at intensity 0, in squared units of the image, for Poisson-Gaussian
        noise; see `NoiseCurve`.
    correlation : tuple of float
        Correlation of the noise of neighboring pixels along X and Y, 0 to 0.95; 0
        for independent pixels.
    leaves_coarse : bool
        Whether the image has coarse, weak fluctuations that may be correlated noise
        or structure. They are left in it.
    bounds : tuple of float or None
        The lowest and the highest intensity, if the noisy values are clipped there.
    no_data : float, optional
        Value of pixels that hold no data.

    Raises
    ------
    InvalidInputError
        If a value is out of its range.

    Examples
    --------
    >>> print(NoiseEstimate(kind="poisson-gaussian", gain=2.0, offset_variance=9.0))
    noise grows with intensity: gain 2, read noise 3; neighboring pixels independent
    """

    kind: str = GAUSSIAN
    sigma: float = 0.0
    gain: float = 0.0
    offset_variance: float = 0.0
    correlation: tuple[float, float] = (0.0, 0.0)
    leaves_coarse: bool = False
    bounds: tuple[float | None, float | None] = (None, None)
    no_data: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InvalidInputError(
                f"The kind of noise must be one of {', '.join(KINDS)}, got "
                f"{self.kind!r}."
            )
        if self.kind == POISSON_GAUSSIAN:
            NoiseCurve(self.gain, self.offset_variance)
        elif not (math.isfinite(self.sigma) and self.sigma >= 0):
            raise InvalidInputError(
                "sigma must be a finite number of at least 0, in the image's units, "
                f"got {self.sigma!r}."
            )
        object.__setattr__(self, "correlation", checked_correlation(self.correlation))

    def __repr__(self) -> str:
        values = ((field, getattr(self, field.name)) for field in fields(self))
        shown = (
            f"{field.name}={value!r}"
            for field, value in values
            if field.name == "kind" or value != field.default
        )
        return f"{type(self).__name__}({', '.join(shown)})"

    @property
    def curve(self) -> NoiseCurve | None:
        """Variance over intensity, for Poisson-Gaussian noise."""
        if self.kind == GAUSSIAN:
            return None
        return NoiseCurve(self.gain, self.offset_variance)

    def variance(self, intensities: NDArray[Any]) -> NDArray[np.float64]:
        """Return the variance of the noise at clean intensities of any shape."""
        if self.curve is None:
            return np.full(np.shape(intensities), self.sigma**2)
        return self.curve.variance(intensities)

    def scaled(self, factor: float) -> NoiseEstimate:
        """Return noise with its standard deviation multiplied by a factor."""
        return replace(
            self,
            sigma=self.sigma * factor,
            gain=self.gain * factor**2,
            offset_variance=self.offset_variance * factor**2,
        )

    @property
    def is_detected(self) -> bool:
        """Whether there is noise."""
        return self.kind != GAUSSIAN or self.sigma > 0.0

    @property
    def is_correlated(self) -> bool:
        """Whether neighboring pixels share noise."""
        return max(self.correlation) >= _INDEPENDENT

    def __str__(self) -> str:
        if not self.is_detected:
            return "; ".join(["no noise detected", *self._exceptions()])
        return "; ".join([*self._level(), self._neighbors(), *self._exceptions()])

    def _level(self) -> list[str]:
        if self.kind == GAUSSIAN:
            return [f"noise has one level: sigma {self.sigma:.4g}"]
        if self.offset_variance < 0:
            pedestal = -self.offset_variance / self.gain
            said = f"gain {self.gain:.4g}, no noise at an intensity of {pedestal:.4g}"
        else:
            said = (
                f"gain {self.gain:.4g}, read noise "
                f"{math.sqrt(self.offset_variance):.4g}"
            )
        return [f"noise grows with intensity: {said}"]

    def _neighbors(self) -> str:
        if self.leaves_coarse:
            return "coarser noise, if there is any, is left"
        if not self.is_correlated:
            return "neighboring pixels independent"
        x, y = self.correlation
        return f"neighboring pixels correlated: {x:.2f} along X, {y:.2f} along Y"

    def _exceptions(self) -> list[str]:
        low, high = self.bounds
        clipped = [f"{bound:g}" for bound in (low, high) if bound is not None]
        said = [f"clipped at {' and '.join(clipped)}"] if clipped else []
        if self.no_data is not None:
            said.append(f"{self.no_data:g} means no data")
        return said


def checked_correlation(value: Any) -> tuple[float, float]:
    """Return a correlation along X and Y as a user gives it, checked.

    Raises
    ------
    InvalidInputError
        If it is not two numbers from 0 to 0.95.
    """
    try:
        x, y = (float(number) for number in value)
    except (TypeError, ValueError, OverflowError):
        x = y = math.nan
    if not all(0.0 <= number <= STRONGEST_CORRELATION for number in (x, y)):
        raise InvalidInputError(
            "correlation must be two numbers from 0 to "
            f"{STRONGEST_CORRELATION:g}, along X and Y, got {value!r}."
        )
    return x, y


def as_plain_estimate(estimate: NoiseEstimate) -> dict[str, Any]:
    """Return an estimate as JSON values; see `from_plain_estimate`."""
    return asdict(estimate)


def from_plain_estimate(content: Mapping[str, Any]) -> NoiseEstimate:
    """Invert `as_plain_estimate`.

    Raises
    ------
    LookupError, TypeError, ValueError
        If the values are not what `as_plain_estimate` returns.
    """
    low, high = content["bounds"]
    for value in (low, high, content["no_data"]):
        if value is not None and math.isnan(number_of(value)):
            raise ValueError(f"an intensity is {type(value).__name__}")
    return NoiseEstimate(**{**content, "bounds": (low, high)})
