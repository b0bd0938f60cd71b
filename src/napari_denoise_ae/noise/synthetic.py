"""Noise models: what is added to clean images, and how it is written.

A noise model acts on images whose intensity range is mapped to [0, 1], so its
amounts do not depend on the images' units. It is written as a name, a colon and
its amounts, with a flag where it has one; an amount written ``LOW..HIGH`` is
drawn anew for each image, and a plus sign puts one noise on top of another:

    gaussian:0.1    gaussian:0..0.3,unclipped    gaussian:0.1+salt_pepper:0.05

A new model is one dataclass, whose fields say what its amounts and flags mean,
and one entry in `NOISE_MODELS`; the parser, the command line and the widgets
follow.

Importing the module imports no torch; only adding noise does.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from ..errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from dataclasses import Field
    from typing import Any, ClassVar

    from torch import Generator, Tensor

# Not all that Python takes for one, such as 0_1; nan and -1 are refused later.
_NUMBER = re.compile(
    r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|nan|inf)", re.ASCII | re.IGNORECASE
)
#: A number, or the lowest and the highest of those drawn for each image.
Amount = float | tuple[float, float]


def _amount(unit: str, *, lowest: float = 0.0, highest: float = 1e3) -> dict[str, Any]:
    """Describe a field that is an amount, from `lowest` to `highest`.

    `unit` stands after the number in a description. An amount of 0 is none, so
    where `lowest` is 0 only a range may begin there.
    """
    return {"unit": unit, "lowest": lowest, "highest": highest}


def _flag(word: str) -> dict[str, Any]:
    """Describe a field that `word` in a noise string turns to its opposite."""
    return {"word": word}


class NoiseModel(ABC):
    """A kind of noise with its amounts.

    Attributes
    ----------
    name : str
        What stands before the colon in a noise string.
    title : str
        The noise in words.
    explanation : str
        Where it comes from and what it does, in a sentence for a user.
    """

    __slots__ = ()

    name: ClassVar[str]
    title: ClassVar[str]
    explanation: ClassVar[str]

    def __post_init__(self) -> None:
        for amount in amount_fields(self):
            _require_amount(self.title, amount, getattr(self, amount.name))
        for flag in flag_fields(self):
            if not isinstance(getattr(self, flag.name), bool):
                raise InvalidInputError(
                    f"{flag.name} of {self.title} noise must be true or false, got "
                    f"{getattr(self, flag.name)!r}."
                )

    def __str__(self) -> str:
        amounts = [_write(getattr(self, f.name)) for f in amount_fields(self)]
        return f"{self.name}:{','.join([*amounts, *self.flags])}"

    @property
    def flags(self) -> list[str]:
        """The words that follow the amounts."""
        return [
            str(f.metadata["word"])
            for f in flag_fields(self)
            if getattr(self, f.name) != f.default
        ]

    @property
    def description(self) -> str:
        """One sentence for a user, with the amounts and their units."""
        amounts = [
            f"{f.name.replace('_', ' ')} {_say(getattr(self, f.name))} "
            f"{f.metadata['unit']}"
            for f in amount_fields(self)
        ]
        drawn = any(isinstance(getattr(self, f.name), tuple) for f in fields(self))  # type: ignore[arg-type]
        each = ["another for each image"] if drawn else []
        return ", ".join([f"{self.title} noise", *amounts, *each, self._say_flags()])

    def _say_flags(self) -> str:
        # The one flag of most noises is that for unclipped values.
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
            changed.
        generator : torch.Generator
            Source of the random numbers, on the device of `clean`.
        channel_axis : int
            Axis of the colours.

        Returns
        -------
        torch.Tensor
            Noisy images, same shape, dtype and device.
        """


@dataclass(frozen=True, slots=True)
class Gaussian(NoiseModel):
    """Additive white Gaussian noise: ``y = x + n``, n of N(0, sigma²).

    Parameters
    ----------
    sigma : float or tuple of float
        Standard deviation as a fraction of the intensity range; above 0.
    clipped : bool
        Whether the noisy values are clipped to the intensity range, as a
        camera or an 8-bit file would do. Clipping makes the noise depend on
        the signal and lowers its standard deviation near both ends.
    """

    name = "gaussian"
    title = "Gaussian"
    explanation = "Electronic noise of any detector: the same everywhere in the image."

    sigma: Amount = field(metadata=_amount("of the range"))
    clipped: bool = field(default=True, metadata=_flag("unclipped"))

    def apply(
        self, clean: Tensor, generator: Generator, *, channel_axis: int = 1
    ) -> Tensor:
        """Add the noise, see `NoiseModel.apply`."""
        noisy, _ = self.apply_and_tell(clean, generator)
        return noisy.clamp_(0.0, 1.0) if self.clipped else noisy

    def apply_and_tell(
        self, clean: Tensor, generator: Generator
    ) -> tuple[Tensor, Tensor]:
        """Add the noise, unclipped, and tell the level that was drawn.

        Parameters
        ----------
        clean, generator
            See `NoiseModel.apply`.

        Returns
        -------
        noisy : torch.Tensor
            Like `clean`.
        sigma : torch.Tensor
            One standard deviation for each image, of shape (N, 1, 1, 1) for
            images of four dimensions.
        """
        sigma = _draw(self.sigma, clean, generator)
        noisy = _standard_normal(clean, generator).mul_(sigma).add_(clean)
        levels = clean.new_empty((len(clean), *(1,) * (clean.ndim - 1)))
        levels[...] = sigma
        return noisy, levels


@dataclass(frozen=True, slots=True)
class SaltAndPepper(NoiseModel):
    """Salt and pepper: a share of the values is 0 or 1, each half of the time.

    Parameters
    ----------
    amount : float or tuple of float
        Probability that a value is replaced; above 0, at most 1.
    per_pixel : bool
        Whether all colours of a pixel are replaced together, which makes the
        pixel black or white; otherwise each colour is replaced by itself.
    """

    name = "salt_pepper"
    title = "salt-and-pepper"
    explanation = (
        "Dead and hot pixels or errors in transmission: some values are lost, "
        "the others are untouched."
    )

    amount: Amount = field(metadata=_amount("of the values", highest=1.0))
    per_pixel: bool = field(default=False, metadata=_flag("per_pixel"))

    def _say_flags(self) -> str:
        return "colours of a pixel " + (
            "together" if self.per_pixel else "by themselves"
        )

    def apply(
        self, clean: Tensor, generator: Generator, *, channel_axis: int = 1
    ) -> Tensor:
        """Replace values, see `NoiseModel.apply`."""
        half = _draw(self.amount, clean, generator) / 2
        shape = list(clean.shape)
        if self.per_pixel:
            shape[channel_axis] = 1
        chance = clean.new_empty(shape).uniform_(generator=generator)
        # [0, 1): exactly half of what is replaced is below, half above.
        noisy = clean.clone()
        noisy.masked_fill_(chance < half, 0.0)
        return noisy.masked_fill_(chance >= 1.0 - half, 1.0)


@dataclass(frozen=True, slots=True)
class Poisson(NoiseModel):
    """Shot noise: ``y = k / photons``, k of a Poisson law with mean ``x photons``.

    Parameters
    ----------
    photons : float or tuple of float
        Mean number of photons where the image is 1; above 0. The variance is
        ``x / photons``.
    clipped : bool
        Whether values above 1 are clipped.
    """

    name = "poisson"
    title = "Poisson"
    explanation = (
        "Counted photons: the fewer there are, the noisier; bright parts have more "
        "noise than dark ones."
    )

    photons: Amount = field(
        metadata=_amount("at full range", lowest=1e-3, highest=1e12)
    )
    clipped: bool = field(default=True, metadata=_flag("unclipped"))

    def apply(
        self, clean: Tensor, generator: Generator, *, channel_axis: int = 1
    ) -> Tensor:
        """Count photons, see `NoiseModel.apply`; below 0 there are none."""
        photons = _draw(self.photons, clean, generator)
        noisy = _count(clean, photons, generator)
        return noisy.clamp_(0.0, 1.0) if self.clipped else noisy


@dataclass(frozen=True, slots=True)
class PoissonGaussian(NoiseModel):
    """Shot noise and read noise: ``y = gain k + n``, the noise of a camera.

    k is of a Poisson law with mean ``x / gain`` and n of N(0, read_noise²).

    Parameters
    ----------
    gain : float or tuple of float
        Fraction of the intensity range that one photon adds; above 0. The
        variance is ``gain x + read_noise²``.
    read_noise : float or tuple of float
        Standard deviation of the camera's own noise as a fraction of the
        intensity range; above 0.
    clipped : bool
        Whether the noisy values are clipped to the intensity range.

    References
    ----------
    .. [1] Foi et al., Practical Poissonian-Gaussian noise modeling and fitting
       for single-image raw-data, 2008, :doi:`10.1109/TIP.2008.2001399`.
    """

    name = "poisson_gaussian"
    title = "Poisson-Gaussian"
    explanation = "A scientific camera: counted photons and the noise of reading out."

    gain: Amount = field(metadata=_amount("of the range for each photon", lowest=1e-12))
    read_noise: Amount = field(metadata=_amount("of the range"))
    clipped: bool = field(default=True, metadata=_flag("unclipped"))

    def apply(
        self, clean: Tensor, generator: Generator, *, channel_axis: int = 1
    ) -> Tensor:
        """Count photons and read them out, see `NoiseModel.apply`."""
        gain = _draw(self.gain, clean, generator)
        read_noise = _draw(self.read_noise, clean, generator)
        noisy = _standard_normal(clean, generator).mul_(read_noise)
        noisy.add_(_count(clean, 1.0 / gain, generator))
        return noisy.clamp_(0.0, 1.0) if self.clipped else noisy


@dataclass(frozen=True, slots=True)
class Speckle(NoiseModel):
    """Multiplicative noise: ``y = x + x n``, n of N(0, sigma²).

    Parameters
    ----------
    sigma : float or tuple of float
        Standard deviation as a fraction of each value; above 0.
    clipped : bool
        Whether the noisy values are clipped to the intensity range.
    """

    name = "speckle"
    title = "speckle"
    explanation = (
        "Coherent light, ultrasound or radar: the noise grows with the signal."
    )

    sigma: Amount = field(metadata=_amount("of each value"))
    clipped: bool = field(default=True, metadata=_flag("unclipped"))

    def apply(
        self, clean: Tensor, generator: Generator, *, channel_axis: int = 1
    ) -> Tensor:
        """Add the noise, see `NoiseModel.apply`."""
        sigma = _draw(self.sigma, clean, generator)
        factor = _standard_normal(clean, generator).mul_(sigma).add_(1.0)
        noisy = factor.mul_(clean)
        return noisy.clamp_(0.0, 1.0) if self.clipped else noisy


@dataclass(frozen=True, slots=True)
class Composed(NoiseModel):
    """One noise after another.

    Parameters
    ----------
    parts : tuple of NoiseModel
        At least two, in the order in which they are added.
    """

    parts: tuple[NoiseModel, ...]

    def __post_init__(self) -> None:
        if len(self.parts) < 2:
            raise InvalidInputError(
                f"At least two noises can be put together, got {len(self.parts)}."
            )

    def __str__(self) -> str:
        return "+".join(map(str, self.parts))

    @property
    def description(self) -> str:
        """One sentence for a user, with the amounts and their units."""
        return ", then ".join(part.description for part in self.parts)

    def apply(
        self, clean: Tensor, generator: Generator, *, channel_axis: int = 1
    ) -> Tensor:
        """Add one noise after another, see `NoiseModel.apply`."""
        noisy = clean
        for part in self.parts:
            noisy = part.apply(noisy, generator, channel_axis=channel_axis)
        return noisy


#: Noise models by the name that stands before the colon.
NOISE_MODELS: dict[str, type[NoiseModel]] = {
    model.name: model
    for model in (Gaussian, SaltAndPepper, Poisson, PoissonGaussian, Speckle)
}


def amount_fields(model: NoiseModel | type[NoiseModel]) -> list[Field[Any]]:
    """Return the dataclass fields of a model that are amounts."""
    return [f for f in fields(model) if "unit" in f.metadata]  # type: ignore[arg-type]


def flag_fields(model: NoiseModel | type[NoiseModel]) -> list[Field[Any]]:
    """Return the dataclass fields of a model that are flags."""
    return [f for f in fields(model) if "word" in f.metadata]  # type: ignore[arg-type]


def how_to_write(model: type[NoiseModel]) -> str:
    """Return how a noise is written, with its amounts in capitals.

    Examples
    --------
    >>> how_to_write(PoissonGaussian)
    'poisson_gaussian:GAIN,READ_NOISE[,unclipped]'
    """
    amounts = ",".join(f.name.upper() for f in amount_fields(model))
    flags = "".join(f"[,{f.metadata['word']}]" for f in flag_fields(model))
    return f"{model.name}:{amounts}{flags}"


def parse_noise(text: str) -> NoiseModel:
    """Turn a noise string into a noise model.

    Parameters
    ----------
    text : str
        For example ``"gaussian:0.5"``, ``"gaussian:0..0.3,unclipped"`` or
        ``"poisson:50+salt_pepper:0.05"``.

    Returns
    -------
    NoiseModel
        The model; ``str(model)`` gives the canonical string again.

    Raises
    ------
    InvalidInputError
        If the text cannot be parsed or an amount is out of its range.

    Examples
    --------
    >>> parse_noise("gaussian:0.50")
    Gaussian(sigma=0.5, clipped=True)
    >>> parse_noise("poisson-gaussian:0.01,0..0.05").description
    'Poisson-Gaussian noise, gain 0.01 of the range for each photon, read noise 0 to \
0.05 of the range, another for each image, clipped to the range'
    """
    if not isinstance(text, str):
        raise InvalidInputError(
            f"A noise is written as text, got {text!r}. {_how_to_write_all()}"
        )
    # Names begin with a letter; the plus of 1e+3 is followed by a digit.
    parts = [_parse_part(part, text) for part in re.split(r"\+(?!\d)", text)]
    return parts[0] if len(parts) == 1 else Composed(tuple(parts))


def _parse_part(part: str, text: str) -> NoiseModel:
    name, _, rest = part.strip().partition(":")
    model = NOISE_MODELS.get(name.strip().lower().replace("-", "_"))
    if model is None:
        raise InvalidInputError(
            f"Cannot read the noise {text!r}. {_how_to_write_all()}"
        )
    words = [word.strip() for word in rest.split(",")]
    names = [f.name for f in amount_fields(model)]
    flags = {f.metadata["word"]: f for f in flag_fields(model)}
    given = words[len(names) :]
    if len(words) < len(names) or not set(given) <= set(flags) or len(given) > 1:
        raise InvalidInputError(
            f"Cannot read the noise {text!r}: write {how_to_write(model)}. "
            f"{_how_to_write_all()}"
        )
    values: dict[str, Any] = {
        key: _read_amount(word, text) for key, word in zip(names, words, strict=False)
    }
    values |= {flags[word].name: not flags[word].default for word in given}
    return model(**values)


def _how_to_write_all() -> str:
    ways = ", ".join(how_to_write(model) for model in NOISE_MODELS.values())
    return (
        f"Write one of {ways}, for example 'gaussian:0.5'. An amount LOW..HIGH is "
        "drawn for each image; a plus sign joins several noises."
    )


def _read_amount(word: str, text: str) -> Amount:
    parts = word.split("..")
    # Adding 0 makes a 0 of -0.
    numbers = [float(part) + 0.0 for part in parts if _NUMBER.fullmatch(part)]
    if len(numbers) != len(parts) or len(numbers) > 2:
        raise InvalidInputError(
            f"Cannot read the amount {word!r} of the noise {text!r}. "
            f"{_how_to_write_all()}"
        )
    return numbers[0] if len(numbers) == 1 else (numbers[0], numbers[1])


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
        usable = lowest <= value <= highest and value > 0
    if not usable:
        limits = f"from {lowest:g}" if lowest else "above 0"
        limits += f" {'to' if lowest else 'and at most'} {highest:g}"
        text = _write(value) if isinstance(value, (int, float)) else repr(value)
        raise InvalidInputError(
            f"The {amount.name} of {title} noise must be a number {limits} ({unit}), "
            f"or a range LOW..HIGH of such numbers, got {text}."
        )


def _write(value: Amount) -> str:
    numbers: Sequence[float] = value if isinstance(value, tuple) else (value,)
    return "..".join(repr(float(number)).removesuffix(".0") for number in numbers)


def _say(value: Amount) -> str:
    numbers: Sequence[float] = value if isinstance(value, tuple) else (value,)
    return " to ".join(f"{number:g}" for number in numbers)


def _draw(amount: Amount, clean: Tensor, generator: Generator) -> Any:
    """Return a number, or a tensor with one for each image that fits `clean`."""
    if not isinstance(amount, tuple):
        return amount
    low, high = amount
    levels = clean.new_empty((len(clean), *(1,) * (clean.ndim - 1)))
    return levels.uniform_(low, high, generator=generator)


def _standard_normal(clean: Tensor, generator: Generator) -> Tensor:
    # Not empty_like: drawing into its channels-last layout is slow.
    return clean.new_empty(clean.shape).normal_(generator=generator)


def _count(clean: Tensor, photons: Any, generator: Generator) -> Tensor:
    """Count photons whose mean is `photons` where `clean` is 1."""
    import torch

    rates = (clean * photons).clamp_min(0.0)
    noisy: Tensor = torch.poisson(rates, generator=generator) / photons
    return noisy
