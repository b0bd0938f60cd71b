"""The plugin's page in napari's preferences."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from napari.settings import get_plugin_settings

from ...models.builtin import DEFAULT_MODEL

_PLUGIN = "napari-denoise-ae"
_DEVICES = ("auto", "cpu", "cuda", "mps")


def preferences() -> Any:
    """Return the plugin's settings; napari keeps what is assigned to them.

    Attributes: `data_folder`, `checkpoint_folder`, `default_model` and `device`,
    all strings; see ``configurations`` in the manifest.
    """
    try:
        return get_plugin_settings(_PLUGIN).general
    except KeyError:
        # The plugin runs without being installed as one: nothing is kept.
        return SimpleNamespace(
            data_folder="",
            checkpoint_folder="",
            default_model=DEFAULT_MODEL,
            device="auto",
        )


def preferred_device() -> str:
    """Return the device of the preferences, by any of torch's names."""
    return str(preferences().device).strip() or "auto"


def device_choices() -> tuple[str, ...]:
    """Return the devices to offer, that of the preferences among them.

    It may be any, such as ``"cuda:1"``. Whether this machine has it, torch tells
    when it is used.
    """
    return tuple(dict.fromkeys((*_DEVICES, preferred_device())))
