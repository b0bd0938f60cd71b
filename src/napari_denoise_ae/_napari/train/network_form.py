"""The options of the networks, as fields that come from the networks themselves."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from ...models.networks.registry import NETWORKS, network_class
from ..shared.docstrings import parameter_texts, summary
from ..shared.editors import make_editor
from ..shared.fields import Field, FieldSpec, add_fields
from ..shared.layout import make_form
from ..shared.worker import Task

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

# The images decide it.
_DECIDED = ("in_channels",)


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """What a network says of itself.

    Parameters
    ----------
    summary : str
        What it is.
    options : dict
        The arguments of its constructor, with their defaults.
    texts : dict
        What each of them does.
    """

    summary: str
    options: dict[str, Any]
    texts: dict[str, str]


class NetworkForm(QWidget):  # type: ignore[misc]
    """A field for each option that any network has.

    The networks are asked outside the GUI thread, because that imports torch;
    until they have answered, the options are those that were given.

    Attributes
    ----------
    changed : Signal
        Emitted after an option has changed.
    known : Signal
        Emitted once the networks have answered.
    fields : dict
        The fields by the name of their option.
    """

    changed = Signal()
    known = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._facts: dict[str, NetworkFacts] = {}
        self._network = ""
        self._given: dict[str, Any] = {}
        self.fields: dict[str, Field] = {}
        self._waiting = QLabel("Asking the networks…")
        self._form = make_form()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._waiting)
        layout.addLayout(self._form)
        asking = Task(look_at_networks, returned=self._build)
        self.destroyed.connect(asking.drop)

    @property
    def summary(self) -> str:
        """What the network is; empty as long as that is unknown."""
        facts = self._facts.get(self._network)
        return "" if facts is None else facts.summary

    @property
    def options(self) -> dict[str, Any]:
        """The options of the network that differ from its defaults."""
        facts = self._facts.get(self._network)
        if facts is None:
            return dict(self._given)
        fixed = {k: v for k, v in self._given.items() if k not in self.fields}
        return fixed | {
            name: self.fields[name].value
            for name, default in facts.options.items()
            if self.fields[name].value != default
        }

    def set_network(self, network: str, options: Mapping[str, Any]) -> None:
        """Show a network with some options; the others are its defaults."""
        self._network, self._given = network, dict(options)
        facts = self._facts.get(network)
        if facts is None:
            return
        values = facts.options | self._given
        for name, field in self.fields.items():
            field.enable(name in facts.options)
            if name in facts.options:
                field.value = values[name]
                field.describe(
                    f"{facts.texts.get(name, '')} Default: {facts.options[name]}."
                )
            else:
                field.describe(f"The network {network} has no such option.")
                if isinstance(field.value, bool):
                    field.value = False

    def _build(self, facts: dict[str, NetworkFacts]) -> None:
        self._facts = facts
        self._waiting.hide()
        defaults: dict[str, Any] = {}
        for of_one in facts.values():
            for name, default in of_one.options.items():
                defaults.setdefault(name, default)
        specs = (
            FieldSpec(name, name.replace("_", " "), partial(make_editor, default), "")
            for name, default in defaults.items()
        )
        self.fields = add_fields(self._form, specs)
        for field in self.fields.values():
            field.changed.connect(self.changed)
        self.set_network(self._network, self._given)
        self.known.emit()


def look_at_networks() -> Generator[None, None, dict[str, NetworkFacts]]:
    """Ask each network what it is and which options it has."""
    yield
    return {name: _facts(network_class(name)) for name in NETWORKS}


def _facts(network: type) -> NetworkFacts:
    arguments = inspect.signature(network).parameters.values()
    return NetworkFacts(
        summary=summary(network),
        options={a.name: a.default for a in arguments if a.name not in _DECIDED},
        texts=parameter_texts(network),
    )
