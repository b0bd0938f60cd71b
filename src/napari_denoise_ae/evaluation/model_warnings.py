"""Check whether models fit the images that they are evaluated on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..denoising.compatibility import (
    describe_other_noise,
    is_trained_noise,
    noise_level,
)
from ..image.intensity import share_range
from ..image.planes import ArrayPlanes
from ..noise.compound import Composed, Mixture
from ..noise.spec import parse_noise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..noise.base import NoiseModel
    from .fitting import ScoredModel
    from .tasks import Task

# Maximum number of images whose noise is measured.
_N_NOISE_IMAGES = 64
# A model fits if at most this fraction of them has other noise than in training.
_ALLOWED_FRACTION = 0.2


def find_task_incompatibilities(
    task: Task, models: Mapping[str, ScoredModel]
) -> list[str]:
    """Return messages for the user on models that were trained for other noise.

    Parameters
    ----------
    task : Task
        The noisy images. The noise of the first 64 is measured.
    models : mapping
        Models by name.

    Returns
    -------
    list of str
        One message per model that does not fit.
    """
    levels = [
        noise_level(ArrayPlanes(pair.noisy, "YX"), share_range("YX", pair.input_range))
        for pair in task.pairs[:_N_NOISE_IMAGES]
    ]
    messages = []
    for name, denoiser in models.items():
        record = denoiser.checkpoint.record
        if record is None or denoiser.network.takes_noise_level:
            continue
        other = [level for level in levels if not is_trained_noise(level, record)]
        if len(other) > _ALLOWED_FRACTION * len(levels):
            level = _median_of_majority(other, record.noise_estimate[1])
            messages.append(
                describe_other_noise(level, record, name, where="these images")
            )
        elif task.noise != "real":
            messages += _find_other_kinds(task.noise, record.config.noise, name)
    return messages


def _median_of_majority(levels: list[float], trained: float) -> float:
    """Return the median of the levels above or below the level of training.

    The larger group is used: noise of varying strength may be too weak in some images
    and too strong in others.
    """
    above = [level for level in levels if level > trained]
    below = [level for level in levels if level <= trained]
    return float(np.median(above if len(above) > len(below) else below))


def _find_other_kinds(noise: str, trained: str, name: str) -> list[str]:
    """Return a message if noise of similar strength is of another kind."""
    if _kinds(parse_noise(noise)) <= _kinds(parse_noise(trained)):
        return []
    return [
        f"The model {name!r} was trained for another kind of noise ({trained}) than "
        f"that of these images ({noise}). Use a model trained for this kind."
    ]


def _kinds(model: NoiseModel) -> set[str]:
    if isinstance(model, (Composed, Mixture)):
        return set().union(*map(_kinds, model.parts))
    # Clipped or blurred noise counts as another kind. Amounts do not: strengths are
    # compared by their measured levels.
    return {",".join([model.name, *model.options, *model.flags])}
