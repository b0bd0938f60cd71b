"""Fields for the images to train on, and the model to start from."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QFileDialog

from ...errors import InvalidInputError
from ...models.builtin import DEFAULT_MODEL
from ..shared.editors import PathEdit, make_line
from ..shared.fields import FieldSpec
from ..shared.model_choice import model_choice, unwrap_proxy
from ..shared.preferences import preferences
from ..viewer.axes import layer_axes
from .images_edit import ImagesEdit, narrow_choice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari.layers import Image
    from napari.viewer import Viewer

    from ..shared.fields import Field

CIFAR10, IMAGES, PAIRS, REPEATS = "data", "images", "pairs", "repeats"
ADAPT, NOISE2VOID = "adapt", "noise2void"
_TITLES = {
    CIFAR10: "CIFAR-10",
    IMAGES: "my clean images",
    PAIRS: "pairs of images",
    REPEATS: "repeats",
    ADAPT: "my noisy layer: adapt",
    NOISE2VOID: "my noisy layer: Noise2Void",
}
_WHEN = {
    CIFAR10: "To see how training works: 60,000 small color photographs.",
    IMAGES: "For clean images like those to denoise. Noise is added to them.",
    PAIRS: "For noisy images that each have a clean version of the same name and "
    "shape.",
    REPEATS: "For several noisy images of a scene that does not move, such as the "
    "frames of a stack.",
    ADAPT: "For noisy images alone. A model is fine-tuned to them, and kept only if it "
    "gets better.",
    NOISE2VOID: "For noisy images alone, of a kind that no model knows. It takes "
    "the longest.",
}
_LABELS = {IMAGES: "clean", REPEATS: "stack"}
_RANDOM = "random weights"


class SourceFields(QObject):  # type: ignore[misc]
    """The fields that say what to train on; each kind of data shows only its own.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer of the layers.

    Attributes
    ----------
    changed : Signal
        Emitted after another kind of data or another start has been chosen, which
        have other defaults.
    """

    changed = Signal()

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = unwrap_proxy(viewer)
        self._fields: Mapping[str, Field] = {}

    @property
    def kind(self) -> str:
        """The kind of data, named like the argument of `train`."""
        return str(self._fields["train_on"].value)

    @property
    def start_from(self) -> str | None:
        """The model to start from; None for random weights and for CIFAR-10."""
        return None if self.kind == CIFAR10 else self._fields["start_from"].value

    def specs(self) -> tuple[FieldSpec, ...]:
        """Describe the fields."""
        images = partial(ImagesEdit, self._viewer)
        return (
            FieldSpec(
                "train_on",
                "train on",
                partial(narrow_choice, [(t, kind) for kind, t in _TITLES.items()]),
                "The images to learn from. Default: CIFAR-10.",
            ),
            _data_spec(),
            FieldSpec(
                "images",
                "noisy",
                images,
                "An image layer, a file, a folder of files or a pattern such as "
                "scans/*.tif. They are only read. Default: none.",
            ),
            FieldSpec(
                "clean",
                "clean",
                images,
                "The clean images: a layer, a file, a folder or a pattern. Default: "
                "none.",
            ),
            FieldSpec(
                "axes",
                "axes",
                partial(make_line, placeholder="from the images"),
                "One letter for each axis, such as TYX. Default: empty, those of the "
                "layer or the file.",
            ),
            FieldSpec(
                "start_from",
                "start from",
                narrow_choice,
                "Model whose weights training begins with, which takes far less time "
                "than random weights. Default: auto, the built-in model for the colors "
                "of the images.",
            ),
        )

    def connect(self, fields: Mapping[str, Field]) -> None:
        """Use these fields, made from `specs`."""
        self._fields = fields
        fields["train_on"].changed.connect(self._on_kind)
        fields["start_from"].changed.connect(self.changed)
        for name in ("images", "clean"):
            fields[name].changed.connect(self._show_axes)
        self._follow_viewer()
        self.refresh()
        self._on_kind()

    def refresh(self) -> None:
        """Offer the current layers and models."""
        for name in ("images", "clean"):
            self._fields[name].editor.refresh()
        self._offer_models()
        self._show_axes()

    def errors(self) -> dict[str, str]:
        """Return what is missing, by field."""
        names = {CIFAR10: (), PAIRS: ("images", "clean")}.get(self.kind, ("images",))
        found = {name: _problem(self._fields[name].value) for name in names}
        return {name: message for name, message in found.items() if message}

    def job_arguments(self) -> dict[str, Any]:
        """Return the arguments of `TrainingJob` that say what to train on.

        Raises
        ------
        InvalidInputError
            If the axes of a layer cannot be trained on.
        """
        if self.kind == CIFAR10:
            path = Path(self._fields["data"].value).expanduser()
            return {CIFAR10: path, "download": True}
        images: Any = self._fields["images"].editor.images
        if self.kind == PAIRS:
            images = (images, self._fields["clean"].editor.images)
        axes = self._fields["axes"].value or self._layer_axes() or None
        return {self.kind: images, "axes": axes, "start_from": self.start_from}

    def _follow_viewer(self) -> None:
        """Connect to objects that outlive the fields, and disconnect at the end."""
        events, models = self._viewer.layers.events, model_choice(self._viewer)
        signals = (events.inserted, events.removed, events.renamed, models.changed)
        refresh = self.refresh
        for signal in signals:
            signal.connect(refresh)
            self.destroyed.connect(partial(_disconnect, signal, refresh))

    def _on_kind(self) -> None:
        kind, fields = self.kind, self._fields
        fields["train_on"].explain(_WHEN[kind])
        is_own = kind != CIFAR10
        fields["data"].show_if(not is_own)
        fields["clean"].show_if(kind == PAIRS)
        for name in ("images", "axes", "start_from"):
            fields[name].show_if(is_own)
        fields["images"].label.setText(_LABELS.get(kind, "noisy"))
        fields["images"].mark("")
        self._offer_models()
        fields["start_from"].value = None if kind == NOISE2VOID else DEFAULT_MODEL
        self.changed.emit()

    def _offer_models(self) -> None:
        titles = model_choice(self._viewer).titles()
        models = [(title, model) for model, title in titles.items()]
        # Only a trained model can be adapted.
        random = [] if self.kind == ADAPT else [(_RANDOM, None)]
        chosen = self._fields["start_from"].value
        self._fields["start_from"].editor.set_choices([*models, *random])
        self._fields["start_from"].value = chosen

    def _show_axes(self) -> None:
        try:
            axes = self._layer_axes()
        except InvalidInputError as error:
            axes = ""
            self._fields["axes"].mark(str(error))
        self._fields["axes"].editor.setPlaceholderText(axes or "from the images")

    def _layer_axes(self) -> str:
        """Return the axes of the chosen layer; empty for files."""
        layer: Image | None = self._fields["images"].editor.layer
        return "" if layer is None else layer_axes(layer)


def _data_spec() -> FieldSpec:
    def choose_folder() -> str:
        return str(QFileDialog.getExistingDirectory(None, "Folder of CIFAR-10"))

    return FieldSpec(
        "data",
        "data",
        partial(
            PathEdit,
            preferences().data_folder,
            choose_folder,
            placeholder="folder of CIFAR-10",
        ),
        "Folder that contains CIFAR-10's cifar-10-batches-py. If missing, "
        "Train offers to download it (170 MB). Default: the last folder.",
    )


def _problem(value: str | Image) -> str:
    if not isinstance(value, str):
        return ""
    if not value:
        return "Choose a layer, or enter a file, a folder or a pattern."
    is_pattern = any(sign in value for sign in "*?[")
    if is_pattern or Path(value).expanduser().exists():
        return ""
    return f"{value} does not exist."


def _disconnect(signal: Any, listener: Any, *_: object) -> None:
    signal.disconnect(listener)
