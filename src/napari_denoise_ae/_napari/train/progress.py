"""What a training run has reached, as text, plot and pictures."""

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
    "Validation images: the same after every epoch, with the same noise. The network "
    "has not been trained on them, but they decide which epoch is the best."
)
_TEST = (
    "Test images: they had no part in training, nor in choosing the best epoch, which "
    "is what denoises them here."
)


class TrainProgress(QWidget):  # type: ignore[misc]
    """Show how far training is and how well it goes."""

    def __init__(self) -> None:
        super().__init__()
        self._facts = _label()
        self._losses = _label()
        self.plot = LossPlot()
        self._log = QCheckBox("logarithmic scale")
        self._log.setToolTip("Draw the losses on a logarithmic scale. Default: off.")
        self._log.toggled.connect(self.plot.set_log_scale)
        self._which = Note()
        self.pictures = ExamplePictures()
        self._test = Note()
        self._test.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(self._facts)
        layout.addWidget(self._losses)
        layout.addWidget(self.plot, 3)
        layout.addWidget(self._log)
        layout.addWidget(self._which)
        layout.addWidget(self._test)
        layout.addWidget(self.pictures, 2)
        self.clear()

    def clear(self) -> None:
        """Forget the run before."""
        self._facts.setText("No run yet.")
        self._losses.setText("")
        self._which.setText("")
        self._test.setText("")
        self.plot.set_history([])
        self.pictures.clear()

    def show_start(self, start: TrainingStart) -> None:
        """Show what a run is made of."""
        self._facts.setText(
            f"Device: {start.device}\n"
            f"{start.n_train:,} images train, {start.n_val:,} validate\n{start.noise}"
        )
        self.plot.set_history(list(start.history))

    def show_batch(self, batch: BatchProgress) -> None:
        """Show the loss of a batch, until its epoch is over."""
        self._losses.setText(f"Loss of the last batch: {batch.loss:.5f}")

    def show_epoch(self, result: EpochResult) -> None:
        """Show what an epoch has reached."""
        self._losses.setText(
            f"Epoch {result.epoch}: loss {result.train_loss:.5f}, "
            f"validation {result.val_loss:.5f}, {result.val_psnr:.2f} dB"
        )
        self.plot.add_epoch(result)

    def show_validation(self, examples: Examples) -> None:
        """Show validation images, denoised by the network as it is now."""
        self._show_pictures(_VALIDATION, examples)

    def show_test_set(self, examples: Examples) -> None:
        """Show images of the test set, denoised by the best epoch."""
        self._show_pictures(_TEST, examples)

    def show_test_scores(self, scores: tuple[Score, ...]) -> None:
        """Show the scores of the noisy and of the denoised images of the test set."""
        lines = [f"All {scores[0].n:,}, {scores[0].noise}:"]
        names = ("noisy", "denoised")
        for name, score in zip(names, scores, strict=True):
            figures = f"PSNR {score.psnr_mean:.2f} dB, SSIM {score.ssim_mean:.3f}"
            lines.append(f"{name}: {figures}")
        self._test.setText("\n".join(lines))

    def _show_pictures(self, which: str, examples: Examples) -> None:
        self._which.setText(which.partition(":")[0])
        for widget in (self._which, self.pictures):
            widget.setToolTip(f"<qt>{which}</qt>")
        self.pictures.set_examples(examples)


def _label() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
