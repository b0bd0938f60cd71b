"""The options of ``train`` that name its images and its settings."""

from __future__ import annotations

import argparse
import json
from typing import Any

from ..models.config import AUGMENTATIONS, OPTIMIZERS, SCHEDULES, TRAINED_LAYERS
from ..models.presets import PRESETS
from ..training.losses import LOSSES

#: The kinds of images to train on, which exclude each other.
IMAGES: dict[str, dict[str, Any]] = {
    "data": {
        "metavar": "DIR",
        "help": "CIFAR-10: folder that contains cifar-10-batches-py",
    },
    "images": {
        "nargs": "+",
        "metavar": "PATH",
        "help": "clean images, to which --noise is added",
    },
    "pairs": {
        "nargs": 2,
        "metavar": ("NOISY", "CLEAN"),
        "help": "noisy images and clean images of the same scenes, matched by name",
    },
    "repeats": {
        "nargs": "+",
        "metavar": "PATH",
        "help": "noisy images of the same static scene: frames along T, or two images",
    },
    "adapt": {
        "nargs": "+",
        "metavar": "PATH",
        "help": "noisy images to which --start-from is adapted",
    },
    "noise2void": {
        "nargs": "+",
        "metavar": "PATH",
        "help": "noisy images to train on from nothing, with blind spots",
    },
}
#: Settings of a training run that are options of `train`; the defaults are added.
SETTINGS: dict[str, dict[str, Any]] = {
    "noise": {"metavar": "NOISE", "help": "synthetic noise to train for"},
    "loss": {"choices": LOSSES, "help": "loss function to minimize"},
    "ssim_weight": {
        "type": float,
        "metavar": "WEIGHT",
        "help": "weight of 1 - SSIM in the loss mse_ssim, between 0 and 1",
    },
    "optimizer": {"choices": OPTIMIZERS, "help": "optimizer of the parameters"},
    "learning_rate": {
        "type": float,
        "metavar": "RATE",
        "help": "learning rate of the optimizer",
    },
    "schedule": {"choices": SCHEDULES, "help": "schedule of the learning rate"},
    "trained_layers": {
        "choices": TRAINED_LAYERS,
        "help": "layers to train: all, or coarse to keep those at the finest "
        "resolution as they are",
    },
    "warm_up": {
        "type": int,
        "metavar": "N",
        "help": "batches at the beginning over which the learning rate rises",
    },
    "batch_size": {
        "type": int,
        "metavar": "N",
        "help": "images, or patches of your own images, in a batch",
    },
    "patch_size": {
        "type": int,
        "metavar": "PIXELS",
        "help": "rows and columns of the patches drawn from your own images",
    },
    "batches_per_epoch": {
        "type": int,
        "metavar": "N",
        "help": "batches of patches in an epoch; 0 chooses as many as cover your own "
        "images, 20 to 1,000",
    },
    "epochs": {"type": int, "metavar": "N", "help": "maximum number of epochs"},
    "patience": {
        "type": int,
        "metavar": "N",
        "help": "epochs without improvement of the validation loss before training "
        "stops",
    },
    "min_delta": {
        "type": float,
        "metavar": "LOSS",
        "help": "smallest decrease of the validation loss that counts as an "
        "improvement",
    },
    "smoothing": {
        "type": int,
        "metavar": "N",
        "help": "epochs over which the validation loss is averaged before epochs are "
        "compared",
    },
    "val_fraction": {
        "type": float,
        "metavar": "FRACTION",
        "help": "fraction of the training images used for validation, between 0 and 1",
    },
    "n_test": {
        "type": int,
        "metavar": "N",
        "help": "number of CIFAR-10's 10,000 test images in the test set; the others "
        "are used for training and validation",
    },
    "augmentation": {
        "choices": AUGMENTATIONS,
        "help": "random augmentation of training images",
    },
    "zoom": {
        "type": float,
        "metavar": "FACTOR",
        "help": "magnify every other batch by a random factor from 1 to this",
    },
    "seed": {
        "type": int,
        "metavar": "N",
        "help": "seed of the split, initial weights, order, and noise, 0 or more",
    },
    "mixed_precision": {
        "action": argparse.BooleanOptionalAction,
        "help": "compute in bfloat16 on CUDA",
    },
    "bfloat16_on_cpu": {
        "action": argparse.BooleanOptionalAction,
        "help": "compute in bfloat16 on CPUs that support it",
    },
}


def add_images(parser: argparse.ArgumentParser) -> None:
    """Add the options that name the images."""
    group = parser.add_argument_group(
        "images",
        "Exactly one kind. PATH is an image, a folder, or a pattern in quotes.",
    )
    for name, options in IMAGES.items():
        group.add_argument(f"--{name}", **options)
    group.add_argument(
        "--axes",
        metavar="AXES",
        help="axes of the images, such as TYX (default: those that their files name)",
    )
    group.add_argument(
        "--channel",
        type=int,
        metavar="N",
        help="channel to train on, from 0 (default: all, each as a gray image)",
    )


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the options that override settings of the preset."""
    group = parser.add_argument_group(
        "settings", "Override the settings of the preset, which are the defaults."
    )
    for name, options in SETTINGS.items():
        text = f"{options['help']} (default: {_defaults(name)})"
        group.add_argument(
            f"--{name.replace('_', '-')}", default=None, **options | {"help": text}
        )
    group.add_argument(
        "--network-option",
        type=_network_option,
        action="append",
        metavar="KEY=VALUE",
        help="option of the network, such as base_channels=16; repeat for several "
        "(default: those of the preset)",
    )


def _defaults(setting: str) -> str:
    """Return a setting's default, or the defaults and the presets that have them."""
    presets: dict[str, list[str]] = {}
    for name, config in PRESETS.items():
        presets.setdefault(_as_text(getattr(config, setting)), []).append(name)
    if len(presets) == 1:
        return next(iter(presets))
    return ", ".join(f"{text} ({', '.join(names)})" for text, names in presets.items())


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _network_option(text: str) -> tuple[str, int | float | bool]:
    """Parse KEY=VALUE."""
    key, equals, value = text.partition("=")
    try:
        # Lower case, because Python writes True and False.
        parsed = json.loads(value.lower())
    except json.JSONDecodeError:
        parsed = None
    if not equals or not isinstance(parsed, (int, float)):
        raise argparse.ArgumentTypeError(
            f"{text!r}: write KEY=VALUE with a number, true or false"
        )
    return key, parsed
