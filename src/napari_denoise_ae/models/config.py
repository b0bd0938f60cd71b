"""The settings of a training run, validated."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInputError
from ..noise.spec import parse_noise
from .networks.registry import is_network, unknown_network

if TYPE_CHECKING:
    from ..noise.base import NoiseModel

#: Augmentations by name; their functions are in
#: `napari_denoise_ae.training.augmentation`.
AUGMENTATIONS = ("none", "flip", "symmetries", "stripes", "dead-leaves")
#: Losses by name; their functions are in `napari_denoise_ae.training.losses`.
LOSSES = ("mse", "l1", "psnr", "mse_ssim")
#: Optimizers by name. Except for the learning rate, they use torch's defaults.
OPTIMIZERS = ("adam", "adamw")
#: Learning rate schedules by name.
SCHEDULES = ("constant", "cosine")
#: Layers to train by name.
TRAINED_LAYERS = ("all", "coarse")
#: Number of images in CIFAR-10's test set.
N_CIFAR10_TEST = 10_000


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """The settings that, with the data, determine the result of a training run.

    Parameters
    ----------
    preset : str
        Name of the preset that the config is based on.
    network : str
        Name of the network, see
        `napari_denoise_ae.models.networks.registry.network_names`.
    network_options : mapping
        Arguments of the network's constructor. Empty means its defaults.
    noise : str
        Noise to add to the clean images, see `napari_denoise_ae.noise.synthetic`.
        New noise is drawn for every batch.
    loss : str
        A key of `napari_denoise_ae.training.losses.LOSSES`: ``"mse"``, ``"l1"``,
        ``"psnr"`` or ``"mse_ssim"``.
    ssim_weight : float
        Weight of 1 - SSIM in ``"mse_ssim"``, between 0 and 1. The weight of the
        mean squared error is ``1 - ssim_weight``. Other losses ignore it.
    optimizer : str
        ``"adam"`` or ``"adamw"``.
    learning_rate : float
        Learning rate of the optimizer; above 0.
    schedule : str
        ``"constant"``, or ``"cosine"`` to lower the learning rate after every batch,
        along half a period of a cosine, to 0 at the end of the last epoch.
    trained_layers : str
        ``"all"``, or ``"coarse"`` to keep the weights of the layers at the finest
        resolution, where the network has others, see
        `DenoisingNetwork.coarse_parameters`. For runs that start from a trained
        network.
    warm_up : int
        Number of batches at the beginning over which the learning rate rises to its
        value; 0 or more.
    batch_size : int
        Number of images, or of patches, in a batch; 1 or more.
    patch_size : int
        Rows and columns of the patches that are drawn from the user's own images; 8
        or more. Rounded up to a multiple of the network's stride. No effect on
        CIFAR-10 and other images that are used whole.
    batches_per_epoch : int
        Number of batches of patches in an epoch. 0 takes as many as have the pixels
        of the training images, 20 to 1,000. No effect on images that are used whole.
    epochs : int
        Maximum number of epochs; 1 or more.
    patience : int
        Number of epochs without an improvement of the validation loss after which
        training stops early; 1 or more. A patience of `epochs` or more disables
        early stopping.
    min_delta : float
        Minimum decrease of the validation loss that counts as an improvement; 0 or
        more.
    smoothing : int
        Number of epochs over which the validation loss is averaged before epochs are
        compared; 1 or more. Losses without clean images are noisy and need more.
    val_fraction : float
        Fraction of the training images used for validation, between 0 and 1.
    n_test : int
        Number of CIFAR-10's test images, from the first on, that form the test
        set; 1 to 10,000. The others are used for training and validation. No
        effect on other data.
    augmentation : str
        ``"none"``; ``"flip"`` to flip half of the images left to right;
        ``"symmetries"`` to flip images and rotate them by quarter turns, for images
        without a preferred direction; ``"stripes"`` to flip, and to add fine
        stripes, which are rare in small photographs, to a part of every fourth
        image; or ``"dead-leaves"`` to flip, to replace every other
        batch by images of twice the size, made of overlapping magnified pieces with
        long edges and large smooth areas, and to add stripes to half of all images.
        Images are chosen at random.
    zoom : float
        Maximum factor by which every other batch is magnified and then cropped to
        its size, at least 1 and below 16; small images then look as smooth as
        full-size photographs. 1 disables it. No effect on dead leaves, whose pieces
        are always magnified.
    seed : int
        Random seed of the split, the initial parameters, the order of the images,
        the augmentation, and the noise; 0 or more.
    mixed_precision : bool
        On CUDA, compute in bfloat16 where the precision suffices. Ignored on other
        devices, except with `bfloat16_on_cpu`.
    bfloat16_on_cpu : bool
        With `mixed_precision`, also compute in bfloat16 on CPUs that have
        instructions for it, which is about twice as fast.

    Raises
    ------
    InvalidInputError
        If a value is invalid.

    References
    ----------
    .. [1] Vincent et al., Extracting and composing robust features with
       denoising autoencoders, ICML 2008, :doi:`10.1145/1390156.1390294`.
    .. [2] Kingma and Ba, Adam: a method for stochastic optimization, 2015,
       arXiv:1412.6980.
    .. [3] Loshchilov and Hutter, SGDR: stochastic gradient descent with warm
       restarts, 2017, arXiv:1608.03983.
    """

    preset: str = "conv"
    network: str = "conv"
    network_options: Mapping[str, int | float | bool] = field(default_factory=dict)
    noise: str = "gaussian:0.5"
    loss: str = "mse"
    ssim_weight: float = 0.1
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    schedule: str = "constant"
    trained_layers: str = "all"
    warm_up: int = 0
    batch_size: int = 128
    patch_size: int = 128
    batches_per_epoch: int = 0
    epochs: int = 50
    patience: int = 3
    min_delta: float = 0.0
    smoothing: int = 1
    val_fraction: float = 0.1
    n_test: int = N_CIFAR10_TEST
    augmentation: str = "none"
    zoom: float = 1.0
    seed: int = 0
    mixed_precision: bool = True
    bfloat16_on_cpu: bool = False

    def __post_init__(self) -> None:
        _require_text("preset", self.preset)
        _require_text("noise", self.noise)
        _require_text("network", self.network)
        if not is_network(self.network):
            raise unknown_network(self.network)
        _require_choice("loss", self.loss, LOSSES)
        _require_choice("optimizer", self.optimizer, OPTIMIZERS)
        _require_choice("augmentation", self.augmentation, AUGMENTATIONS)
        _require_choice("schedule", self.schedule, SCHEDULES)
        _require_choice("trained_layers", self.trained_layers, TRAINED_LAYERS)
        for name, lowest in LOWEST_INTEGER.items():
            _require_integer(name, getattr(self, name), lowest)
        for name, limits in NUMBER_LIMITS.items():
            _require_number(name, getattr(self, name), **limits)
        if self.n_test > N_CIFAR10_TEST:
            raise InvalidInputError(
                f"n_test must be at most {N_CIFAR10_TEST:,}, the number of test images "
                f"in CIFAR-10, got {self.n_test}."
            )
        for name in ("mixed_precision", "bfloat16_on_cpu"):
            if not isinstance(getattr(self, name), bool):
                raise InvalidInputError(
                    f"{name} must be true or false, got {getattr(self, name)!r}."
                )
        if not isinstance(self.network_options, Mapping):
            raise InvalidInputError(
                "network_options must be a mapping of names to values, got "
                f"{self.network_options!r}."
            )
        # In canonical notation, so that equal noise compares equal.
        object.__setattr__(self, "noise", str(parse_noise(self.noise)))
        object.__setattr__(self, "network_options", dict(self.network_options))

    @property
    def noise_model(self) -> NoiseModel:
        """The noise model that `noise` names."""
        return parse_noise(self.noise)

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as a dict of numbers, strings, and dicts."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


#: The lowest value of settings that are integers.
LOWEST_INTEGER = {
    "batch_size": 1,
    "epochs": 1,
    "patience": 1,
    "n_test": 1,
    "seed": 0,
    "warm_up": 0,
    "patch_size": 8,
    "batches_per_epoch": 0,
    "smoothing": 1,
}
#: The limits of settings that are numbers.
NUMBER_LIMITS = {
    "learning_rate": {"above": 0.0},
    "min_delta": {"at_least": 0.0},
    "val_fraction": {"above": 0.0, "below": 1.0},
    "ssim_weight": {"above": 0.0, "below": 1.0},
    "zoom": {"at_least": 1.0, "below": 16.0},
}


def _require_text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise InvalidInputError(f"{name} must be a string, got {value!r}.")


def _require_choice(name: str, value: object, choices: Any) -> None:
    if not isinstance(value, str) or value not in choices:
        raise InvalidInputError(
            f"{name} must be one of {', '.join(choices)}, got {value!r}."
        )


def _require_integer(name: str, value: object, lowest: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < lowest:
        raise InvalidInputError(
            f"{name} must be an integer of at least {lowest}, got {value!r}."
        )


def _require_number(
    name: str,
    value: Any,
    *,
    above: float = -math.inf,
    at_least: float = -math.inf,
    below: float = math.inf,
) -> None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not above < value < below or value < at_least:
        number = "number" if math.isfinite(below) else "finite number"
        lowest = f"above {above:g}" if above > at_least else f"of at least {at_least:g}"
        highest = f" and below {below:g}" if math.isfinite(below) else ""
        raise InvalidInputError(
            f"{name} must be a {number} {lowest}{highest}, got {value!r}."
        )
