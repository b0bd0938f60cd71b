"""Reasons why a model may not fit the images it is evaluated on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..denoising.compatibility import find_noise_misfit, relative_noise
from ..noise.spec import parse_noise
from ..noise.synthetic import Composed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..denoising.denoiser import Denoiser
    from .tasks import Task

# Images whose noise is measured, and the share of them that may not fit.
_N_NOISE_IMAGES = 64
_MISFITS_ALLOWED = 0.2


def find_misfits(task: Task, models: Mapping[str, Denoiser]) -> list[str]:
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
    estimates = [
        relative_noise(pair.noisy, pair.input_range)
        for pair in task.pairs[:_N_NOISE_IMAGES]
    ]
    found = []
    for name, denoiser in models.items():
        record = denoiser.checkpoint.record
        if record is None or denoiser.network.takes_noise_level:
            continue
        unfit = [e for e in estimates if find_noise_misfit(e, record, name)]
        if len(unfit) > _MISFITS_ALLOWED * len(estimates):
            # Of a range of noise some images may have too little, some too much.
            more = [e for e in unfit if e > record.noise_estimate[1]]
            side = (
                more if 2 * len(more) > len(unfit) else sorted(set(unfit) - set(more))
            )
            median = float(np.median(side))
            found += find_noise_misfit(median, record, name, several=True)
        elif task.noise != "real":
            found += _find_other_kinds(task.noise, record.config.noise, name)
    return found


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
    # With and without clipping they are two tasks; ranges are compared by strength.
    return {",".join([part.name, *part.flags]) for part in parts}
