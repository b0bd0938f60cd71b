"""Write figures as PNG files, above all images side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from ..io.atomic import atomic_write

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ..image.intensity import IntensityRange

_DPI = 150
# Written into each figure, so that a later run knows it.
_SOFTWARE = "napari-denoise-ae"


def save_panels(
    rows: Sequence[Sequence[NDArray[Any]]],
    titles: Sequence[str],
    path: Path,
    *,
    intensity_range: IntensityRange,
    row_titles: Sequence[str] = (),
    captions: Sequence[Sequence[str]] = (),
    panel_width: float = 3.0,
    title: str = "",
) -> None:
    """Draw rows of images side by side and write the figure as PNG.

    Parameters
    ----------
    rows : sequence of sequences of numpy.ndarray
        Images of shape (Y, X) or (Y, X, 3), any real dtype. The images of a row
        have the same size.
    titles : sequence of str
        The title of each column.
    path : pathlib.Path
        The PNG file.
    intensity_range : IntensityRange
        Intensities drawn as black and as white. Intensities outside the range
        are clipped to it.
    row_titles : sequence of str
        The title of each row, to its left. Default: none.
    captions : sequence of sequences of str
        The text below each image, for the first rows or all. Default: none.
    panel_width : float
        Width of an image, in inches. Default: 3.
    title : str
        The title of the figure. Default: none.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    aspects = [_aspect(images[0]) for images in rows]
    height = panel_width * sum(aspects) + 0.2 * len(captions)
    n_lines = 1 + max(title.count("\n") for title in titles)
    size = (panel_width * len(titles), height + 0.15 + 0.3 * (n_lines + bool(title)))
    figure = Figure(figsize=size, layout="constrained")
    figure.suptitle(title, fontsize=10)
    grid = figure.subplots(len(rows), len(titles), squeeze=False, height_ratios=aspects)
    for row, images in enumerate(rows):
        for column, image in enumerate(images):
            _draw_image(grid[row, column], image, intensity_range)
    for axes, text in zip(grid[0], titles, strict=True):
        axes.set_title(text, fontsize=10)
    for axes, text in zip(grid[:, 0], row_titles, strict=False):
        axes.set_ylabel(text, fontsize=10)
    for panels, texts in zip(grid, captions, strict=False):
        for axes, text in zip(panels, texts, strict=False):
            axes.set_xlabel(text, fontsize=8)
    save_figure(figure, path)


def _aspect(image: NDArray[Any]) -> float:
    """Return height / width, limited so that panels stay visible."""
    height, width = image.shape[:2]
    return float(min(max(height / width, 0.2), 3.0))


def _draw_image(
    axes: Axes, image: NDArray[Any], intensity_range: IntensityRange
) -> None:
    unit = np.clip(intensity_range.normalize(image), 0.0, 1.0)
    axes.imshow(unit, cmap="gray", vmin=0.0, vmax=1.0, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_frame_on(False)


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, atomically.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure; it needs no canvas.
    path : pathlib.Path
        The PNG file.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    FigureCanvasAgg(figure)
    with atomic_write(path) as temporary:
        figure.savefig(
            temporary,
            dpi=_DPI,
            format="png",
            bbox_inches="tight",
            metadata={"Software": _SOFTWARE},
        )


def is_own_figure(path: Path) -> bool:
    """Return whether a file is a figure that this package has written."""
    try:
        with Image.open(path, formats=["PNG"]) as picture:
            return bool(picture.info.get("Software") == _SOFTWARE)
    except (OSError, SyntaxError, ValueError):
        return False
