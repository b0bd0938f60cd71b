"""Whether models fit the images that they are evaluated on."""

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
from ..noise.spec import parse_noise
from ..noise.synthetic import Composed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..denoising.denoiser import Denoiser
    from .tasks import Task

# Images whose noise is measured, and the share of them that may not fit.
_N_NOISE_IMAGES = 64
_SHARE_ALLOWED = 0.2


def find_task_incompatibilities(
    task: Task, models: Mapping[str, Denoiser]
) -> list[str]:
    """Say, in words for a user, which models were trained for other noise.

    Parameters
    ----------
    task : Task
        The noisy images; the noise of the first of them is measured.
    models : mapping
        The models by name.

    Returns
    -------
    list of str
        Empty where all models fit.
    """
    levels = [
        noise_level(ArrayPlanes(pair.noisy, "YX"), share_range("YX", pair.input_range))
        for pair in task.pairs[:_N_NOISE_IMAGES]
    ]
    found = []
    for name, denoiser in models.items():
        record = denoiser.checkpoint.record
        if record is None or denoiser.network.takes_noise_level:
            continue
        unfit = [level for level in levels if not is_trained_noise(level, record)]
        if len(unfit) > _SHARE_ALLOWED * len(levels):
            level = _typical_of_most(unfit, record.noise_estimate[1])
            found.append(
                describe_other_noise(level, record, name, where="these images")
            )
        elif task.noise != "real":
            found += _find_other_kinds(task.noise, record.config.noise, name)
    return found


def _typical_of_most(levels: list[float], trained: float) -> float:
    """Return the median of those above the level of training, or of those below.

    Noise of varying strength may be too weak in some images and too strong in others.
    """
    above = [level for level in levels if level > trained]
    below = [level for level in levels if level <= trained]
    return float(np.median(above if len(above) > len(below) else below))


def _find_other_kinds(noise: str, trained: str, name: str) -> list[str]:
    """Compare kinds of noise whose strengths are alike."""
    if _kinds(noise) <= _kinds(trained):
        return []
    return [
        f"The model {name!r} was trained for another kind of noise ({trained}) than "
        f"that of these images ({noise}). Use a model that was trained for it."
    ]


def _kinds(noise: str) -> set[str]:
    model = parse_noise(noise)
    parts = model.parts if isinstance(model, Composed) else (model,)
    # With and without clipping or blur they are different tasks; ranges are compared
    # by strength.
    return {",".join([part.name, *part.options, *part.flags]) for part in parts}
