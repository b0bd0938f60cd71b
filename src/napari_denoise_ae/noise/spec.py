"""Parse noise strings such as ``gaussian:0.1``, and explain their syntax."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .. import plugins
from ..errors import DenoiseAEError, InvalidInputError
from .base import amount_fields, flag_fields, option_fields
from .compound import Composed, Mixture
from .synthetic import NOISE_MODELS, noise_model, noise_models

if TYPE_CHECKING:
    from .base import Amount, NoiseModel

# Stricter than float(), which accepts 0_1; nan and -1 are rejected later.
_NUMBER = re.compile(
    r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|nan|inf)", re.ASCII | re.IGNORECASE
)


def how_to_write(model: type[NoiseModel]) -> str:
    """Return the syntax of a noise string, with the amounts in capitals.

    Examples
    --------
    >>> from napari_denoise_ae.noise.synthetic import PoissonGaussian
    >>> how_to_write(PoissonGaussian)
    'poisson-gaussian:GAIN,READ_NOISE[,unclipped]'
    """
    amounts = ",".join(f.name.upper() for f in amount_fields(model))
    options = "".join(f"[,{f.name}={f.name.upper()}]" for f in option_fields(model))
    flags = "".join(f"[,{f.metadata['word']}]" for f in flag_fields(model))
    return f"{model.name}:{amounts}{options}{flags}"


def parse_noise(text: str) -> NoiseModel:
    """Turn a noise string into a noise model.

    Parameters
    ----------
    text : str
        For example ``"gaussian:0.5"``, ``"gaussian:0..0.3,unclipped"``,
        ``"gaussian:0.1,blur=1"`` or ``"poisson:50+salt-pepper:0.05"``.

    Returns
    -------
    NoiseModel
        The model; ``str(model)`` returns the canonical noise string.

    Raises
    ------
    InvalidInputError
        If the text cannot be parsed or an amount is out of its range.

    Examples
    --------
    >>> parse_noise("speckle:0.50")
    Speckle(sigma=0.5, clipped=True)
    >>> parse_noise("poisson-gaussian:0.01,0..0.05").description
    'Poisson-Gaussian noise, gain 0.01 of the range for each photon, read noise 0 to \
0.05 of the range, drawn for each image, clipped to the range'
    """
    if not isinstance(text, str):
        raise InvalidInputError(
            f"A noise must be a string, got {text!r}. {_how_to_write_all()}"
        )
    if "|" in text:
        return _parse_mixture(text)
    return _parse_sum(text, text)


def _parse_mixture(text: str) -> NoiseModel:
    weights, parts = [], []
    for part in text.split("|"):
        weight, sign, rest = part.partition("*")
        if not sign or not _NUMBER.fullmatch(weight.strip()):
            raise InvalidInputError(
                f"Cannot parse {part.strip()!r} of the mixture {text!r}: write its "
                "probability and a star before each noise, such as "
                "0.6*gaussian:0.1|0.4*gaussian:0.1,blur=1."
            )
        weights.append(float(weight))
        parts.append(_parse_sum(rest, text))
    return Mixture(tuple(parts), tuple(weights))


def _parse_sum(part: str, text: str) -> NoiseModel:
    # A plus sign before a digit is that of a number such as 1e+3.
    parts = [_parse_part(each, text) for each in re.split(r"\+(?!\d)", part)]
    return parts[0] if len(parts) == 1 else Composed(tuple(parts))


def _parse_part(part: str, text: str) -> NoiseModel:
    name, _, rest = part.strip().partition(":")
    model = noise_model(name.strip().lower())
    if model is None:
        raise InvalidInputError(
            f"Cannot parse the noise {text!r}. {_how_to_write_all()}"
        )
    words = [word.strip() for word in rest.split(",")]
    names = [f.name for f in amount_fields(model)]
    values = dict(zip(names, words, strict=False))
    flags = {f.metadata["word"]: f for f in flag_fields(model)}
    options = {f.name for f in option_fields(model)}
    extras = [_split_word(word) for word in words[len(names) :]]
    given = [key for key, _ in extras]
    fits = all(
        key in flags if value is None else key in options for key, value in extras
    )
    if len(words) < len(names) or not fits or len(set(given)) < len(given):
        raise InvalidInputError(
            f"Cannot parse the noise {text!r}: write {how_to_write(model)}. "
            f"{_how_to_write_all()}"
        )
    values |= {key: value for key, value in extras if value is not None}
    amounts = {key: _read_amount(word, text) for key, word in values.items()}
    switched = {flags[key] for key, value in extras if value is None}
    return _make(model, amounts | {f.name: not f.default for f in switched})


def _make(model: type[NoiseModel], values: dict[str, Any]) -> NoiseModel:
    try:
        return model(**values)
    except Exception as error:
        if model in NOISE_MODELS.values() or isinstance(error, DenoiseAEError):
            raise
        raise plugins.failure("noise", model, error) from error


def _split_word(word: str) -> tuple[str, str | None]:
    """Split NAME=AMOUNT; a flag has no amount."""
    key, sign, amount = word.partition("=")
    return key.strip(), amount.strip() if sign else None


def _how_to_write_all() -> str:
    forms = ", ".join(how_to_write(model) for model in noise_models().values())
    return (
        f"Write one of {forms}, for example 'gaussian:0.5'. An amount LOW..HIGH is "
        "drawn for each image; a plus sign joins several noises; a mixture of which "
        "one is drawn for each image has bars and probabilities, "
        "0.6*gaussian:0.1|0.4*speckle:0.1."
    )


def _read_amount(word: str, text: str) -> Amount:
    parts = word.split("..")
    # Adding 0 turns -0 into 0.
    numbers = [float(part) + 0.0 for part in parts if _NUMBER.fullmatch(part)]
    if len(numbers) != len(parts) or len(numbers) > 2:
        raise InvalidInputError(
            f"Cannot parse the amount {word!r} of the noise {text!r}. "
            f"{_how_to_write_all()}"
        )
    return numbers[0] if len(numbers) == 1 else (numbers[0], numbers[1])
