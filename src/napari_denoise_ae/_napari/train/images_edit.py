"""Editor for images to train on: a layer, or files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image
from qtpy.QtWidgets import QComboBox, QFileDialog, QVBoxLayout

from ..shared.editors import Choice, Editor, PathEdit
from ..viewer.layers import lazy_levels
from ..viewer.outputs import is_output

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari.viewer import Viewer

_FILES = "files"
_NONE = "none"


def narrow_choice(choices: Iterable[tuple[str, Any]] = ()) -> Choice:
    """Return a combo box that long titles do not widen."""
    choice = Choice(choices)
    policy = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
    choice.setSizeAdjustPolicy(policy)
    choice.setMinimumContentsLength(8)
    return choice


def layer_pixels(layer: Image) -> Any:
    """Return the pixels of a layer, those of the largest level if it has several."""
    levels = lazy_levels(layer)
    return levels[0] if levels else layer.data


class ImagesEdit(Editor):
    """Choose an image layer, or enter a file, a folder or a pattern.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer of the layers.
    none : str
        Title of an entry for no images, the default; empty if they are needed.

    Attributes
    ----------
    choice : Choice
        The layers, after an entry for files.
    path : PathEdit
        The files, visible if their entry is chosen.
    """

    def __init__(self, viewer: Viewer, *, none: str = "") -> None:
        super().__init__()
        self._viewer = viewer
        self._entries = [*([(none, _NONE)] if none else []), (_FILES, None)]
        self.choice = narrow_choice(self._entries)
        self.choice.value = self._entries[0][1]
        self.path = PathEdit(
            "", self._choose_folder, placeholder="file, folder or *.tif"
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.choice)
        layout.addWidget(self.path)
        self.choice.changed.connect(self._on_changed)
        self.path.changed.connect(self.changed)
        self.refresh()

    @property
    def layer(self) -> Image | None:
        """The chosen layer; None for files and for no images."""
        chosen = self.choice.value
        return chosen if isinstance(chosen, Image) else None

    @property
    def is_none(self) -> bool:
        """Whether the entry for no images is chosen."""
        return bool(self.choice.value == _NONE)

    @property
    def value(self) -> str | Image:
        """The chosen layer, or the entered path."""
        return self.path.value if self.layer is None else self.layer

    @value.setter
    def value(self, value: str | Image) -> None:
        is_path = isinstance(value, str)
        if is_path:
            self.path.value = value
        self.choice.value = None if is_path else value

    @property
    def images(self) -> Any:
        """The images as `train` takes them: a path, or pixels by the layer's name."""
        layer = self.layer
        if layer is None:
            return str(Path(self.path.value).expanduser())
        return {layer.name: layer_pixels(layer)}

    def refresh(self) -> None:
        """Offer the current layers."""
        layers = [layer for layer in self._viewer.layers if isinstance(layer, Image)]
        # Results are offered, too, but after the images themselves.
        layers.sort(key=is_output)
        self.choice.set_choices(
            [*self._entries, *((each.name, each) for each in layers)]
        )
        self._show_path()

    def _on_changed(self) -> None:
        self._show_path()
        self.changed.emit()

    def _show_path(self) -> None:
        self.path.setVisible(self.choice.value is None)

    def _choose_folder(self) -> str:
        return str(QFileDialog.getExistingDirectory(self, "Folder of images"))
