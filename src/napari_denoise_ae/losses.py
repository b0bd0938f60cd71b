"""Losses by name. A new loss is one function and one line in `LOSSES`.

Each takes ``(denoised, clean)``, two tensors of the same shape in [0, 1], and
returns their mean loss as a tensor without dimensions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


def mse(denoised: Tensor, clean: Tensor) -> Tensor:
    """Mean squared error: what PSNR measures; favours smooth results."""
    return (denoised - clean).square().mean()


def l1(denoised: Tensor, clean: Tensor) -> Tensor:
    """Mean absolute error: less drawn by outliers than the mean squared error."""
    return (denoised - clean).abs().mean()


#: Losses by the name that configs and the command line use.
LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"mse": mse, "l1": l1}
