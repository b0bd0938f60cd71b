"""Base class and building blocks of synthetic noise."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from dataclasses import Field

    from torch import Generator, Tensor

#: A number, or the range (lowest, highest) that is sampled for each image.
Amount = float | tuple[float, float]


def amount_metadata(
    unit: str, *, lowest: float = 0.0, highest: float = 1e3
) -> dict[str, Any]:
    """Return the metadata of a dataclass field that holds an amount.

    A field without a default must be given. A field with a default is optional:
    it is written ``name=amount``, and left out if it has its default.

    Parameters
    ----------
    unit : str
        Follows the number in a description.
    lowest, highest : float
        Limits. If `lowest` is 0, a single amount must be above 0; only a range may
        start at 0.
    """
    return {"unit": unit, "lowest": lowest, "highest": highest}


def flag_metadata(word: str) -> dict[str, Any]:
    """Return the metadata of a boolean field whose default `word` inverts."""
    return {"word": word}


class NoiseModel(ABC):
    """Base class of synthetic noise.

    Attributes
    ----------
    name : str
        Name before the colon in a noise string.
    title : str
        Name in a sentence.
    explanation : str
        Source and effect of the noise, one sentence for a user.
    """

    __slots__ = ()

    name: ClassVar[str]
    title: ClassVar[str]
    explanation: ClassVar[str]

    @property
    def can_be_told(self) -> bool:
        """Whether a network that takes a noise level can be trained on the noise.

        `apply_with_inputs` then tells its level and correlation.
        """
        return False

    @property
    def is_white(self) -> bool:
        """Whether the noise of a pixel is independent of that of its neighbors."""
        return True

    def __post_init__(self) -> None:
        for amount in [*amount_fields(self), *option_fields(self)]:
            _require_amount(self.title, amount, getattr(self, amount.name))
        for flag in flag_fields(self):
            if not isinstance(getattr(self, flag.name), bool):
                raise InvalidInputError(
                    f"{flag.name} of {self.title} noise must be true or false, got "
                    f"{getattr(self, flag.name)!r}."
                )

    def __str__(self) -> str:
        amounts = [format_amount(getattr(self, f.name)) for f in amount_fields(self)]
        options = [
            f"{name}={format_amount(value)}" for name, value in self.options.items()
        ]
        return f"{self.name}:{','.join([*amounts, *options, *self.flags])}"

    @property
    def options(self) -> dict[str, Amount]:
        """Optional amounts that differ from their defaults, by name."""
        values = ((f, getattr(self, f.name)) for f in option_fields(self))
        return {f.name: value for f, value in values if value != f.default}

    @property
    def flags(self) -> list[str]:
        """Words that follow the amounts in a noise string."""
        return [
            str(f.metadata["word"])
            for f in flag_fields(self)
            if getattr(self, f.name) != f.default
        ]

    @property
    def description(self) -> str:
        """Description for a user, with the amounts and their units."""
        amounts = [
            f"{f.name.replace('_', ' ')} {_format_words(getattr(self, f.name))} "
            f"{f.metadata['unit']}"
            for f in [*amount_fields(self), *option_fields(self)]
            if f.default is MISSING or f.name in self.options
        ]
        drawn = any(isinstance(getattr(self, f.name), tuple) for f in fields(self))  # type: ignore[arg-type]
        each = ["drawn for each image"] if drawn else []
        flags = self._describe_flags()
        return ", ".join([f"{self.title} noise", *amounts, *each, flags])

    def _describe_flags(self) -> str:
        # "unclipped" is the only flag of most noise models.
        return "not clipped" if self.flags else "clipped to the range"

    @abstractmethod
    def apply(
        self, clean: Tensor, generator: Generator, *, channel_axis: int = 1
    ) -> Tensor:
        """Add the noise.

        Parameters
        ----------
        clean : torch.Tensor
            Images along the first axis, floating point, range [0, 1]; not
            modified.
        generator : torch.Generator
            Source of the random numbers, on the device of `clean`.
        channel_axis : int
            Axis of the color channels.

        Returns
        -------
        torch.Tensor
            Noisy images, same shape, dtype and device.
        """

    def apply_with_inputs(
        self, clean: Tensor, generator: Generator, *, channel_axis: int = 1
    ) -> tuple[Tensor, Tensor]:
        """Add the noise, and also return what networks are told of it.

        Parameters
        ----------
        clean, generator, channel_axis
            See `apply`.

        Returns
        -------
        noisy : torch.Tensor
            Same shape, dtype and device as `clean`.
        inputs : torch.Tensor
            For each image, the standard deviation of its noise, and that times the
            correlation of neighbors along X and along Y: (N, 3).
        """
        raise NotImplementedError(f"{self} has no single level.")


def amount_fields(model: NoiseModel | type[NoiseModel]) -> list[Field[Any]]:
    """Return the dataclass fields of a model that are amounts and must be given."""
    return [f for f in _measures(model) if f.default is MISSING]


def option_fields(model: NoiseModel | type[NoiseModel]) -> list[Field[Any]]:
    """Return the dataclass fields of a model that are optional amounts."""
    return [f for f in _measures(model) if f.default is not MISSING]


def _measures(model: NoiseModel | type[NoiseModel]) -> list[Field[Any]]:
    return [f for f in fields(model) if "unit" in f.metadata]  # type: ignore[arg-type]


def flag_fields(model: NoiseModel | type[NoiseModel]) -> list[Field[Any]]:
    """Return the dataclass fields of a model that are flags."""
    return [f for f in fields(model) if "word" in f.metadata]  # type: ignore[arg-type]


def _require_amount(title: str, amount: Field[Any], value: Any) -> None:
    unit, lowest = amount.metadata["unit"], amount.metadata["lowest"]
    highest = amount.metadata["highest"]
    numbers = value if isinstance(value, tuple) and len(value) == 2 else (value,)
    usable = all(
        isinstance(number, (int, float)) and not isinstance(number, bool)
        for number in numbers
    )
    if usable and len(numbers) == 2:
        usable = lowest <= numbers[0] < numbers[1] <= highest
    elif usable:
        usable = lowest <= value <= highest and (value > 0 or value == amount.default)
    if not usable:
        starts_there = lowest > 0 or amount.default == lowest
        limits = f"from {lowest:g}" if starts_there else "above 0"
        limits += f" {'to' if starts_there else 'and at most'} {highest:g}"
        text = format_amount(value) if isinstance(value, (int, float)) else repr(value)
        raise InvalidInputError(
            f"The {amount.name} of {title} noise must be a number {limits} ({unit}), "
            f"or a range LOW..HIGH of such numbers, got {text}."
        )


def format_amount(value: Amount) -> str:
    """Return an amount as it is written in a noise string."""
    numbers: Sequence[float] = value if isinstance(value, tuple) else (value,)
    return "..".join(repr(float(number)).removesuffix(".0") for number in numbers)


def _format_words(value: Amount) -> str:
    numbers: Sequence[float] = value if isinstance(value, tuple) else (value,)
    return " to ".join(f"{number:g}" for number in numbers)


def draw_amount(amount: Amount, clean: Tensor, generator: Generator) -> Any:
    """Return the amount, or one drawn for each image, broadcastable to `clean`."""
    if not isinstance(amount, tuple):
        return amount
    low, high = amount
    levels = clean.new_empty((len(clean), *(1,) * (clean.ndim - 1)))
    return levels.uniform_(low, high, generator=generator)


def standard_normal(clean: Tensor, generator: Generator) -> Tensor:
    """Draw a standard normal value for each element of `clean`."""
    # Not empty_like: sampling into a channels-last layout is slow.
    return clean.new_empty(clean.shape).normal_(generator=generator)


def count_photons(clean: Tensor, photons: Any, generator: Generator) -> Tensor:
    """Return Poisson counts of mean ``clean * photons``, divided by `photons`."""
    import torch

    rates = (clean * photons).clamp_min(0.0)
    noisy: Tensor = torch.poisson(rates, generator=generator) / photons
    return noisy
