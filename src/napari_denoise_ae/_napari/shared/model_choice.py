"""The available and the chosen models, shared by the widgets of a viewer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

from psygnal import Signal

from ...models.builtin import DEFAULT_MODEL, builtin_models
from .preferences import preferences
from .remembered import recall, remember

if TYPE_CHECKING:
    from napari.viewer import Viewer

T = TypeVar("T")
_N_REMEMBERED = 10
_KEY, _CHOSEN_KEY = "checkpoints", "chosen model"
#: The default model of the preferences that stands for the last chosen one.
LAST_CHOSEN = "last chosen"


class ModelChoice:
    """The models to choose from in the widgets of a viewer, and the chosen one.

    The last chosen checkpoints are remembered across sessions.

    Attributes
    ----------
    models : tuple of str
        ``"auto"``, the names of the built-in models, then the paths of checkpoints,
        the most recent first.
    chosen : str
        The chosen model, one of `models`.
    changed : psygnal.Signal
        Emitted after `models` or `chosen` has changed.
    """

    changed = Signal()

    def __init__(self) -> None:
        checkpoints = [path for path in _remembered() if Path(path).is_file()]
        self._names = (DEFAULT_MODEL, *builtin_models())
        self.models = (*self._names, *checkpoints)
        self.chosen = self.models[0]
        preferred = preferences().default_model
        if preferred == LAST_CHOSEN:
            preferred = str(recall(_CHOSEN_KEY, DEFAULT_MODEL))
        if preferred in self.models:
            self.chosen = preferred

    def choose(self, model: str) -> None:
        """Choose a model; a checkpoint moves to the front of the checkpoints."""
        self.chosen = model
        if model in self._names:
            remember(_CHOSEN_KEY, model)
        else:
            others = (path for path in self.models[len(self._names) :] if path != model)
            self.models = (*self._names, model, *others)
            _remember(self.models[len(self._names) :])
            remember(_CHOSEN_KEY, str(Path(model).absolute()))
        self.changed.emit()

    def titles(self) -> dict[str, str]:
        """Return a short, unique name for each model."""
        short = [_title(model) for model in self.models]
        return {
            model: title if short.count(title) == 1 else model
            for model, title in zip(self.models, short, strict=True)
        }


_AUTO_TITLE = "auto (gray or rgb)"


def _title(model: str) -> str:
    """Return a short name of a model; for a checkpoint, its file and folder name."""
    if model == DEFAULT_MODEL:
        return _AUTO_TITLE
    path = Path(model)
    return f"{path.name} ({path.parent.name})" if path.suffix else model


def _remembered() -> list[str]:
    paths = recall(_KEY, [])
    # Qt returns a list with one entry as a string, and an empty list as None.
    return [paths] if isinstance(paths, str) else list(paths or [])


def _remember(checkpoints: tuple[str, ...]) -> None:
    paths = [str(Path(path).absolute()) for path in checkpoints[:_N_REMEMBERED]]
    remember(_KEY, paths)


_CHOICES: WeakKeyDictionary[Viewer, ModelChoice] = WeakKeyDictionary()


def unwrap_proxy(proxy: T) -> T:
    """Return the viewer or layer behind the proxy that napari gives to plugins.

    The proxy wraps its attributes anew on each access, so a layer obtained from it
    twice would not be the same object.
    """
    return getattr(proxy, "__wrapped__", proxy)


def model_choice(viewer: Viewer) -> ModelChoice:
    """Return the `ModelChoice` of a viewer, which all its widgets share."""
    viewer = unwrap_proxy(viewer)
    if viewer not in _CHOICES:
        _CHOICES[viewer] = ModelChoice()
    return _CHOICES[viewer]
