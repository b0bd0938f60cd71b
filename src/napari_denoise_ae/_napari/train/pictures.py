"""Noisy, denoised and clean versions of a few images, in rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QRect, QSize, Qt
from qtpy.QtGui import QImage, QPainter
from qtpy.QtWidgets import QSizePolicy, QWidget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from qtpy.QtGui import QPaintEvent

_ROWS = ("noisy", "denoised", "clean")
_GAP = 6  # pixels between the row labels and the images


class ExamplePictures(QWidget):  # type: ignore[misc]
    """Draw two or three rows of small images, enlarged to fit without smoothing.

    Attributes
    ----------
    rows : tuple of str
        The labels of the rows.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rows: tuple[str, ...] = ()
        self._image: QImage | None = None
        self.setSizePolicy(
            QSizePolicy.Policy.Expanding, QSizePolicy.Policy.MinimumExpanding
        )

    def set_examples(self, examples: Sequence[NDArray[np.float32] | None]) -> None:
        """Show noisy, denoised and clean images, each (N, Y, X, channels) in [0, 1].

        Clean images may be None if they are unknown.
        """
        known = [images for images in examples if images is not None]
        self.rows = _ROWS[: len(known)]
        rows = [np.concatenate(list(images), axis=1) for images in known]
        grid = np.concatenate(rows, axis=0).clip(0, 1)
        rgb = np.broadcast_to(grid, (*grid.shape[:2], 3)) * 255
        pixels = np.ascontiguousarray(rgb.round().astype(np.uint8))
        height, width = pixels.shape[:2]
        view = QImage(
            pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888
        )
        # Copied, because a QImage does not own the bytes it is made from.
        self._image = view.copy()
        self.update()

    def clear(self) -> None:
        """Remove the images."""
        self._image, self.rows = None, ()
        self.update()

    def sizeHint(self) -> QSize:
        """Return a size that fits a dock."""
        return QSize(280, 130)

    def minimumSizeHint(self) -> QSize:
        """Return the smallest size at which the images are recognizable."""
        return QSize(200, 96)

    def paintEvent(self, _: QPaintEvent) -> None:
        """Draw the images and the row labels."""
        if self._image is None:
            return
        painter = QPainter(self)
        metrics = painter.fontMetrics()
        left = max(metrics.horizontalAdvance(name) for name in _ROWS) + _GAP
        size = self._image.size().scaled(
            self.width() - left, self.height(), Qt.AspectRatioMode.KeepAspectRatio
        )
        painter.drawImage(QRect(left, 0, size.width(), size.height()), self._image)
        painter.setPen(self.palette().text().color())
        row_height = size.height() // len(self.rows)
        for row, name in enumerate(self.rows):
            frame = QRect(0, row * row_height, left - _GAP, row_height)
            painter.drawText(frame, Qt.AlignmentFlag.AlignVCenter, name)
        painter.end()
