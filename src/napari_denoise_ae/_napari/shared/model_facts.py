"""Facts about a model, read outside the GUI thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...errors import DenoiseAEError
from ...models.builtin import DEFAULT_MODEL
from .worker import Failed

if TYPE_CHECKING:
    from collections.abc import Generator

    from ...models.checkpoint import TrainingRecord


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of a model.

    Parameters
    ----------
    description : str
        What it is, in a few words.
    takes_noise_level : bool
        Whether it is told the noise level.
    """

    description: str
    takes_noise_level: bool


_ANY_NOISE = "For any noise level: it is estimated, or you give it."
_AUTO = (
    "Takes the built-in rgb for color images, and gray for all others, channel by "
    "channel."
)


def look_at_model(model: str) -> Generator[None, None, ModelFacts | Failed]:
    """Describe a model in a few words."""
    yield
    from ...models.load import load_fitting

    try:
        # Both that "auto" chooses between were trained alike.
        checkpoint = load_fitting(model, 1)
    except DenoiseAEError as error:
        return Failed(str(error))
    except (RuntimeError, MemoryError) as error:
        return Failed(f"The model {model} cannot be loaded: {error}")
    takes_noise_level = checkpoint.outline().takes_noise_level
    said = _describe_training(checkpoint.record)
    if takes_noise_level:
        said = f"{_ANY_NOISE} {said}"
    if model == DEFAULT_MODEL and checkpoint.record is not None:
        dataset = checkpoint.record.dataset
        said = f"{_AUTO} {_ANY_NOISE} Both were trained on the {dataset}."
    return ModelFacts(said, takes_noise_level)


def _describe_training(record: TrainingRecord | None) -> str:
    if record is None:
        return "Weights only: how they were trained is unknown."
    return (
        f"Trained on the {record.dataset} with "
        f"{record.config.noise_model.description}; {record.val_psnr:.2f} dB on its "
        f"validation images, epoch {record.best_epoch} of {record.epochs_run}."
    )
