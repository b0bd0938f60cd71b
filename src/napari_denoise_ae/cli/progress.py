"""Progress bars in a terminal."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from tqdm import tqdm

from ..files.steps import FileProgress

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..files.steps import BatchStep, FileOutcome, FileRemark


def show_progress(
    steps: Iterable[BatchStep], *, visible: bool = True
) -> Iterator[FileRemark | FileOutcome]:
    """Draw progress bars on standard error and yield the other steps.

    Parameters
    ----------
    steps : iterable of BatchStep
        The steps of a run over one file or several.
    visible : bool
        Whether to draw the bars.

    Yields
    ------
    FileRemark or FileOutcome
        Every step that is not progress.
    """
    for unit, group in groupby(steps, _unit_of):
        # Shown only in a terminal, and only if it takes longer than a second.
        with tqdm(
            unit=unit, delay=1, leave=False, disable=None if unit and visible else True
        ) as bar:
            for step in group:
                if isinstance(step, FileProgress):
                    bar.total = step.total
                    bar.update(step.done - bar.n)
                else:
                    yield step


def _unit_of(step: BatchStep) -> str:
    return step.unit if isinstance(step, FileProgress) else ""
