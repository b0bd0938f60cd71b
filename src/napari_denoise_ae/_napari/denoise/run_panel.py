"""The lower part of the Denoise widget, which never scrolls away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QCheckBox, QLabel, QProgressBar, QSlider, QWidget

from ..shared.layout import Note, OneLine, make_button, make_column, make_row
from .readout import Readout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .job import Plane
    from .outcomes import Outcome

#: The key that switches between before and after.
FLIP_KEY = "Alt-B"
#: Highest value of the slider that moves the divider between before and after.
SWIPE_STEPS = 1000


class RunPanel(QWidget):  # type: ignore[misc]
    """Warnings, the buttons of a run, its progress, and what came out."""

    def __init__(self) -> None:
        super().__init__()
        self.warning = Note()
        self.run_button = make_button(
            "Denoise", "Add the denoised layer. The layer itself is never changed."
        )
        self.cancel_button = make_button("Cancel", "Stop, and change nothing.")
        self.keep_button = make_button(
            "Keep finished", "Stop and keep the finished planes of the stack."
        )
        self.bar = QProgressBar()
        self.status = OneLine()
        self.readout = Readout()
        self.side_by_side = QCheckBox("Side by side")
        self.side_by_side.setToolTip(
            "<qt>Show the layer and its results in a grid, with names and linked "
            "contrast limits, and hide all other images. Default: off.</qt>"
        )
        self.flip_button = make_button(
            "Before / after",
            "Hide the result to see the layer before denoising, or show it again. Key: "
            f"{FLIP_KEY}.",
        )
        self.contrast_button = make_button(
            "Compare contrast",
            "Give the layer and its results the same contrast limits, which fit the "
            "result.",
        )
        self.swipe = QSlider(Qt.Orientation.Horizontal)
        self.swipe.setRange(0, SWIPE_STEPS)
        self.swipe.setToolTip(
            "<qt>Moves a divider over the visible part of the image: the layer before "
            "denoising on its left, the result on its right. Default: at the left, "
            "only the result.</qt>"
        )
        self.copy_figures = make_button(
            "Copy figures", "Copy the table to the clipboard."
        )
        self._arrange()
        self.set_busy(False)

    def _arrange(self) -> None:
        column = make_column(self)
        column.addWidget(self.warning)
        column.addLayout(
            make_row(self.run_button, self.cancel_button, self.keep_button)
        )
        for widget in (self.bar, self.status):
            # The buttons must not move when a run starts or ends.
            policy = widget.sizePolicy()
            policy.setRetainSizeWhenHidden(True)
            widget.setSizePolicy(policy)
            column.addWidget(widget)
        for widget in (self.readout, self.readout.note):
            column.addWidget(widget)
        column.addLayout(make_row(self.side_by_side, self.flip_button))
        column.addLayout(make_row(QLabel("swipe"), self.swipe))
        column.addLayout(make_row(self.contrast_button, self.copy_figures))

    def warn(self, messages: Sequence[str]) -> None:
        """Show warnings; none hides them."""
        self.warning.setText("\n".join(f"⚠ {message}" for message in messages))

    def set_busy(self, busy: bool) -> None:
        """Adapt the buttons and the bar to the start or the end of a run."""
        self.run_button.setEnabled(not busy)
        self.cancel_button.setEnabled(busy)
        self.keep_button.setEnabled(False)
        self.bar.setVisible(busy)
        self.bar.setRange(0, 0)

    def set_computing(self, on: bool) -> None:
        """Adapt them to the start or the end of computing tiles of a lazy result."""
        self.cancel_button.setEnabled(on)
        self.bar.setVisible(on)

    def show_progress(self, done: int, total: int) -> None:
        """Show the number of finished tiles."""
        self.bar.setRange(0, total)
        self.bar.setValue(done)

    def show_status(self, outcome: Outcome | None) -> None:
        """Show the last status of a run, and on which device it ran."""
        self.status.setText("" if outcome is None else outcome.status)
        figures = None if outcome is None else outcome.figures
        self.status.explain("" if figures is None else figures.device)

    def show_figures(self, outcome: Outcome, name: str, plane: Plane) -> None:
        """Show the figures of a run.

        Parameters
        ----------
        outcome : Outcome
            An outcome with figures.
        name : str
            Name of the denoised layer.
        plane : tuple of int
            Index of the displayed plane of the layer.
        """
        if outcome.figures is not None:
            self.readout.show_result(outcome.figures, name, plane, outcome.part)
            self.copy_figures.setEnabled(True)

    def clear_result(self) -> None:
        """Clear the table."""
        self.readout.clear_result()
        self.copy_figures.setEnabled(False)
