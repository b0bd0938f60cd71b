"""Optimizers, and what has to be loaded before the first of them."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .config import TrainingConfig


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
    _load_triton_apart()
    kind = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
    return kind(parameters, lr=config.learning_rate)


def _load_triton_apart() -> None:
    """Keep triton's LLVM apart from that of Mesa's OpenGL.

    The first optimizer makes torch import triton. Where a window has loaded
    Mesa's software OpenGL before, triton's library then finds Mesa's LLVM
    symbols instead of its own and the process dies of a segmentation fault.
    Loaded with RTLD_DEEPBIND, a library prefers its own symbols.
    """
    name = "triton._C.libtriton"
    if sys.platform != "linux" or name in sys.modules or not find_spec("triton"):
        return
    flags = sys.getdlopenflags()
    sys.setdlopenflags(flags | os.RTLD_DEEPBIND)
    try:
        import_module(name)
    finally:
        sys.setdlopenflags(flags)
