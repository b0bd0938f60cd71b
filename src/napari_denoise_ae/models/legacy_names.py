"""Translate names in older checkpoints to the current ones."""

from __future__ import annotations

import re
from typing import Any

#: Parts of a noise string, such as ``gaussian:0.1+salt_pepper:0.05``.
NOISE = {
    "salt_pepper": "salt-pepper",
    "poisson_gaussian": "poisson-gaussian",
    "per_pixel": "per-pixel",
}
AUGMENTATIONS = {"collage": "dead-leaves"}
NETWORK_OPTIONS = {"mirrored": "self_ensemble"}


def translate_config(config: Any) -> Any:
    """Return the settings of a training run with current names.

    Parameters
    ----------
    config : dict
        The fields of `TrainingConfig`, as stored in a checkpoint. Invalid
        values, of any type, are returned unchanged: they are rejected later.

    Returns
    -------
    dict
        A copy with current names.
    """
    if not isinstance(config, dict):
        return config
    translated = dict(config)
    noise, augmentation = config.get("noise"), config.get("augmentation")
    if isinstance(noise, str):
        translated["noise"] = re.sub(
            r"[a-z_]+", lambda match: NOISE.get(match[0], match[0]), noise
        )
    if isinstance(augmentation, str):
        translated["augmentation"] = AUGMENTATIONS.get(augmentation, augmentation)
    if "network_options" in config:
        translated["network_options"] = translate_options(config["network_options"])
    return translated


def translate_options(options: Any) -> Any:
    """Return the options of a network with current names.

    Parameters
    ----------
    options : dict
        As stored in a checkpoint. Values of any other type are returned
        unchanged.

    Returns
    -------
    dict
        A copy with current names.
    """
    if not isinstance(options, dict):
        return options
    return {NETWORK_OPTIONS.get(name, name): value for name, value in options.items()}
