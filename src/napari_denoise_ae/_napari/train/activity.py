"""A training run in napari's activity dock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.utils import progress

if TYPE_CHECKING:
    from .status import Status


class TrainActivity(progress):  # type: ignore[misc]
    """The bar of a run in napari's activity dock, with the time left of the widget.

    Parameters
    ----------
    name : str
        Name of the run.
    """

    time_left = ""

    def __init__(self, name: str) -> None:
        super().__init__(total=0, desc=f"Training {name}")

    def show_status(self, status: Status) -> None:
        """Show the progress and the time left of a status."""
        self.total = status.maximum
        self.n, self.time_left = status.value, status.time_left
        self.events.value(value=self.n)
        self.display()

    def display(self, *_args: object, **_options: object) -> None:
        """Show the time left, instead of tqdm's own estimate."""
        self.events.eta(value=self.time_left)
