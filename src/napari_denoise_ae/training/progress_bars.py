"""Progress bars of a training run, for the shell, Python and notebooks."""

from __future__ import annotations

import math
import sys
import warnings
from typing import TYPE_CHECKING, Any, NoReturn

from tqdm import TqdmWarning

from ..evaluation.score import ScoringProgress
from ..io.download import DownloadProgress
from .results import (
    BatchResult,
    EpochResult,
    FinalExamples,
    SmallerBatches,
    TrainingStart,
)

with warnings.catch_warnings():
    # In a notebook without ipywidgets, the bars are text.
    warnings.simplefilter("ignore", TqdmWarning)
    from tqdm.auto import tqdm

if TYPE_CHECKING:
    from .results import RunStep


class ProgressBars:
    """Progress bars of the download, training, and scoring, on standard error.

    Parameters
    ----------
    visible : bool
        Whether to draw the bars.
    """

    def __init__(self, *, visible: bool) -> None:
        self._visible = visible
        self._bar: _TrainingBar | tqdm[NoReturn] | None = None

    def show(self, step: RunStep) -> None:
        """Show a step."""
        if not self._visible:
            return
        if isinstance(step, DownloadProgress):
            self._count(step, desc="CIFAR-10", unit="B", unit_scale=True)
        elif isinstance(step, ScoringProgress):
            self._count(step, desc="test", unit="image")
        elif isinstance(step, TrainingStart):
            self.close()
            self._bar = _TrainingBar(step)
        elif isinstance(step, FinalExamples):
            self.close()
        elif isinstance(self._bar, _TrainingBar):
            self._bar.show(step)

    def close(self) -> None:
        """Close the current bar."""
        if self._bar is not None:
            self._bar.close()
        self._bar = None

    def _count(self, step: DownloadProgress | ScoringProgress, **options: Any) -> None:
        if self._bar is None:
            self._bar = tqdm(leave=False, **options)
        if not isinstance(self._bar, _TrainingBar):
            self._bar.total = step.total or None
            self._bar.update(step.done - self._bar.n)


class _TrainingBar:
    """A progress bar over all batches of a run, with a line for each epoch."""

    def __init__(self, start: TrainingStart) -> None:
        self._start = start
        self._val_loss = ""
        self._bar: tqdm[NoReturn] = tqdm(
            # The remaining time is for all epochs; early stopping can only shorten it.
            total=start.epochs * start.n_batches,
            initial=len(start.history) * start.n_batches,
            unit="batch",
            # Fewer updates when the output goes to a log file.
            mininterval=0.5 if sys.stderr.isatty() else 5.0,
            dynamic_ncols=True,
            bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}, at most "
            "{remaining} left, {rate_fmt}{postfix}",
        )

    def show(self, step: RunStep) -> None:
        if isinstance(step, EpochResult):
            self._val_loss = f", val_loss {step.val_loss:.5f}"
            line = describe_epoch(step, self._start.epochs)
            self._bar.write(line, file=sys.stderr)
        elif isinstance(step, SmallerBatches):
            self._bar.write(step.description, file=sys.stderr)
        # Reading the loss waits for the device, so do it only when the bar is drawn.
        elif isinstance(step, BatchResult) and self._bar.update():
            self._bar.set_description(
                f"epoch {step.epoch}/{self._start.epochs}, "
                f"batch {step.batch}/{step.n_batches}",
                refresh=False,
            )
            losses = f"loss {float(step.loss):.5f}{self._val_loss}"
            self._bar.set_postfix_str(losses, refresh=False)

    def close(self) -> None:
        self._bar.close()


def describe_epoch(result: EpochResult, epochs: int) -> str:
    """Summarize a finished epoch in one line."""
    known = not math.isnan(result.val_psnr)
    psnr = f"  val_psnr {result.val_psnr:.2f} dB" if known else ""
    return (
        f"epoch {result.epoch:>3}/{epochs}  loss {result.train_loss:.5f}  "
        f"val_loss {result.val_loss:.5f}{psnr}  {result.seconds:.1f} s"
        + ("  best" if result.is_best else "")
    )
