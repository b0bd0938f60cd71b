"""Names that earlier checkpoints use for what has another name today."""

from __future__ import annotations

import re
from typing import Any

#: Words of a noise string, such as ``gaussian:0.1+salt_pepper:0.05``.
NOISE_WORDS = {
    "salt_pepper": "salt-pepper",
    "poisson_gaussian": "poisson-gaussian",
    "per_pixel": "per-pixel",
}
AUGMENTATIONS = {"collage": "dead-leaves"}
NETWORK_OPTIONS = {"mirrored": "self_ensemble"}


def translate_config(config: Any) -> Any:
    """Return the stored settings of a training run with today's names.

    Parameters
    ----------
    config : dict
        Fields of `TrainingConfig` as they were stored. Anything else, and any
        field of another type, is returned as it is, for the caller to refuse.
    """
    if not isinstance(config, dict):
        return config
    translated = dict(config)
    noise, augmentation = config.get("noise"), config.get("augmentation")
    if isinstance(noise, str):
        translated["noise"] = re.sub(
            r"[a-z_]+", lambda word: NOISE_WORDS.get(word[0], word[0]), noise
        )
    if isinstance(augmentation, str):
        translated["augmentation"] = AUGMENTATIONS.get(augmentation, augmentation)
    if "network_options" in config:
        translated["network_options"] = translate_options(config["network_options"])
    return translated


def translate_options(options: Any) -> Any:
    """Return stored options of a network with today's names."""
    if not isinstance(options, dict):
        return options
    return {NETWORK_OPTIONS.get(name, name): value for name, value in options.items()}
