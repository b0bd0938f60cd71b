"""Plot loss curves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..evaluation.figures import save_figure
from .results import best_epoch_of, watched_losses

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from .results import EpochResult

_TRAINING, _VALIDATION = "#4477aa", "#cc6677"  # distinguishable with color blindness


def save_loss_curves(
    history: Sequence[EpochResult],
    path: Path,
    *,
    smoothing: int = 1,
    has_truth: bool = True,
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
    has_truth : bool
        Whether there were clean images. Otherwise, the validation loss includes the
        noise of the images and cannot be compared with the training loss, so each has
        its own axes.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    figure = Figure(figsize=(6.4, 4.0 if has_truth else 5.6), layout="constrained")
    above = figure.add_subplot() if has_truth else figure.add_subplot(2, 1, 1)
    below = above if has_truth else figure.add_subplot(2, 1, 2, sharex=above)
    _plot(above, history, [r.train_loss for r in history], _TRAINING, "training")
    _plot_validation(below, history, smoothing)
    below.set_xlabel("epoch")
    for axes in dict.fromkeys((above, below)):
        axes.set_ylabel("mean loss per image")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(color="0.9")
        axes.legend(frameon=False)
    if not has_truth:
        below.set_ylabel("mean loss, including the noise")
    save_figure(figure, path)


def _plot_validation(
    axes: Axes, history: Sequence[EpochResult], smoothing: int
) -> None:
    """Plot the validation loss, and mark the best epoch."""
    losses, watched = [r.val_loss for r in history], watched_losses(history, smoothing)
    alpha = 1.0 if smoothing == 1 else 0.4
    _plot(axes, history, losses, _VALIDATION, "validation", alpha=alpha)
    if smoothing > 1:
        label = f"validation, mean of {smoothing} epochs (watched)"
        _plot(axes, history, watched, _VALIDATION, label, marker="")
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


def _plot(
    axes: Axes,
    history: Sequence[EpochResult],
    losses: list[float],
    color: str,
    label: str,
    **options: Any,
) -> None:
    epochs = [result.epoch for result in history]
    axes.plot(epochs, losses, **{"marker": "."} | options, color=color, label=label)
