"""What the widgets of one viewer share: which models there are, and which is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from psygnal import Signal

from ..builtin import builtin_models

if TYPE_CHECKING:
    from napari.viewer import Viewer


class ModelChoice:
    """The models that a viewer's widgets offer, and the one that is chosen.

    Attributes
    ----------
    models : tuple of str
        Names of built-in models and paths of checkpoints, those that were
        added last first among the paths.
    chosen : str
        One of them.
    changed : psygnal.Signal
        Emitted after either of them has changed.
    """

    changed = Signal()

    def __init__(self) -> None:
        self.models = tuple(builtin_models())
        self.chosen = self.models[0]

    def choose(self, model: str) -> None:
        """Choose a model; a checkpoint that is not among the models is added."""
        if model not in self.models:
            n_builtin = len(builtin_models())
            self.models = (*self.models[:n_builtin], model, *self.models[n_builtin:])
        self.chosen = model
        self.changed.emit()


_CHOICES: WeakKeyDictionary[Viewer, ModelChoice] = WeakKeyDictionary()


def unwrapped(viewer: Viewer) -> Viewer:
    """Return the viewer itself instead of the proxy that napari gives to plugins.

    What is got through the proxy is wrapped anew each time: a layer would not
    be identical with itself, and nothing could be found by its identity.
    """
    return getattr(viewer, "__wrapped__", viewer)


def model_choice(viewer: Viewer) -> ModelChoice:
    """Return the models of a viewer; the same object for all its widgets."""
    return _CHOICES.setdefault(unwrapped(viewer), ModelChoice())
