"""Optimizers by the name that configs use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ..native_libraries import load_triton_apart

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..models.config import TrainingConfig


def make_optimizer(
    parameters: Iterable[torch.nn.Parameter], config: TrainingConfig
) -> torch.optim.Optimizer:
    """Make the optimizer that a config names, with torch's own defaults.

    Parameters
    ----------
    parameters : iterable of torch.nn.Parameter
        What to optimize.
    config : TrainingConfig
        Its `optimizer` and `learning_rate` are used.

    Returns
    -------
    torch.optim.Optimizer
        The optimizer.
    """
    load_triton_apart()
    kind = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
    # One pass over all weights: on a CPU an eighth of a small network's training.
    return kind(parameters, lr=config.learning_rate, fused=True)
