"""The plugin's settings in napari's preferences."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from napari.settings import get_plugin_settings

from ...models.builtin import DEFAULT_MODEL

_PLUGIN = "napari-denoise-ae"
_DEVICES = ("auto", "cpu", "cuda", "mps")


def preferences() -> Any:
    """Return the plugin's settings; napari saves values assigned to them.

    The attributes `data_folder`, `checkpoint_folder`, `default_model` and `device`
    are strings; see ``configurations`` in the manifest.
    """
    try:
        return get_plugin_settings(_PLUGIN).general
    except KeyError:
        # The plugin is not installed, so napari cannot save its settings.
        return SimpleNamespace(
            data_folder="",
            checkpoint_folder="",
            default_model=DEFAULT_MODEL,
            device="auto",
        )


def preferred_device() -> str:
    """Return the torch name of the preferred device, or ``"auto"``."""
    return str(preferences().device).strip() or "auto"


def prefer_device(device: str) -> None:
    """Set the preferred device."""
    preferences().device = device


def device_choices() -> tuple[str, ...]:
    """Return the devices to offer, including the preferred one.

    The preferred device may be any, such as ``"cuda:1"``. Whether it exists is only
    known when torch uses it.
    """
    return tuple(dict.fromkeys((*_DEVICES, preferred_device())))
