"""Progress bars in a terminal."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from tqdm import tqdm

from ..files.steps import FileProgress

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..files.steps import BatchStep, FileOutcome, FileRemark


def show_progress(steps: Iterable[BatchStep]) -> Iterator[FileRemark | FileOutcome]:
    """Draw a bar for each file, and pass on what there is to say of it.

    Parameters
    ----------
    steps : iterable of BatchStep
        A run over one file or many.
    """
    for unit, group in groupby(steps, _unit_of):
        # For a person who waits longer than a second; none in a log.
        with tqdm(
            unit=unit, delay=1, leave=False, disable=None if unit else True
        ) as bar:
            for step in group:
                if isinstance(step, FileProgress):
                    bar.total = step.total
                    bar.update(step.done - bar.n)
                else:
                    yield step


def _unit_of(step: BatchStep) -> str:
    return step.unit if isinstance(step, FileProgress) else ""
