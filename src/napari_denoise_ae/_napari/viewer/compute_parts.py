"""Compute the parts of a lazy result one after another, in a worker thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import DenoiseAEError
from ..shared.worker import Failed

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from dask.array import Array
    from numpy.typing import NDArray

    from .parts import Part


@dataclass(frozen=True, slots=True)
class Step:
    """A part of the result to compute, or of the source to show meanwhile."""

    part: Part
    is_source: bool = False


def compute_parts(
    next_step: Callable[[], Step | None],
    levels: Sequence[Array],
    sources: Sequence[Any],
) -> Generator[tuple[Step, NDArray[Any] | Failed], None, None]:
    """Compute one part after another until `next_step` returns None.

    Parameters
    ----------
    next_step : callable
        Returns the part to compute next.
    levels : sequence of dask.array.Array
        The levels of the result.
    sources : sequence of array
        What the levels are made from.
    """
    while (step := next_step()) is not None:
        arrays = sources if step.is_source else levels
        yield step, _compute(arrays[step.part.level], step.part.index)


def _compute(array: Any, index: tuple[slice, ...]) -> NDArray[Any] | Failed:
    try:
        return np.asarray(array[index])
    except DenoiseAEError as error:
        return Failed(str(error))
    except (RuntimeError, MemoryError, OSError) as error:
        return Failed(f"Denoising the visible part failed: {error}")
