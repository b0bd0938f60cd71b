"""Buttons, progress bar and status of training, always visible."""

from __future__ import annotations

from qtpy.QtWidgets import QLabel, QProgressBar, QVBoxLayout, QWidget

from ..shared.layout import Note, make_button, make_row


class RunBar(QWidget):  # type: ignore[misc]
    """Train and Resume, or Finish and Cancel while training, with the status.

    Attributes
    ----------
    train_button, resume_button, finish_button, cancel_button : QPushButton
        The buttons.
    bar : QProgressBar
        The progress, visible while training.
    status : QLabel
        The status.
    estimate : Note
        Time and memory of the run before it starts.
    """

    def __init__(self) -> None:
        super().__init__()
        self.train_button = make_button("Train", "Start a new run with these settings.")
        self.resume_button = make_button(
            "Resume…",
            "Resume a stopped run: choose its checkpoint. The run keeps its images, "
            "which are found among the layers by name, and its settings. Only device, "
            "epochs and patience are taken from this form; with the schedule cosine, "
            "the epochs are kept too.",
        )
        self.finish_button = make_button(
            "Finish", "End the run, or its scoring, and keep the best epoch."
        )
        self.cancel_button = make_button(
            "Cancel", "End the run and keep nothing, as if it had not been started."
        )
        self.bar = QProgressBar()
        self.status = QLabel("Ready.")
        self.status.setWordWrap(True)
        self.estimate = Note()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.estimate)
        layout.addLayout(make_row(self.train_button, self.resume_button))
        layout.addLayout(make_row(self.finish_button, self.cancel_button))
        layout.addWidget(self.bar)
        layout.addWidget(self.status)
        self.set_busy(False)

    def set_busy(self, busy: bool) -> None:
        """Show the buttons that start a run, or those that end it."""
        for button in (self.train_button, self.resume_button):
            button.setEnabled(not busy)
            button.setVisible(not busy)
        for button in (self.finish_button, self.cancel_button):
            button.setEnabled(busy)
            button.setVisible(busy)
        self.bar.setMaximum(0 if busy else 1)
        self.bar.setVisible(busy)

    def set_stopping(self) -> None:
        """Disable the buttons that end a run, because it is ending."""
        self.finish_button.setEnabled(False)
        self.cancel_button.setEnabled(False)

    def show_progress(self, value: int, maximum: int) -> None:
        """Show the progress; a maximum of 0 means that it is unknown."""
        self.bar.setMaximum(maximum)
        self.bar.setValue(value)
