"""What came out of a run, kept for each layer with the settings that led to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Image

    from .job import DenoiseJob
    from .result import Denoised


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the window shows after a run.

    Parameters
    ----------
    status : str
        The last status of the run.
    figures : Denoised, optional
        The result without its pixels; None for a lazy layer.
    part : tuple of slice, optional
        The denoised part of the layer; None for all of it.
    """

    status: str
    figures: Denoised | None
    part: tuple[slice, ...] | None


class _Same:
    """Equals another if both are of the same object, which still exists.

    The `id` of a freed array soon belongs to another one.
    """

    __slots__ = ("_reference",)

    def __init__(self, target: Any) -> None:
        self._reference: Callable[[], Any]
        try:
            self._reference = ref(target)
        except TypeError:  # its class has no weak references
            self._reference = lambda: target

    def __eq__(self, other: object) -> bool:
        target = self._reference()
        is_same = isinstance(other, _Same) and target is other._reference()
        return is_same and target is not None

    __hash__ = None  # type: ignore[assignment]


class Outcomes:
    """Remembers the last outcome of each layer, as long as the layer exists."""

    def __init__(self) -> None:
        self._outcomes: WeakKeyDictionary[Image, tuple[Any, Outcome]]
        self._outcomes = WeakKeyDictionary()

    def store(
        self,
        layer: Image,
        job: DenoiseJob,
        shown: Image,
        result: Denoised | None,
        status: str,
    ) -> None:
        """Remember the outcome of a run, and the layer that shows it.

        The result is None for a lazy layer.
        """
        figures = None if result is None else result.without_pixels()
        outcome = Outcome(status, figures, job.part)
        self._outcomes[layer] = (_settings(job, shown), outcome)

    def find(
        self, layer: Image, job: DenoiseJob, shown: Image | None
    ) -> Outcome | None:
        """Return the outcome of a layer.

        It is None unless a job has the settings that led to it, and the layer with the
        result is the same and has the same pixels.
        """
        settings, outcome = self._outcomes.get(layer, (None, None))
        is_same = shown is not None and settings == _settings(job, shown)
        return outcome if is_same else None


def _settings(job: DenoiseJob, shown: Image) -> tuple[Any, ...]:
    return (
        _Same(job.data),
        _Same(shown),
        _Same(shown.data),
        job.model,
        job.options,
        job.noise,
        job.seed if job.noise is not None else None,
        None if job.reference is None else _Same(job.reference),
        job.part,
    )
