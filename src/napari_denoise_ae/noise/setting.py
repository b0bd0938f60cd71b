"""What a user says about the noise to remove."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from numbers import Real
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInputError
from .synthetic import Gaussian

if TYPE_CHECKING:
    from .base import NoiseModel

#: The kinds of noise that can be told apart when an image is denoised.
GAUSSIAN, POISSON_GAUSSIAN = "gaussian", "poisson-gaussian"
NOISE_TYPES = (GAUSSIAN, POISSON_GAUSSIAN)


@dataclass(frozen=True, slots=True)
class NoiseSetting:
    """What a user says of the noise to be removed.

    Parameters
    ----------
    sigma : float, optional
        Standard deviation in the image's units; None means that it is
        estimated from the image.
    noise_type : str
        ``"gaussian"``: the same everywhere. ``"poisson-gaussian"``: shot and
        read noise, both estimated from the image.
    strength : float
        How many times the noise level the network is told; 0 removes nothing.

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
        # NumPy's numbers cannot be stored with a result.
        object.__setattr__(self, "strength", float(self.strength))
        if self.sigma is not None:
            object.__setattr__(self, "sigma", float(self.sigma))

    @property
    def at_full_strength(self) -> NoiseSetting:
        """The same noise, all of it to be removed: what has to be measured."""
        return replace(self, strength=1.0)


_STRONGEST = 10.0


def setting_of(noise: NoiseModel) -> NoiseSetting:
    """Return what is known of noise that is added to [0, 1]; its level, if it has one.

    Parameters
    ----------
    noise : NoiseModel
        The noise. Only that of Gaussian noise which is neither clipped nor
        drawn anew for each image is known.
    """
    if not isinstance(noise, Gaussian) or noise.clipped:
        return NoiseSetting()
    return NoiseSetting(sigma=None if isinstance(noise.sigma, tuple) else noise.sigma)


def _is_level(value: Any) -> bool:
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and value >= 0
