"""Noise that is made of several noise models."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import InvalidInputError
from .base import NoiseModel
from .call import apply_noise, apply_noise_with_inputs

if TYPE_CHECKING:
    from torch import Generator, Tensor


@dataclass(frozen=True, slots=True)
class Composed(NoiseModel):
    """Several noises, added one after another.

    Parameters
    ----------
    parts : tuple of NoiseModel
        At least two, in the order in which they are added.
    """

    parts: tuple[NoiseModel, ...]

    def __post_init__(self) -> None:
        if len(self.parts) < 2:
            raise InvalidInputError(
                f"A composed noise needs at least two parts, got {len(self.parts)}."
            )

    def __str__(self) -> str:
        return "+".join(map(str, self.parts))

    @property
    def description(self) -> str:
        """Description for a user, with the amounts and their units."""
        return ", then ".join(part.description for part in self.parts)

    def apply(
        self, clean: Tensor, generator: Generator, *, channel_axis: int = 1
    ) -> Tensor:
        """Add one noise after another, see `NoiseModel.apply`."""
        noisy = clean
        for part in self.parts:
            noisy = apply_noise(part, noisy, generator, channel_axis=channel_axis)
        return noisy


@dataclass(frozen=True, slots=True)
class Mixture(NoiseModel):
    """One of several noises, drawn for each image.

    Parameters
    ----------
    parts : tuple of NoiseModel
        At least two.
    weights : tuple of float
        Probability of each part, above 0; together 1.
    """

    parts: tuple[NoiseModel, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.parts) < 2 or len(self.weights) != len(self.parts):
            raise InvalidInputError(
                "A mixture needs at least two noises with a weight each, got "
                f"{len(self.parts)} noises and {len(self.weights)} weights."
            )
        if not all(0 < weight < 1 for weight in self.weights) or not math.isclose(
            sum(self.weights), 1.0, abs_tol=1e-6
        ):
            sums = " + ".join(f"{weight:g}" for weight in self.weights)
            raise InvalidInputError(
                f"The weights of a mixture must be above 0 and add up to 1, got {sums}."
            )

    def __str__(self) -> str:
        each = zip(self.weights, self.parts, strict=True)
        return "|".join(f"{weight:g}*{part}" for weight, part in each)

    @property
    def description(self) -> str:
        """Description for a user, with the probabilities."""
        each = zip(self.weights, self.parts, strict=True)
        return "; or ".join(f"{weight:.0%} {part.description}" for weight, part in each)

    @property
    def can_be_told(self) -> bool:
        """Whether a network can be told of each part."""
        return all(part.can_be_told for part in self.parts)

    @property
    def is_white(self) -> bool:
        """Whether all parts are white."""
        return all(part.is_white for part in self.parts)

    def apply(
        self, clean: Tensor, generator: Generator, *, channel_axis: int = 1
    ) -> Tensor:
        """Add one of the noises to each image, see `NoiseModel.apply`."""
        import torch

        chosen = self._draw_parts(clean, generator)
        noisy = clean
        for number, part in enumerate(self.parts):
            added = apply_noise(part, clean, generator, channel_axis=channel_axis)
            noisy = torch.where(chosen == number, added, noisy)
        return noisy

    def apply_with_inputs(
        self, clean: Tensor, generator: Generator, *, channel_axis: int = 1
    ) -> tuple[Tensor, Tensor]:
        """Add one of the noises to each image, see `NoiseModel.apply_with_inputs`."""
        import torch

        chosen = self._draw_parts(clean, generator)
        noisy, inputs = clean, clean.new_zeros((len(clean), 3))
        for number, part in enumerate(self.parts):
            added, told = apply_noise_with_inputs(
                part, clean, generator, channel_axis=channel_axis
            )
            noisy = torch.where(chosen == number, added, noisy)
            inputs = torch.where(chosen.reshape(-1, 1) == number, told, inputs)
        return noisy, inputs

    def _draw_parts(self, clean: Tensor, generator: Generator) -> Tensor:
        """Draw the index of a part for each image, broadcastable to `clean`."""
        import torch

        chance = clean.new_empty((len(clean), *(1,) * (clean.ndim - 1)))
        chance.uniform_(generator=generator)
        ends = torch.tensor(self.weights).cumsum(0)[:-1].to(clean)
        return torch.bucketize(chance, ends, right=True)
