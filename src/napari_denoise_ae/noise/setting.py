"""The noise to remove, as a user sets it."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from ..errors import InvalidInputError
from ..image.checks import number_of
from .noise_estimate import GAUSSIAN, KINDS, NoiseEstimate, checked_correlation
from .synthetic import Gaussian

if TYPE_CHECKING:
    from .base import NoiseModel

#: The kind of noise is measured.
AUTO = "auto"
NOISE_TYPES = (AUTO, *KINDS)

#: A name of `NOISE_TYPES`, or measured noise: of all channels or of each.
NoiseType: TypeAlias = Union[str, NoiseEstimate, "tuple[NoiseEstimate, ...]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseSetting:
    """The noise to remove, for models that take a noise level.

    Parameters
    ----------
    sigma : float, optional
        Standard deviation of Gaussian noise in the image's units. None measures it.
    correlation : tuple of float, optional
        Correlation of the noise of neighboring pixels along X and Y, 0 to 0.95. None
        measures it; if sigma is given, None means independent pixels.
    noise_type : str, NoiseEstimate or tuple of NoiseEstimate
        ``"auto"``: the kind of noise is measured; Gaussian if sigma is given.
        ``"gaussian"``: the same level everywhere. ``"poisson-gaussian"``: shot and
        read noise, both measured. An estimate, or one for each channel C, is used as
        it is, and nothing is measured.
    strength : float
        Noise level multiplier, 0 to 10; 0 removes nothing.
    replace_hot_pixels : bool
        Whether hot and dead pixels are replaced; otherwise they are kept unchanged.

    Raises
    ------
    InvalidInputError
        If a value is out of its range, or two of them exclude each other.
    """

    sigma: float | None = None
    correlation: tuple[float, float] | None = None
    noise_type: NoiseType = AUTO
    strength: float = 1.0
    replace_hot_pixels: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "noise_type", _checked_type(self.noise_type))
        if self.sigma is not None and not _is_level(self.sigma):
            raise InvalidInputError(
                "sigma must be a finite number of at least 0, in the image's units, "
                f"got {self.sigma!r}."
            )
        self._require_consistent()
        if not _is_level(self.strength) or self.strength > _STRONGEST:
            raise InvalidInputError(
                f"strength must be a number from 0 to {_STRONGEST:g}, got "
                f"{self.strength!r}."
            )
        if not isinstance(self.replace_hot_pixels, bool):
            raise InvalidInputError(
                "replace_hot_pixels must be true or false, got "
                f"{self.replace_hot_pixels!r}."
            )
        # JSON and provenance take no NumPy numbers.
        object.__setattr__(self, "strength", float(self.strength))
        if self.sigma is not None:
            object.__setattr__(self, "sigma", float(self.sigma))
        if self.correlation is not None:
            checked = checked_correlation(self.correlation)
            object.__setattr__(self, "correlation", checked)

    def _require_consistent(self) -> None:
        if self.sigma is not None and self.noise_type not in (AUTO, GAUSSIAN):
            raise InvalidInputError(
                "sigma is the level of Gaussian noise, but noise_type is "
                f"{_describe_type(self.noise_type)}. Omit sigma or noise_type."
            )
        if self.correlation is not None and not isinstance(self.noise_type, str):
            raise InvalidInputError(
                "noise_type is measured noise, which has a correlation of its own. "
                "Omit correlation."
            )

    @property
    def for_measuring(self) -> NoiseSetting:
        """The fields that decide how the noise is measured; the others default."""
        return replace(self, strength=1.0, replace_hot_pixels=False)

    @property
    def is_measured(self) -> bool:
        """Whether the level of the noise is measured in the image."""
        return self.sigma is None and isinstance(self.noise_type, str)

    def non_defaults(self) -> dict[str, Any]:
        """Return the values that differ from their defaults, by name."""
        values = ((field, getattr(self, field.name)) for field in fields(self))
        return {field.name: value for field, value in values if value != field.default}


def _checked_type(noise_type: Any) -> NoiseType:
    is_name = isinstance(noise_type, str) and noise_type in NOISE_TYPES
    if is_name or isinstance(noise_type, NoiseEstimate):
        checked: NoiseType = noise_type
        return checked
    if isinstance(noise_type, (list, tuple)) and noise_type:
        estimates = tuple(noise_type)
        if all(isinstance(each, NoiseEstimate) for each in estimates):
            return estimates
    raise InvalidInputError(
        f"noise_type must be one of {', '.join(NOISE_TYPES)}, or noise that "
        f"measure_noise has returned, got {noise_type!r}."
    )


def _describe_type(noise_type: NoiseType) -> str:
    return repr(noise_type) if isinstance(noise_type, str) else "measured noise"


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
    return 0 <= number_of(value) < math.inf
