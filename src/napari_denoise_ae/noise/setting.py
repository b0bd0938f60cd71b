"""The noise to remove, as a user sets it."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from numbers import Real
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInputError
from .synthetic import Gaussian

if TYPE_CHECKING:
    from .base import NoiseModel

#: The kinds of noise that can be told apart when an image is denoised.
GAUSSIAN, POISSON_GAUSSIAN = "gaussian", "poisson-gaussian"
NOISE_TYPES = (GAUSSIAN, POISSON_GAUSSIAN)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseSetting:
    """The noise to remove, for models that take a noise level.

    Parameters
    ----------
    sigma : float, optional
        Standard deviation in the image's units. None estimates it from the
        image.
    noise_type : str
        ``"gaussian"``: the same level everywhere. ``"poisson-gaussian"``: shot
        and read noise, both estimated from the image.
    strength : float
        Noise level multiplier, 0 to 10; 0 removes nothing.

    Raises
    ------
    InvalidInputError
        If a value is out of its range, or sigma is given for Poisson-Gaussian
        noise.
    """

    sigma: float | None = None
    noise_type: str = GAUSSIAN
    strength: float = 1.0

    def __post_init__(self) -> None:
        if self.noise_type not in NOISE_TYPES:
            raise InvalidInputError(
                f"noise_type must be one of {', '.join(NOISE_TYPES)}, got "
                f"{self.noise_type!r}."
            )
        if self.sigma is not None and not _is_level(self.sigma):
            raise InvalidInputError(
                "sigma must be a finite number of at least 0, in the image's units, "
                f"got {self.sigma!r}."
            )
        if self.sigma is not None and self.noise_type != GAUSSIAN:
            raise InvalidInputError(
                f"sigma is the level of Gaussian noise; that of {self.noise_type} "
                "noise depends on the intensity and is estimated. Omit sigma."
            )
        if not _is_level(self.strength) or self.strength > _STRONGEST:
            raise InvalidInputError(
                f"strength must be a number from 0 to {_STRONGEST:g}, got "
                f"{self.strength!r}."
            )
        # JSON and provenance take no NumPy numbers.
        object.__setattr__(self, "strength", float(self.strength))
        if self.sigma is not None:
            object.__setattr__(self, "sigma", float(self.sigma))

    @property
    def at_full_strength(self) -> NoiseSetting:
        """The same noise at strength 1: measuring does not depend on the strength."""
        return replace(self, strength=1.0)

    def non_defaults(self) -> dict[str, Any]:
        """Return the values that differ from their defaults, by name."""
        values = ((field, getattr(self, field.name)) for field in fields(self))
        return {field.name: value for field, value in values if value != field.default}


_STRONGEST = 10.0


def setting_of(noise: NoiseModel) -> NoiseSetting:
    """Return what is known of noise that is added to [0, 1]; its level, if it has one.

    Parameters
    ----------
    noise : NoiseModel
        The noise. Only that of white Gaussian noise which is neither clipped nor
        drawn anew for each image is known.
    """
    if not isinstance(noise, Gaussian) or noise.clipped or not noise.is_white:
        return NoiseSetting()
    return NoiseSetting(sigma=None if isinstance(noise.sigma, tuple) else noise.sigma)


def _is_level(value: Any) -> bool:
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and value >= 0
