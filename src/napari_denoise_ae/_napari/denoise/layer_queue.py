"""Denoise several selected layers, one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, QTimer, Signal

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer

    from .form import DenoiseForm


class LayerQueue(QObject):  # type: ignore[misc]
    """The selected layers that are still to be denoised.

    Parameters
    ----------
    form : DenoiseForm
        The form in which a layer is chosen.
    viewer : napari.viewer.Viewer
        The viewer of the layers.

    Attributes
    ----------
    next_chosen : Signal
        Emitted after the next layer was chosen in the form.
    """

    next_chosen = Signal()

    def __init__(self, form: DenoiseForm, viewer: Viewer) -> None:
        super().__init__(form)
        self._form, self._viewer = form, viewer
        self._waiting: list[Image] = []
        # After the result of the last layer has been shown.
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._choose_next)

    def fill(self) -> None:
        """Take the selected layers, if the chosen one is among them."""
        source, selection = self._form.source, self._viewer.layers.selection
        self._waiting = [
            layer
            for layer in self._form.sources()
            if source in selection and layer in selection and layer is not source
        ]

    def clear(self) -> None:
        """Denoise no further layer."""
        self._waiting.clear()

    def advance(self) -> None:
        """Choose the next layer soon, if there is one."""
        self._timer.start()

    def _choose_next(self) -> None:
        while self._waiting:
            layer = self._waiting.pop(0)
            if layer in self._viewer.layers:
                self._form.layer.value = layer
                self.next_chosen.emit()
                return
