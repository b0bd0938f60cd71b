"""What the widgets of one viewer share: which models there are, and which is chosen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

from psygnal import Signal
from qtpy.QtCore import QSettings

from ...models.builtin import DEFAULT_MODEL, builtin_models
from .preferences import preferences

if TYPE_CHECKING:
    from napari.viewer import Viewer

T = TypeVar("T")
_N_REMEMBERED = 10


class ModelChoice:
    """The models that a viewer's widgets offer, and the one that is chosen.

    Checkpoints that were chosen are remembered from one session to the next.

    Attributes
    ----------
    models : tuple of str
        ``"auto"``, names of built-in models, then paths of checkpoints, the one
        that was chosen last first.
    chosen : str
        One of them.
    changed : psygnal.Signal
        Emitted after either of them has changed.
    """

    changed = Signal()

    def __init__(self) -> None:
        checkpoints = [path for path in _remembered() if Path(path).is_file()]
        self._names = (DEFAULT_MODEL, *builtin_models())
        self.models = (*self._names, *checkpoints)
        self.chosen = self.models[0]
        preferred = preferences().default_model
        if preferred in self.models or Path(preferred).is_file():
            # Nobody has used it yet, so the recent checkpoints stay as they are.
            self._select(preferred)

    def choose(self, model: str) -> None:
        """Choose a model; a checkpoint comes first among the checkpoints."""
        self._select(model)
        if model not in self._names:
            _remember(self.models[len(self._names) :])
        self.changed.emit()

    def _select(self, model: str) -> None:
        if model not in self._names:
            others = (path for path in self.models[len(self._names) :] if path != model)
            self.models = (*self._names, model, *others)
        self.chosen = model

    def titles(self) -> dict[str, str]:
        """Return a short name for each model, no two of them the same."""
        short = [_title(model) for model in self.models]
        return {
            model: title if short.count(title) == 1 else model
            for model, title in zip(self.models, short, strict=True)
        }


_AUTO_TITLE = "auto (gray or rgb)"


def _title(model: str) -> str:
    """Return a short name of a model: of a file, its name and its folder's."""
    if model == DEFAULT_MODEL:
        return _AUTO_TITLE
    path = Path(model)
    return f"{path.name} ({path.parent.name})" if path.suffix else model


def _settings() -> QSettings:
    # A file on every platform, not the registry of Windows.
    name = "napari-denoise-ae"
    return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, name, name)


def _remembered() -> list[str]:
    paths = _settings().value("checkpoints", [])
    # Qt gives a list of one back as its only entry, and an empty one as None.
    return [paths] if isinstance(paths, str) else list(paths or [])


def _remember(checkpoints: tuple[str, ...]) -> None:
    paths = [str(Path(path).absolute()) for path in checkpoints[:_N_REMEMBERED]]
    _settings().setValue("checkpoints", paths)


_CHOICES: WeakKeyDictionary[Viewer, ModelChoice] = WeakKeyDictionary()


def unwrapped(given: T) -> T:
    """Return a viewer or layer itself, not the proxy that napari gives to plugins.

    What is got through the proxy is wrapped anew each time: a layer would not
    be identical with itself, and nothing could be found by its identity.
    """
    return getattr(given, "__wrapped__", given)


def model_choice(viewer: Viewer) -> ModelChoice:
    """Return the models of a viewer; the same object for all its widgets."""
    viewer = unwrapped(viewer)
    if viewer not in _CHOICES:
        _CHOICES[viewer] = ModelChoice()
    return _CHOICES[viewer]
