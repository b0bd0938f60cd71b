"""Keep the layer of the Denoise form up to date."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from ..viewer.axes import choose_axes, layer_axes

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from .form import DenoiseForm


class SourceLayer(QObject):  # type: ignore[misc]
    """Follows the active layer, and watches the pixels of the chosen layer.

    Parameters
    ----------
    form : DenoiseForm
        The form in which a layer is chosen.
    viewer : napari.viewer.Viewer
        The viewer of the layers.

    Attributes
    ----------
    changed : Signal
        Emitted after another layer is chosen, or the pixels or axes of the chosen
        layer have changed.
    """

    changed = Signal()

    def __init__(self, form: DenoiseForm, viewer: Viewer) -> None:
        super().__init__()
        self._form, self._viewer = form, viewer
        self._watched = ExitStack()
        form.layer.editor.activated.connect(self._pin)
        form.layer.changed.connect(self.watch)
        form.follow.changed.connect(self.follow_active)
        form.axes.changed.connect(self._on_axes)

    def refresh(self) -> None:
        """Update the offered layers after those of the viewer have changed."""
        self._form.refresh_layers()
        self.follow_active()

    def follow_active(self) -> None:
        """Choose the active layer, unless another is pinned."""
        form, active = self._form, self._viewer.layers.selection.active
        if form.source is None:
            # The pinned layer was removed, or none is chosen yet.
            form.follow.value = True
        if not form.follow.value:
            return
        sources = form.sources()
        if active in sources:
            form.layer.value = active
        elif form.source is None and sources:
            form.layer.value = sources[-1]

    def watch(self) -> None:
        """Watch the pixels of the chosen layer."""
        layer = self._form.source
        self._watched.close()
        if layer is not None:
            for event in (layer.events.data, layer.events.axis_labels):
                event.connect(self._emit_changed)
                self._watched.callback(event.disconnect, self._emit_changed)
        self._form.refresh_references()
        self.changed.emit()

    def close(self) -> None:
        """Stop watching."""
        self._watched.close()

    def _pin(self) -> None:
        self._form.follow.value = False

    def _on_axes(self) -> None:
        layer, letters = self._form.source, self._form.axes.value
        if layer is not None and letters and letters != layer_axes(layer):
            choose_axes(layer, letters)
            self.changed.emit()

    def _emit_changed(self) -> None:
        self.changed.emit()
