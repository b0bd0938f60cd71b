"""Figures as PNG files: loss curves, and images side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .files import atomic_write

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from .intensity import IntensityRange
    from .training import EpochResult

_TRAINING, _VALIDATION = "#4477aa", "#cc6677"  # told apart by the colour-blind
_DPI = 150


def save_loss_curves(history: Sequence[EpochResult], path: Path) -> None:
    """Draw training and validation loss over the epochs.

    Parameters
    ----------
    history : sequence of EpochResult
        The finished epochs, at least one.
    path : pathlib.Path
        The PNG file.

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
        label="validation",
    )
    best = next(result for result in reversed(history) if result.is_best)
    axes.axvline(best.epoch, color="0.6", linestyle=":", zorder=0)
    axes.plot(
        best.epoch,
        best.val_loss,
        color=_VALIDATION,
        marker="*",
        markersize=14,
        linestyle="none",
        label=f"best epoch: {best.epoch} ({best.val_psnr:.2f} dB)",
    )
    axes.set_xlabel("epoch")
    axes.set_ylabel("mean loss of an image")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(color="0.9")
    axes.legend(frameon=False)
    _save(figure, path)


def save_panels(
    rows: Sequence[Sequence[NDArray[Any]]],
    titles: Sequence[str],
    path: Path,
    *,
    intensity_range: IntensityRange,
) -> None:
    """Draw rows of images of one size side by side.

    Parameters
    ----------
    rows : sequence of sequences of numpy.ndarray
        Images of shape (Y, X) or (Y, X, 3), any real dtype.
    titles : sequence of str
        One title a column.
    path : pathlib.Path
        The PNG file.
    intensity_range : IntensityRange
        Intensities drawn as black and as white; what lies outside is drawn
        as one of the two.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    height, width = rows[0][0].shape[:2]
    # Columns of 3 inches, unless the images are very wide or very high.
    aspect = min(max(height / width, 0.2), 3.0)
    size = (3.0 * len(titles), 3.0 * aspect * len(rows) + 0.45)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(rows), len(titles), squeeze=False)
    for row, images in enumerate(rows):
        for column, image in enumerate(images):
            _draw_image(grid[row, column], image, intensity_range)
    for axes, title in zip(grid[0], titles, strict=True):
        axes.set_title(title, fontsize=10)
    _save(figure, path)


def _draw_image(axes: Axes, image: NDArray[Any], scale: IntensityRange) -> None:
    unit = np.clip(scale.to_unit(image), 0.0, 1.0)
    axes.imshow(unit, cmap="gray", vmin=0.0, vmax=1.0, interpolation="nearest")
    axes.set_axis_off()


def _save(figure: Figure, path: Path) -> None:
    FigureCanvasAgg(figure)
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=_DPI, format="png", bbox_inches="tight")
