"""Fields for the images to train on, and the model to start from."""

from __future__ import annotations

from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from ...errors import InvalidInputError
from ...models.builtin import DEFAULT_MODEL
from ..shared.model_choice import model_choice, unwrap_proxy
from ..viewer.axes import layer_axes
from .source_specs import (
    ADAPT,
    ALL_CHANNELS,
    CIFAR10,
    LABELS,
    MOST_CHANNELS,
    NOISE2VOID,
    PAIRS,
    REPEATS,
    WHEN,
    source_specs,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari.layers import Image
    from napari.viewer import Viewer

    from ..shared.fields import Field, FieldSpec

_RANDOM = "random weights"
_NAMES = (
    "train_on",
    "data",
    "images",
    "clean",
    "second",
    "axes",
    "channel",
    "start_from",
)


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

    @property
    def key(self) -> tuple[Any, ...]:
        """The values of all fields, to notice changes."""
        return tuple(self._fields[name].value for name in _NAMES)

    def specs(self) -> tuple[FieldSpec, ...]:
        """Describe the fields."""
        return source_specs(self._viewer)

    def connect(self, fields: Mapping[str, Field]) -> None:
        """Use these fields, made from `specs`."""
        self._fields = fields
        fields["train_on"].changed.connect(self._on_kind)
        fields["start_from"].changed.connect(self.changed)
        fields["images"].changed.connect(self._show_axes)
        fields["axes"].changed.connect(self._show_channel)
        self._follow_viewer()
        self.refresh()
        self._on_kind()

    def refresh(self) -> None:
        """Offer the current layers and models."""
        for name in ("images", "clean", "second"):
            self._fields[name].editor.refresh()
        self._offer_models()
        self._show_axes()

    def errors(self) -> dict[str, str]:
        """Return what is missing, by field."""
        kind, fields = self.kind, self._fields
        names = {CIFAR10: [], PAIRS: ["images", "clean"]}.get(kind, ["images"])
        found = {name: _problem(fields[name].value) for name in names}
        if kind == REPEATS and not fields["second"].editor.is_none:
            found["second"] = _problem(fields["second"].value)
            if fields["second"].value == fields["images"].value:
                found["second"] = "Repeats must be two exposures, not the same twice."
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
        second = self._fields["second"].editor
        if self.kind == REPEATS and not second.is_none:
            images = _together(images, second.images)
        axes = self._fields["axes"].value or self._layer_axes() or None
        arguments = {self.kind: images, "axes": axes, "start_from": self.start_from}
        return arguments | {"channel": self._channel}

    @property
    def _channel(self) -> int | None:
        channel = int(self._fields["channel"].value)
        is_one = self._n_channels() != 1 and channel != ALL_CHANNELS
        return channel if is_one else None

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
        fields["train_on"].explain(WHEN[kind])
        is_own = kind != CIFAR10
        fields["data"].show_if(not is_own)
        fields["clean"].show_if(kind == PAIRS)
        fields["second"].show_if(kind == REPEATS)
        for name in ("images", "axes", "start_from"):
            fields[name].show_if(is_own)
        fields["images"].label.setText(LABELS.get(kind, "noisy"))
        fields["images"].mark("")
        if is_own and not fields["images"].value:
            self._propose_layer()
        self._show_channel()
        self._offer_models()
        fields["start_from"].value = None if kind == NOISE2VOID else DEFAULT_MODEL
        self.changed.emit()

    def _propose_layer(self) -> None:
        """Choose the active layer, if it is an image."""
        editor, active = self._fields["images"].editor, self._viewer.layers.selection
        if active.active in editor.choice.values:
            editor.value = active.active

    def _offer_models(self) -> None:
        titles = model_choice(self._viewer).titles()
        models = [(title, model) for model, title in titles.items()]
        # Only a trained model can be adapted.
        random = [] if self.kind == ADAPT else [(_RANDOM, None)]
        chosen = self._fields["start_from"].value
        self._fields["start_from"].editor.set_choices([*models, *random])
        self._fields["start_from"].value = chosen

    def _show_axes(self) -> None:
        axes, problem = "", ""
        try:
            axes = self._layer_axes()
        except InvalidInputError as error:
            problem = str(error)
        self._fields["axes"].mark(problem)
        self._fields["axes"].editor.setPlaceholderText(axes or "from the images")
        self._show_channel()

    def _show_channel(self) -> None:
        """Offer the channels, if the images may have some."""
        n_channels = self._n_channels()
        field = self._fields["channel"]
        field.show_if(self.kind != CIFAR10 and n_channels != 1)
        field.editor.setMaximum((n_channels or MOST_CHANNELS) - 1)

    def _n_channels(self) -> int | None:
        """Return the number of channels; None if it is unknown, as in files."""
        axes = self._fields["axes"].value.upper()
        layer: Image | None = self._fields["images"].editor.layer
        if layer is None:
            return None if not axes or "C" in axes else 1
        try:
            axes = axes or self._layer_axes()
        except InvalidInputError:
            return 1
        shape = layer.data.shape
        return shape[axes.index("C")] if "C" in axes[: len(shape)] else 1

    def _layer_axes(self) -> str:
        """Return the axes of the chosen layer; empty for files."""
        layer: Image | None = self._fields["images"].editor.layer
        return "" if layer is None else layer_axes(layer)


def _problem(value: str | Image) -> str:
    if not isinstance(value, str):
        return ""
    if not value:
        return "Choose a layer, or enter a file, a folder or a pattern."
    is_pattern = any(sign in value for sign in "*?[")
    if is_pattern or Path(value).expanduser().exists():
        return ""
    return f"{value} does not exist."


def _together(one: Any, other: Any) -> Any:
    """Return two repeats, each a path or a layer's pixels by name."""
    if isinstance(one, str) and isinstance(other, str):
        return [one, other]
    named = ({Path(x).name: x} if isinstance(x, str) else x for x in (one, other))
    return dict(chain.from_iterable(each.items() for each in named))


def _disconnect(signal: Any, listener: Any, *_: object) -> None:
    signal.disconnect(listener)
