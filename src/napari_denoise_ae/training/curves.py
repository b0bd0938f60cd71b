"""Plot loss curves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..evaluation.figures import save_figure
from .results import best_epoch_of, watched_losses

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .results import EpochResult

_TRAINING, _VALIDATION = "#4477aa", "#cc6677"  # distinguishable with color blindness


def save_loss_curves(
    history: Sequence[EpochResult], path: Path, *, smoothing: int = 1
) -> None:
    """Plot the training and validation loss of each epoch to a PNG file.

    Parameters
    ----------
    history : sequence of EpochResult
        Finished epochs, at least one.
    path : pathlib.Path
        PNG file to write.
    smoothing : int
        Number of epochs over which the validation loss was averaged to choose the
        best epoch. The average is drawn too, unless it is 1.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.add_subplot()
    epochs = [result.epoch for result in history]
    axes.plot(
        epochs,
        [result.train_loss for result in history],
        color=_TRAINING,
        marker=".",
        label="training",
    )
    axes.plot(
        epochs,
        [result.val_loss for result in history],
        color=_VALIDATION,
        marker=".",
        alpha=1.0 if smoothing == 1 else 0.4,
        label="validation",
    )
    watched = watched_losses(history, smoothing)
    if smoothing > 1:
        label = f"validation, mean of {smoothing} epochs (watched)"
        axes.plot(epochs, watched, color=_VALIDATION, label=label)
    best = best_epoch_of(history)
    psnr = "" if math.isnan(best.val_psnr) else f" ({best.val_psnr:.2f} dB)"
    axes.axvline(best.epoch, color="0.6", linestyle=":", zorder=0)
    axes.plot(
        best.epoch,
        watched[best.epoch - 1],
        color=_VALIDATION,
        marker="*",
        markersize=14,
        linestyle="none",
        label=f"best epoch: {best.epoch}{psnr}",
    )
    axes.set_xlabel("epoch")
    axes.set_ylabel("mean loss per image")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(color="0.9")
    axes.legend(frameon=False)
    save_figure(figure, path)
