"""Values that the widgets remember across sessions."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QSettings

_NAME = "napari-denoise-ae"


def recall(key: str, default: Any = None) -> Any:
    """Return a remembered value, or the default if there is none."""
    return _settings().value(key, default)


def remember(key: str, value: Any) -> None:
    """Remember a value: a text, or a list of texts."""
    _settings().setValue(key, value)


def _settings() -> QSettings:
    # An INI file on all platforms, not the Windows registry.
    return QSettings(
        QSettings.Format.IniFormat, QSettings.Scope.UserScope, _NAME, _NAME
    )
