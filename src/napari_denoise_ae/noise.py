"""Noise models: what is added to clean images, and how it is written.

A noise model acts on images whose intensity range is mapped to [0, 1], so its
amounts are fractions of that range. It is written as ``name:amount``, followed
by ``,unclipped`` where values may leave the range. A new model is one class
and one line in `NOISE_MODELS`.

The module needs no torch to be imported: models draw through the tensor that
they are given, on the device where it lies.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from .errors import InvalidInputError

if TYPE_CHECKING:
    from torch import Generator, Tensor


class NoiseModel(Protocol):
    """What training, inference and the faces need of a noise model."""

    @property
    def description(self) -> str:
        """One sentence for a user, with the amount and its unit."""
        ...

    def apply(self, clean: Tensor, generator: Generator) -> Tensor:
        """Return a noisy copy of `clean`; see `Gaussian.apply`."""
        ...


@dataclass(frozen=True, slots=True)
class Gaussian:
    """Additive white Gaussian noise.

    Parameters
    ----------
    sigma : float
        Standard deviation as a fraction of the intensity range; above 0.
    clipped : bool
        Whether the noisy values are clipped to the intensity range, as a
        camera or an 8-bit file would do. Clipping makes the noise depend on
        the signal and lowers its standard deviation near both ends.
    """

    sigma: float
    clipped: bool = True

    def __post_init__(self) -> None:
        if not (math.isfinite(self.sigma) and self.sigma > 0):
            raise InvalidInputError(
                "The sigma of Gaussian noise must be a finite number above 0 "
                f"(a fraction of the intensity range), got {self.sigma}."
            )

    def __str__(self) -> str:
        amount = repr(float(self.sigma)).removesuffix(".0")
        return f"gaussian:{amount}" + ("" if self.clipped else ",unclipped")

    @property
    def description(self) -> str:
        """One sentence for a user, with the amount and its unit."""
        clipping = "clipped to the range" if self.clipped else "not clipped"
        return f"Gaussian noise, sigma {self.sigma:g} of the range, {clipping}"

    def apply(self, clean: Tensor, generator: Generator) -> Tensor:
        """Add the noise.

        Parameters
        ----------
        clean : torch.Tensor
            Images of any shape, floating point, range [0, 1]; not changed.
        generator : torch.Generator
            Source of the random numbers, on the device of `clean`.

        Returns
        -------
        torch.Tensor
            Noisy images, same shape, dtype and device.
        """
        # Not empty_like: drawing into its channels-last layout is slow.
        noisy = clean.new_empty(clean.shape).normal_(generator=generator)
        noisy.mul_(self.sigma).add_(clean)
        return noisy.clamp_(0.0, 1.0) if self.clipped else noisy


#: Noise models by the name that stands before the colon.
NOISE_MODELS: dict[str, type[Gaussian]] = {"gaussian": Gaussian}

_ALLOWED = (
    "Write name:amount, for example 'gaussian:0.5' (clipped to the intensity "
    "range) or 'gaussian:0.5,unclipped'; the amount is a fraction of the range. "
    f"Known names: {', '.join(NOISE_MODELS)}."
)


def parse_noise(text: str) -> NoiseModel:
    """Turn a noise string into a noise model.

    Parameters
    ----------
    text : str
        For example ``"gaussian:0.5"`` or ``"gaussian:0.5,unclipped"``.

    Returns
    -------
    NoiseModel
        The model; ``str(model)`` gives the canonical string again.

    Raises
    ------
    InvalidInputError
        If the text cannot be parsed or the amount is out of its range.

    Examples
    --------
    >>> parse_noise("gaussian:0.50")
    Gaussian(sigma=0.5, clipped=True)
    """
    if not isinstance(text, str):
        raise InvalidInputError(f"A noise is written as text, got {text!r}. {_ALLOWED}")
    name, colon, rest = text.strip().partition(":")
    amount, comma, flag = rest.partition(",")
    if name not in NOISE_MODELS or not colon or (comma and flag != "unclipped"):
        raise InvalidInputError(f"Cannot read the noise {text!r}. {_ALLOWED}")
    try:
        sigma = float(amount)
    except ValueError:
        raise InvalidInputError(
            f"Cannot read the amount {amount!r} of the noise {text!r}. {_ALLOWED}"
        ) from None
    return NOISE_MODELS[name](sigma, clipped=not comma)
