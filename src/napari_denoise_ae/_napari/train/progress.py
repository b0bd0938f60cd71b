"""Progress of a training run as text, plot and pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QCheckBox, QLabel, QVBoxLayout, QWidget

from ..shared.layout import Note
from .loss_plot import LossPlot
from .pictures import ExamplePictures

if TYPE_CHECKING:
    from ...evaluation.score import Score
    from ...training.results import EpochResult, Examples, TrainingStart
    from .steps import BatchProgress

_VALIDATION = (
    "Validation images: the same images with the same noise after every epoch. The "
    "network is not trained on them, but they determine the best epoch."
)
_TEST = (
    "Test images, denoised by the best epoch: they were used neither for training nor "
    "to determine the best epoch."
)


class TrainProgress(QWidget):  # type: ignore[misc]
    """Show the progress, the losses and example images of a run."""

    def __init__(self) -> None:
        super().__init__()
        self._facts = _label()
        self._losses = _label()
        self.plot = LossPlot()
        self._log = QCheckBox("logarithmic scale")
        self._log.setToolTip("Draw the losses on a logarithmic scale. Default: off.")
        self._log.toggled.connect(self.plot.set_log_scale)
        self._title = Note()
        self.pictures = ExamplePictures()
        self._test_scores = Note()
        self._test_scores.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(self._facts)
        layout.addWidget(self._losses)
        layout.addWidget(self.plot, 3)
        layout.addWidget(self._log)
        layout.addWidget(self._title)
        layout.addWidget(self._test_scores)
        layout.addWidget(self.pictures, 2)
        self.clear()

    def clear(self) -> None:
        """Remove everything about the previous run."""
        self._facts.setText("No run yet.")
        self._losses.setText("")
        self._title.setText("")
        self._test_scores.setText("")
        self.plot.set_history([])
        self.pictures.clear()

    def show_start(self, start: TrainingStart) -> None:
        """Show the device, the number of images and the noise of a run."""
        self._facts.setText(
            f"Device: {start.device}\n"
            f"{start.n_train:,} training and {start.n_val:,} validation images\n"
            f"{start.noise}"
        )
        self.plot.set_history(list(start.history))

    def show_remark(self, text: str) -> None:
        """Add a line to what is said about the run."""
        self._facts.setText(f"{self._facts.text()}\n{text}")

    def show_batch(self, batch: BatchProgress) -> None:
        """Show the loss of a batch until its epoch is finished."""
        self._losses.setText(f"Loss of the last batch: {batch.loss:.5f}")

    def show_epoch(self, result: EpochResult) -> None:
        """Show the losses and the PSNR of an epoch."""
        self._losses.setText(
            f"Epoch {result.epoch}: loss {result.train_loss:.5f}, "
            f"validation {result.val_loss:.5f}, {result.val_psnr:.2f} dB"
        )
        self.plot.add_epoch(result)

    def show_validation(self, examples: Examples) -> None:
        """Show validation images, denoised by the current network."""
        self._show_pictures("Validation images", _VALIDATION, examples)

    def show_test_set(self, examples: Examples) -> None:
        """Show test images, denoised by the best epoch."""
        self._show_pictures("Test images", _TEST, examples)

    def show_test_scores(self, scores: tuple[Score, ...]) -> None:
        """Show the mean scores of the noisy and the denoised test images."""
        lines = [f"All {scores[0].n:,}, {scores[0].noise}:"]
        names = ("noisy", "denoised")
        for name, score in zip(names, scores, strict=True):
            values = f"PSNR {score.psnr_mean:.2f} dB, SSIM {score.ssim_mean:.3f}"
            lines.append(f"{name}: {values}")
        self._test_scores.setText("\n".join(lines))

    def _show_pictures(self, title: str, tooltip: str, examples: Examples) -> None:
        self._title.setText(title)
        for widget in (self._title, self.pictures):
            widget.setToolTip(f"<qt>{tooltip}</qt>")
        self.pictures.set_examples(examples)


def _label() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
