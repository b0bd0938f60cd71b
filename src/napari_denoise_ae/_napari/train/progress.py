"""Progress of a training run as text, plot and pictures."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from ...training.results import (
    EpochResult,
    FinalExamples,
    SmallerBatches,
    TrainingStart,
    ValidationExamples,
)
from ..shared.layout import Note
from ..shared.noise_part import capitalize
from .curve import Curve, Quantity
from .curve_bar import CurveBar
from .loss_plot import LossPlot
from .pictures import ExamplePictures
from .steps import BatchProgress

if TYPE_CHECKING:
    from ...evaluation.score import Score
    from ...training.results import Examples
    from .steps import Step

_VALIDATION = (
    "Validation images: the same images with the same noise after every epoch. The "
    "network is not trained on them, but they determine the best epoch."
)
_TEST = (
    "Test images, denoised by the best epoch: they were used neither for training nor "
    "to determine the best epoch."
)


# More would be too small in a dock.
_N_PICTURES = 4


class TrainProgress(QWidget):  # type: ignore[misc]
    """Show the progress, the losses and example images of a run.

    Attributes
    ----------
    plot : LossPlot
        The losses of the run and of others.
    curves : CurveBar
        The runs to compare with.
    pictures : ExamplePictures
        The example images.
    """

    def __init__(self) -> None:
        super().__init__()
        self._checkpoint, self._has_test_set = Path(), True
        self._facts = _label()
        self._losses = _label()
        self.plot = LossPlot()
        self.curves = CurveBar(self.plot)
        self._title = Note()
        self.pictures = ExamplePictures()
        self._test_scores = Note()
        self._test_scores.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
        )
        self._arrange()
        self._clear()
        self._facts.setText("No run yet.")

    def begin(
        self, checkpoint: Path, *, has_test_set: bool = True, resumes: bool = False
    ) -> None:
        """Remove the previous run, and keep its validation loss for comparison.

        Parameters
        ----------
        checkpoint : pathlib.Path
            The checkpoint of the new run.
        has_test_set : bool
            Whether its final pictures are test images. False: validation images.
        resumes : bool
            Whether the run is resumed. It is not compared with itself then.
        """
        plot = self.plot
        if plot.history:
            self.curves.add(Curve(self._checkpoint, plot.quantity, tuple(plot.watched)))
        if resumes:
            self.curves.remove(checkpoint)
        self._checkpoint, self._has_test_set = checkpoint, has_test_set
        self._clear()

    def discard(self) -> None:
        """Remove the run, but not the earlier one."""
        self._clear()
        self._facts.setText("The run was canceled.")

    def show_step(self, step: Step) -> None:
        """Show a step of the run, if it belongs here."""
        if isinstance(step, TrainingStart):
            self.show_start(step)
        elif isinstance(step, SmallerBatches):
            self.show_remark(step.description)
        elif isinstance(step, EpochResult):
            self.show_epoch(step)
        elif isinstance(step, ValidationExamples):
            self.show_validation(step.examples)
        elif isinstance(step, BatchProgress):
            self.show_batch(step)
        elif isinstance(step, FinalExamples):
            self.show_test_set(step.examples)

    def show_start(self, start: TrainingStart) -> None:
        """Show the device, the number of images and the noise of a run."""
        self._facts.setText(
            f"Device: {start.device}\n"
            f"{start.images}\n"
            f"{capitalize(start.noise)}\n"
            f"Best epoch: lowest validation loss ({_watched(start)})"
        )
        for note in start.notes:
            self.show_remark(note)
        self.plot.smoothing = start.config.smoothing
        self.plot.quantity = Quantity.of(
            start.config,
            noise=start.noise,
            sha256=start.dataset_sha256,
            has_truth=start.has_truth,
        )
        self.plot.set_history(start.history)

    def show_remark(self, text: str) -> None:
        """Add a line to what is said about the run."""
        self._facts.setText(f"{self._facts.text()}\n{text}")

    def show_batch(self, batch: BatchProgress) -> None:
        """Show the loss of a batch until its epoch is finished."""
        self._losses.setText(f"Loss of the last batch: {batch.loss:.5f}")

    def show_epoch(self, result: EpochResult) -> None:
        """Show the losses and the PSNR of an epoch."""
        text = f"Epoch {result.epoch}: loss {result.train_loss:.5f}, "
        text += f"validation {result.val_loss:.5f}"
        # Unknown without clean images.
        if not math.isnan(result.val_psnr):
            text += f", {result.val_psnr:.2f} dB"
        self._losses.setText(text)
        self.plot.add_epoch(result)

    def show_validation(self, examples: Examples) -> None:
        """Show validation images, denoised by the current network."""
        history = self.plot.history
        when = f"after epoch {history[-1].epoch}" if history else "before training"
        self._show_pictures(f"Validation images, {when}", _VALIDATION, examples)

    def show_test_set(self, examples: Examples) -> None:
        """Show test images, or else validation images, denoised by the best epoch."""
        kind, tooltip = "Test", _TEST
        if not self._has_test_set:
            kind, tooltip = "Validation", _VALIDATION
        self._show_pictures(f"{kind} images, best epoch", tooltip, examples)

    def show_test_scores(self, scores: tuple[Score, ...]) -> None:
        """Show the mean scores of the noisy and the denoised test images."""
        lines = [f"All {scores[0].n:,}, {scores[0].noise}:"]
        names = ("noisy", "denoised")
        for name, score in zip(names, scores, strict=True):
            values = f"PSNR {score.psnr_mean:.2f} dB, SSIM {score.ssim_mean:.3f}"
            lines.append(f"{name}: {values}")
        self._test_scores.setText("\n".join(lines))

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(self._facts)
        layout.addWidget(self._losses)
        layout.addWidget(self.plot, 3)
        layout.addWidget(self.curves)
        layout.addWidget(self._title)
        layout.addWidget(self._test_scores)
        layout.addWidget(self.pictures, 2)

    def _clear(self) -> None:
        for label in (self._facts, self._losses, self._title, self._test_scores):
            label.setText("")
        self.plot.set_history([])
        self.pictures.clear()

    def _show_pictures(self, title: str, tooltip: str, examples: Examples) -> None:
        self._title.setText(title)
        for widget in (self._title, self.pictures):
            widget.setToolTip(f"<qt>{tooltip}</qt>")
        self.pictures.set_examples(
            [each if each is None else each[:_N_PICTURES] for each in examples]
        )


def _watched(start: TrainingStart) -> str:
    config = start.config
    mean = f", mean of {config.smoothing} epochs" if config.smoothing > 1 else ""
    return f"{config.loss}{mean}"


def _label() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
