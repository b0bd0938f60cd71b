"""Write the JSON schema of the files that `train --config` reads.

    python tools/make_run_schema.py

Editors check and complete TOML files with it. The limits are those that the package
checks, and the descriptions those of `train --help`.
"""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from napari_denoise_ae.cli.train_options import IMAGES, SETTINGS
from napari_denoise_ae.models.config import (
    AUGMENTATIONS,
    LOSSES,
    LOWEST_INTEGER,
    N_CIFAR10_TEST,
    NUMBER_LIMITS,
    OPTIMIZERS,
    SCHEDULES,
    TRAINED_LAYERS,
    TrainingConfig,
)
from napari_denoise_ae.models.networks.registry import NETWORKS
from napari_denoise_ae.models.presets import PRESETS

SCHEMA = Path(__file__).parents[1] / "docs" / "run-config.schema.json"
_CHOICES = {
    "loss": LOSSES,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "trained_layers": TRAINED_LAYERS,
    "augmentation": AUGMENTATIONS,
}
_KEYWORDS = {
    "above": "exclusiveMinimum",
    "at_least": "minimum",
    "below": "exclusiveMaximum",
}
_PATHS = {"$ref": "#/$defs/paths"}


def schema() -> dict[str, Any]:
    """Return the schema."""
    images = {
        name: {"description": options["help"]} | _PATHS
        for name, options in IMAGES.items()
    }
    nested = [
        {"type": "string"},
        {"type": "array", "items": _PATHS},
        {"type": "object", "additionalProperties": _PATHS},
    ]
    given = [{"required": [name]} for name in IMAGES]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Training run of napari-denoise-ae",
        "type": "object",
        "properties": images
        | {
            "axes": text("axes of the images, such as TYX"),
            "channel": {"type": "integer", "description": "channel to train on"},
            "start_from": text("checkpoint or built-in model to begin with"),
            "preset": text("preset to start from") | {"enum": list(PRESETS)},
            "device": text("device to compute on"),
            "settings": settings(),
        },
        "additionalProperties": False,
        "oneOf": [*given, {"not": {"anyOf": given}}],
        "$defs": {
            "paths": {"description": "a path, or paths by name", "anyOf": nested}
        },
    }


def settings() -> dict[str, Any]:
    """Return the schema of the table of settings."""
    names = [field.name for field in fields(TrainingConfig) if field.name != "preset"]
    return {
        "description": "settings that override those of the preset",
        "type": "object",
        "properties": {name: setting(name) for name in names},
        "additionalProperties": False,
    }


def setting(name: str) -> dict[str, Any]:
    """Return the schema of a setting."""
    described = text(SETTINGS.get(name, {}).get("help", f"{name.replace('_', ' ')}"))
    if name == "network":
        # Other packages may add networks.
        return described | {"examples": list(NETWORKS)}
    if name == "network_options":
        value = {"type": ["number", "boolean"]}
        return described | {"type": "object", "additionalProperties": value}
    if name in _CHOICES:
        return described | {"enum": list(_CHOICES[name])}
    if name in LOWEST_INTEGER:
        highest = {"maximum": N_CIFAR10_TEST} if name == "n_test" else {}
        lowest = {"type": "integer", "minimum": LOWEST_INTEGER[name]}
        return described | lowest | highest
    if name in NUMBER_LIMITS:
        limits = {_KEYWORDS[key]: value for key, value in NUMBER_LIMITS[name].items()}
        return described | {"type": "number"} | limits
    is_switch = isinstance(getattr(TrainingConfig, name), bool)
    return described | ({"type": "boolean"} if is_switch else {})


def text(description: str) -> dict[str, Any]:
    """Return the schema of a text."""
    return {"description": description, "type": "string"}


if __name__ == "__main__":
    SCHEMA.write_text(json.dumps(schema(), indent=2) + "\n", encoding="utf-8")
