"""Editor for images to train on: a layer, or files."""

from __future__ import annotations

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


def narrow_choice(choices: Iterable[tuple[str, Any]] = ()) -> Choice:
    """Return a combo box that long titles do not widen."""
    choice = Choice(choices)
    policy = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
    choice.setSizeAdjustPolicy(policy)
    choice.setMinimumContentsLength(8)
    return choice


class ImagesEdit(Editor):
    """Choose an image layer, or enter a file, a folder or a pattern.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer of the layers.

    Attributes
    ----------
    choice : Choice
        The layers, after an entry for files.
    path : PathEdit
        The files, visible if their entry is chosen.
    """

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self.choice = narrow_choice([(_FILES, None)])
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
        """The chosen layer; None for files."""
        return self.choice.value

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
            return self.path.value
        levels = lazy_levels(layer)
        return {layer.name: levels[0] if levels else layer.data}

    def refresh(self) -> None:
        """Offer the current layers."""
        layers = [layer for layer in self._viewer.layers if isinstance(layer, Image)]
        # Results are offered, too, but after the images themselves.
        layers.sort(key=is_output)
        self.choice.set_choices(
            [(_FILES, None), *((each.name, each) for each in layers)]
        )
        self.path.setVisible(self.layer is None)

    def _on_changed(self) -> None:
        self.path.setVisible(self.layer is None)
        self.changed.emit()

    def _choose_folder(self) -> str:
        return str(QFileDialog.getExistingDirectory(self, "Folder of images"))
