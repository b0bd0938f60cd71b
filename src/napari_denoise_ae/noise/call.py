"""Apply noise models, and name the one of another package that fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import plugins
from ..errors import DenoiseAEError

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Generator, Tensor

    from .base import NoiseModel


def apply_noise(
    model: NoiseModel, clean: Tensor, generator: Generator, *, channel_axis: int = 1
) -> Tensor:
    """Add noise to clean images, see `NoiseModel.apply`.

    Raises
    ------
    InvalidInputError
        If the noise model is of another package, and raises an error or returns
        images of another shape or dtype.
    """
    noisy: Tensor = _call(model, model.apply, clean, generator, channel_axis)
    _require_same(model, noisy, clean)
    return noisy


def apply_noise_with_inputs(
    model: NoiseModel, clean: Tensor, generator: Generator, *, channel_axis: int = 1
) -> tuple[Tensor, Tensor]:
    """Add noise to clean images, see `NoiseModel.apply_with_inputs`.

    Raises
    ------
    InvalidInputError
        See `apply_noise`.
    """
    result: Any = _call(model, model.apply_with_inputs, clean, generator, channel_axis)
    if not isinstance(result, tuple) or len(result) != 2:
        wrong = (
            f"it returned an object of type {type(result).__name__}, not two tensors"
        )
        raise plugins.failure("noise", model, wrong)
    noisy, inputs = result
    _require_same(model, noisy, clean)
    _require_same(model, inputs, clean.new_empty((len(clean), 3)))
    return noisy, inputs


def _call(
    model: NoiseModel,
    method: Callable[..., Any],
    clean: Tensor,
    generator: Generator,
    channel_axis: int,
) -> Any:
    if plugins.is_own(model):
        return method(clean, generator, channel_axis=channel_axis)
    import torch

    try:
        return method(clean, generator, channel_axis=channel_axis)
    except (DenoiseAEError, MemoryError, torch.OutOfMemoryError):
        raise
    # Another package may raise anything.
    except Exception as error:
        raise plugins.failure("noise", model, error) from error


def _require_same(model: NoiseModel, found: Any, expected: Tensor) -> None:
    shape, dtype = getattr(found, "shape", None), getattr(found, "dtype", None)
    if not isinstance(found, type(expected)):
        wrong = f"it returned an object of type {type(found).__name__}, not a tensor"
    elif (shape, dtype) != (expected.shape, expected.dtype):
        wrong = (
            f"it returned a tensor of shape {tuple(found.shape)} and {found.dtype} "
            f"instead of {tuple(expected.shape)} and {expected.dtype}"
        )
    else:
        return
    raise plugins.failure("noise", model, wrong)
