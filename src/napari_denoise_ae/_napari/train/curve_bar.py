"""Options of the plot of losses: its scale, and the runs to compare with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari.utils.notifications import show_warning
from qtpy.QtWidgets import QCheckBox, QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from ...errors import DenoiseAEError
from ..shared.layout import Note, breakable, make_button
from ..shared.open_checkpoint import CHECKPOINT_FILES
from .curve import Curve, read_curve

if TYPE_CHECKING:
    from .loss_plot import LossPlot

# More lines could not be told apart.
_MOST_RUNS = 4


class CurveBar(QWidget):  # type: ignore[misc]
    """Choose the scale of a plot, and the earlier runs that it shows.

    Parameters
    ----------
    plot : LossPlot
        The plot.
    """

    def __init__(self, plot: LossPlot) -> None:
        super().__init__()
        self._plot = plot
        self.log_box = QCheckBox("log scale")
        self.log_box.setToolTip(
            "<qt>Draw the losses on a logarithmic scale. Default: off.</qt>"
        )
        self.add_button = make_button(
            "Compare…",
            "Also show the validation loss of another run: choose its checkpoint. At "
            "most 4 runs are shown, and only those with the same loss, validation "
            "images and noise.",
        )
        self.clear_button = make_button(
            "Clear", "Remove the validation losses of the other runs."
        )
        self.note = Note()
        self.log_box.toggled.connect(plot.set_log_scale)
        self.add_button.clicked.connect(self._add_run)
        self.clear_button.clicked.connect(lambda: self._show([]))
        row = QHBoxLayout()
        row.addWidget(self.log_box)
        row.addStretch(1)
        row.addWidget(self.add_button)
        row.addWidget(self.clear_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(row)
        layout.addWidget(self.note)
        plot.compared.connect(self._explain)
        self._show([])

    def add(self, curve: Curve) -> None:
        """Compare with a run; one with the same checkpoint is replaced."""
        kept = [c for c in self._plot.earlier if c.checkpoint != curve.checkpoint]
        self._show([*kept, curve][-_MOST_RUNS:])

    def remove(self, checkpoint: Path) -> None:
        """Stop comparing with a run."""
        self._show([c for c in self._plot.earlier if c.checkpoint != checkpoint])

    def _show(self, curves: list[Curve]) -> None:
        self._plot.set_earlier(curves)
        self.clear_button.setVisible(bool(curves))

    def _explain(self) -> None:
        """Say which runs are not drawn."""
        left_out = self._plot.incomparable
        lines = [
            f"{curve.name} ({curve.quantity.difference_from(self._plot.quantity)})"
            for curve in left_out
        ]
        text = f"Not drawn, because the loss cannot be compared: {', '.join(lines)}."
        self.note.setText(breakable(text) if lines else "")

    def _add_run(self) -> None:
        path = self._choose_run()
        if not path:
            return
        try:
            self.add(read_curve(Path(path)))
        except DenoiseAEError as error:
            show_warning(str(error))

    def _choose_run(self) -> str:
        path, _ = QFileDialog.getOpenFileName(
            self, "Run to compare with", "", CHECKPOINT_FILES
        )
        return str(path)
