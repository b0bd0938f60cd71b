"""How precisely a network computes: in float32, or faster where noise hides it."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from threading import Lock
from typing import TYPE_CHECKING, Any

import torch

from ..models.devices import has_fast_bfloat16
from .options import FAST, FLOAT32

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

#: Kinds of arithmetic besides float32.
BFLOAT16, TF32 = "bfloat16", "TF32"
# Noise level on the scale of the network's input from which bfloat16 is used. Measured
# on photographs, it then costs 0.002 to 0.006 dB of PSNR; at a level of 0.003 it costs
# up to 0.35 dB, because its errors scale with the intensities. TF32 costs 0.001 dB at
# any level.
_LOWEST_LEVEL = 0.02
# Whether TF32 is allowed is a setting of the whole process.
_TF32 = Lock()


def arithmetic(precision: str, device: torch.device, level: Any) -> str:
    """Return ``"bfloat16"``, ``"TF32"`` or ``"float32"``; see `computing`."""
    if precision != FAST:
        return FLOAT32
    is_strong = isinstance(level, float) and level >= _LOWEST_LEVEL
    if is_strong and has_fast_bfloat16(device):
        return BFLOAT16
    return TF32 if device.type == "cuda" else FLOAT32


def computing(
    precision: str, device: torch.device, level: Any
) -> AbstractContextManager[Any]:
    """Return the context in which a network is to run.

    Parameters
    ----------
    precision : str
        ``"fast"`` or ``"float32"``, see `denoise`.
    device : torch.device
        The device that computes.
    level : float, array or None
        Noise level that the network is told. bfloat16 is used only if it is a number:
        a model that takes none was not measured, and a map is that of averaged
        frames, whose noise is low.
    """
    kind = arithmetic(precision, device, level)
    if kind == BFLOAT16:
        return torch.autocast(device.type, torch.bfloat16)
    is_exact = kind == FLOAT32 and device.type == "cuda"
    return _without_tf32() if is_exact else nullcontext()


@contextmanager
def _without_tf32() -> Iterator[None]:
    with _TF32:
        is_allowed = torch.backends.cudnn.allow_tf32
        torch.backends.cudnn.allow_tf32 = False
        try:
            yield
        finally:
            torch.backends.cudnn.allow_tf32 = is_allowed
