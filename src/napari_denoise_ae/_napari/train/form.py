"""Form for the settings of a training run, which checks each field."""

from __future__ import annotations

import inspect
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from ...models.presets import PRESETS
from ...training.losses import LOSSES
from ..shared.docstrings import summary
from ..shared.fields import Field, add_fields
from ..shared.layout import Collapsible, make_form
from .defaults import DefaultOutput, default_config
from .form_scroll import FormScroll
from .network_form import NetworkForm
from .preset_note import PresetChange, PresetNote, preset_change
from .settings import (
    DEVICE_FIELD,
    MAIN,
    MORE,
    PRESET_FIELD,
    output_field,
    setting_error,
    setting_field,
)
from .source_fields import SourceFields
from .source_specs import CIFAR10, IMAGES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari.viewer import Viewer
    from qtpy.QtWidgets import QFormLayout

    from ...models.config import TrainingConfig

# Settings without effect on CIFAR-10.
_OWN = ("patch_size", "batches_per_epoch")
# Presets for scientific images; the others are for teaching.
_SCIENTIFIC = ("gray", "rgb")


class TrainForm(FormScroll):
    """Form for a preset, the data, the output and the settings.

    An invalid value is marked at its field as soon as it is typed.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer, whose layers can be trained on.

    Attributes
    ----------
    changed : Signal
        Emitted after a field has changed.
    source : SourceFields
        What to train on.
    network : NetworkForm
        The options of the network.
    preset_note : PresetNote
        Which settings the preset has changed.
    """

    changed = Signal()

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self.source = SourceFields(viewer)
        self._fields: dict[str, Field] = {}
        self._defaults = next(iter(PRESETS.values()))
        self.preset_note = PresetNote()
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addLayout(self._main_form())
        self._network = self._network_section()
        layout.addWidget(self._network)
        layout.addWidget(self._more_section())
        layout.addStretch(1)
        self.setWidget(content)
        self._connect()
        self._apply_preset(replaces=True)

    @property
    def preset(self) -> str:
        """The chosen preset."""
        return str(self._fields["preset"].value)

    @property
    def data(self) -> Path:
        """The data folder."""
        return Path(self._fields["data"].value).expanduser()

    @property
    def output(self) -> Path:
        """The checkpoint to write."""
        return Path(self._fields["output"].value).expanduser()

    @property
    def device(self) -> str:
        """The device to train on."""
        return str(self._fields["device"].value)

    @property
    def settings(self) -> dict[str, Any]:
        """Unchecked values for `TrainingConfig`, without those that have no effect.

        For the user's own images, only those that differ from the form's defaults: the
        others depend on the images.
        """
        values = {name: self._fields[name].value for name in self._names}
        if self.source.kind == CIFAR10:
            return values | {"network_options": self.network.options}
        default = self._defaults
        given = {k: v for k, v in values.items() if v != getattr(default, k)}
        options = self.network.options
        if self.source.start_from is None and options != default.network_options:
            given["network_options"] = options
        return given

    @property
    def key(self) -> tuple[Any, ...]:
        """All that describes a run but its output, to notice changes."""
        return (*self.source.key, self.preset, self.device, self.settings)

    def propose(self, config: TrainingConfig) -> None:
        """Fill in the settings that suit the images, except where the user has others.

        Parameters
        ----------
        config : TrainingConfig
            All settings of the run, those of the user included.
        """
        if self.source.kind == CIFAR10:
            return
        kept = {name: getattr(self._defaults, name) for name in self.settings}
        # What describes the run stays the same.
        self.blockSignals(True)
        self._fill_in(replace(config, **kept))
        self.blockSignals(False)
        self.lay_out_soon()

    def set_value(self, name: str, value: Any) -> None:
        """Set the value of a field."""
        self._fields[name].value = value

    def mark(self, name: str, message: str) -> None:
        """Show an error message at a field; an empty text removes it."""
        self._fields[name].mark(message)
        if message and name in MORE:
            self._more.expand()

    def message(self, name: str) -> str:
        """Return the error message of a field; empty if it has none."""
        return self._fields[name].message

    def check(self, names: Iterable[str] | None = None) -> bool:
        """Mark invalid settings, and return whether all settings are valid.

        Parameters
        ----------
        names : iterable of str, optional
            The settings to check. Default: all that have an effect.
        """
        if names is None:
            for name, message in self.source.errors().items():
                self.mark(name, message)
            if self.source.errors():
                return False
            names = self._names
        messages = {
            name: setting_error(self.preset, name, self._fields[name].value)
            for name in names
        }
        for name, message in messages.items():
            self.mark(name, message)
        return not any(messages.values())

    @property
    def _names(self) -> list[str]:
        return [name for name in (*MAIN, *MORE) if self._fields[name].isEnabled()]

    def _main_form(self) -> QFormLayout:
        form = make_form()
        settings = (setting_field(name, text) for name, text in MAIN.items())
        rows = (
            *self.source.specs(),
            PRESET_FIELD,
            self.preset_note,
            output_field(),
            *settings,
            DEVICE_FIELD,
        )
        self._fields |= add_fields(form, rows)
        self._output = DefaultOutput(self._fields["output"])
        return form

    def _network_section(self) -> Collapsible:
        self.network = NetworkForm()
        self.network.changed.connect(self.changed)
        self.network.loaded.connect(self._explain_preset)
        self.network.loaded.connect(self.lay_out_soon)
        section = Collapsible(
            "Network", self.network, "The network to train, and its options."
        )
        section.expand()
        return section

    def _more_section(self) -> Collapsible:
        content = QWidget()
        form = make_form(content)
        specs = (setting_field(name, text) for name, text in MORE.items())
        self._fields |= add_fields(form, specs)
        self._more = Collapsible(
            "More settings", content, "Settings that most runs need not change."
        )
        return self._more

    def _connect(self) -> None:
        self.changed.connect(self.lay_out_soon)
        for name, field in self._fields.items():
            field.changed.connect(self.changed)
            if name in MAIN | MORE:
                field.changed.connect(partial(self.check, [name]))
        self.source.changed.connect(self._on_source)
        self.source.connect(self._fields)
        self._fields["preset"].changed.connect(self._apply_preset)
        self.preset_note.reset.connect(partial(self._apply_preset, replaces=True))
        self._fields["loss"].changed.connect(self._explain_loss)

    def _apply_preset(self, *, replaces: bool = False) -> None:
        """Fill in the defaults of the preset, except where the user has others.

        Parameters
        ----------
        replaces : bool
            Whether to replace those of the user, too.
        """
        source, before = self.source, self._defaults
        config = default_config(source.kind, self.preset, source.start_from)
        change = self._fill_in(config, replaces=replaces)
        options = dict(config.network_options)
        if not replaces and config.network == before.network:
            given = before.network_options.items()
            options |= dict(self.network.options.items() - given)
        self.network.set_network(config.network, options)
        self._output.follow(None if source.start_from else self.preset)
        self.preset_note.show_change(None if replaces else change)
        self._explain_preset()
        self._explain_loss()

    def _fill_in(
        self, config: TrainingConfig, *, replaces: bool = False
    ) -> PresetChange:
        """Make the settings of a config the defaults, and fill them in."""
        before, self._defaults = self._defaults, config
        values = {name: self._fields[name].value for name in self._names}
        change = preset_change(values, before, config)
        for name, text in (MAIN | MORE).items():
            default = getattr(config, name)
            if replaces or name not in change.kept:
                self.set_value(name, default)
            self._fields[name].describe(f"{text} Default: {default}.")
        return change

    def _on_source(self) -> None:
        kind, start = self.source.kind, self.source.start_from
        is_own = kind != CIFAR10
        for name in _OWN:
            self._fields[name].enable(is_own)
        # The model to start from determines the network.
        self._fields["preset"].show_if(start is None)
        self._network.setVisible(start is None)
        # In other images, the noise is measured.
        self._fields["noise"].enable(kind in (CIFAR10, IMAGES))
        self._fields["noise"].show_if(kind in (CIFAR10, IMAGES))
        if is_own and start is None and self.preset not in _SCIENTIFIC:
            self.set_value("preset", _SCIENTIFIC[0])
        self._fields["n_test"].enable(not is_own)
        self._apply_preset()

    def _explain_preset(self) -> None:
        self._fields["preset"].explain(self.network.summary)

    def _explain_loss(self) -> None:
        loss = LOSSES[self._fields["loss"].value]
        self._fields["loss"].explain(summary(loss))
        # Other losses ignore the weight.
        is_used = "ssim_weight" in inspect.signature(loss).parameters
        self._fields["ssim_weight"].enable(is_used)
