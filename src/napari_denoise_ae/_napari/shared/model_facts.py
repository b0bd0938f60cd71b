"""Describe a model, outside the GUI thread."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...errors import DenoiseAEError
from ...models.builtin import DEFAULT_MODEL
from .worker import Failed

if TYPE_CHECKING:
    from collections.abc import Generator

    from ...models.record import TrainingRecord


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Facts about a model.

    Parameters
    ----------
    description : str
        A few words about the model and its training.
    takes_noise_level : bool
        Whether the network takes the noise level as an input.
    uses_range : bool
        Whether the network sees an intensity range as 0 to 1. Others take a noise
        level, or normalize intensities by a rule of their own.
    """

    description: str
    takes_noise_level: bool
    uses_range: bool


_ANY_NOISE = "For any noise level: it is estimated, or you give it."
_AUTO = (
    "Takes the built-in rgb for color images, and gray for all others, channel by "
    "channel."
)


def load_model_facts(model: str) -> Generator[None, None, ModelFacts | Failed]:
    """Load a model and describe it."""
    yield
    from ...models.load import load_fitting

    try:
        # Both models of "auto" take the noise.
        checkpoint = load_fitting(model, 1)
    except DenoiseAEError as error:
        return Failed(str(error))
    except (RuntimeError, MemoryError, OSError) as error:
        return Failed(f"The model {model} cannot be loaded: {error}")
    network = checkpoint.outline()
    takes_noise_level = network.takes_noise_level
    description = _describe_training(checkpoint.record)
    if takes_noise_level:
        description = f"{_ANY_NOISE} {description}"
    if model == DEFAULT_MODEL and checkpoint.record is not None:
        dataset = checkpoint.record.dataset
        description = f"{_AUTO} {_ANY_NOISE} gray was trained on the {dataset}."
    return ModelFacts(description, takes_noise_level, network.uses_range)


def _describe_training(record: TrainingRecord | None) -> str:
    if record is None:
        return "Weights only: how they were trained is unknown."
    known = not math.isnan(record.val_psnr)
    psnr = f"{record.val_psnr:.2f} dB on its validation images, " if known else ""
    noise = record.noise or record.config.noise_model.description
    return (
        f"Trained on the {record.dataset} with {noise}; {psnr}epoch "
        f"{record.best_epoch} of {record.epochs_run}."
    )
