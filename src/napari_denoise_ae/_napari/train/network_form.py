"""Form for the options of the networks, made from their constructors."""

from __future__ import annotations

import inspect
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from ...errors import InvalidInputError
from ...models.networks.registry import network_class, network_names
from ..shared.docstrings import parameter_texts, summary
from ..shared.editors import make_editor
from ..shared.fields import Field, FieldSpec, add_fields
from ..shared.layout import make_form
from ..shared.worker import Task

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

# Options that the training images determine.
_DETERMINED = ("in_channels",)


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """Documentation of a network.

    Parameters
    ----------
    summary : str
        First line of its docstring.
    options : dict of str to object
        Options of its constructor and their defaults.
    descriptions : dict of str to str
        Descriptions of the options.
    """

    summary: str
    options: dict[str, Any]
    descriptions: dict[str, str]


class NetworkForm(QWidget):  # type: ignore[misc]
    """A form with a field for each option of any network.

    The networks are loaded outside the GUI thread, because that imports torch. Until
    then there are no fields, and `options` returns those passed to `set_network`.

    Attributes
    ----------
    changed : Signal
        Emitted after an option has changed.
    loaded : Signal
        Emitted after the networks have been loaded.
    fields : dict of str to Field
        The fields by option.
    """

    changed = Signal()
    loaded = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._facts: dict[str, NetworkFacts] = {}
        self._network = ""
        self._given: dict[str, Any] = {}
        self.fields: dict[str, Field] = {}
        self._loading = QLabel("Loading the networks…")
        self._form = make_form()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._loading)
        layout.addLayout(self._form)
        task = Task(load_networks, returned=self._build)
        self.destroyed.connect(task.drop)

    @property
    def summary(self) -> str:
        """A summary of the network; empty until the networks are loaded."""
        facts = self._facts.get(self._network)
        return "" if facts is None else facts.summary

    @property
    def options(self) -> dict[str, Any]:
        """The options that differ from the defaults of the network."""
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
        """Show a network with the given options, and defaults for the others."""
        self._network, self._given = network, dict(options)
        facts = self._facts.get(network)
        if facts is None:
            return
        values = facts.options | self._given
        for name, field in self.fields.items():
            field.enable(name in facts.options)
            if name in facts.options:
                field.value = values[name]
                text = facts.descriptions.get(name, "")
                field.describe(f"{text} Default: {facts.options[name]}.")
            else:
                field.describe(f"The network {network} has no such option.")
                if isinstance(field.value, bool):
                    field.value = False

    def _build(self, facts: dict[str, NetworkFacts]) -> None:
        self._facts = facts
        self._loading.hide()
        defaults: dict[str, Any] = {}
        for network_facts in facts.values():
            for name, default in network_facts.options.items():
                defaults.setdefault(name, default)
        specs = (
            FieldSpec(name, name.replace("_", " "), partial(make_editor, default), "")
            for name, default in defaults.items()
        )
        self.fields = add_fields(self._form, specs)
        for field in self.fields.values():
            field.changed.connect(self.changed)
        self.set_network(self._network, self._given)
        self.loaded.emit()


def load_networks() -> Generator[None, None, dict[str, NetworkFacts]]:
    """Load the networks and return their documentation by name."""
    yield
    facts = {}
    for name in network_names():
        # One of another package that cannot be loaded is left out.
        with suppress(InvalidInputError):
            facts[name] = _facts(network_class(name))
    return facts


def _facts(network: type) -> NetworkFacts:
    parameters = inspect.signature(network).parameters.values()
    return NetworkFacts(
        summary=summary(network),
        options={p.name: p.default for p in parameters if p.name not in _DETERMINED},
        descriptions=parameter_texts(network),
    )
