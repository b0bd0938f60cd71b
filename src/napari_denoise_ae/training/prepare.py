"""Open the images of a training run, and complete its settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInputError
from ..io.cifar10 import ImageSet, load_training_images
from ..models.builtin import DEFAULT_MODEL
from ..models.config import CORRELATED_NOISE, PRESETS
from ..models.load import load_fitting
from ..models.networks.registry import outline_network
from .images.luma import as_gray
from .images.open import open_images
from .sources.adapt import AdaptSource
from .sources.clean import CleanPatchSource
from .sources.image_set import ImageSetSource
from .sources.noise2void import BlindSpotSource
from .sources.pairs import PairSource
from .sources.repeats import RepeatSource

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from ..models.checkpoint import Checkpoint
    from ..models.config import TrainingConfig
    from .images.collection import ImageCollection
    from .job import TrainingJob
    from .sources.base import TrainingSource

# Of CIFAR-10.
_N_COLORS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """What a run needs besides its device.

    Parameters
    ----------
    config : TrainingConfig
        All settings.
    source : TrainingSource
        The images.
    start_from : Checkpoint or None
        Model whose weights the run begins with.
    """

    config: TrainingConfig
    source: TrainingSource
    start_from: Checkpoint | None


def prepare_training(
    job: TrainingJob, device: torch.device, resumed: TrainingConfig | None = None
) -> Prepared:
    """Open the images of a run, and complete its settings.

    Parameters
    ----------
    job : TrainingJob
        The run. CIFAR-10 is not downloaded.
    device : torch.device
        Training device.
    resumed : TrainingConfig, optional
        The config of the run to resume; None for a new run.

    Returns
    -------
    Prepared
        The settings, the images, and the weights to start from.

    Raises
    ------
    DatasetError, InvalidInputError, CheckpointError
        If the images or the model to start from cannot be used.
    """
    if job.kind == "data":
        return _prepare_image_set(job, device, resumed)
    opened = _open(job)
    n_colors = opened[0].colors()
    if job.preset is None and job.start_from is None:
        # The images decide on the network: a few odd ones must not change what it is.
        opened = [images.of_colors(n_colors) for images in opened]
    start_from = _load_start(job, n_colors)
    config = resumed or _new_config(job, n_colors, start_from)
    n_channels = outline_network(config.network, config.network_options).in_channels
    fitting = [_fitting(images, n_channels) for images in opened]
    source = SOURCES[job.kind](fitting, config, device, start_from)
    return Prepared(config, source, start_from)


#: Makes the source of each kind of the user's own data from its images, which are two
#: collections for pairs, else one.
SOURCES: dict[str, Callable[..., TrainingSource]] = {
    "images": lambda images, config, device, _: CleanPatchSource(
        images[0], config, device
    ),
    "pairs": lambda images, config, device, _: PairSource(images, config, device),
    "repeats": lambda images, config, device, _: RepeatSource(
        images[0], config, device
    ),
    "adapt": lambda images, config, device, start: AdaptSource(
        images[0], config, device, start
    ),
    "noise2void": lambda images, config, device, _: BlindSpotSource(
        images[0], config, device
    ),
}


def _prepare_image_set(
    job: TrainingJob, device: torch.device, resumed: TrainingConfig | None
) -> Prepared:
    start_from = _load_start(job, _N_COLORS)
    config = resumed or _new_config(job, _N_COLORS, start_from)
    data = job.data
    if not isinstance(data, ImageSet):
        data = load_training_images(str(data), n_test=config.n_test)
    return Prepared(config, ImageSetSource(data, config, device), start_from)


def _open(job: TrainingJob) -> list[ImageCollection]:
    """Open the images; noisy and clean ones for pairs."""
    given = getattr(job, job.kind)
    if job.kind != "pairs":
        given = (given,)
    elif not isinstance(given, (tuple, list)) or len(given) != 2:
        raise InvalidInputError(
            "pairs must be two: the noisy images and the clean ones, got "
            f"{type(given).__name__}."
        )
    return [open_images(each, axes=job.axes, channel=job.channel) for each in given]


def _load_start(job: TrainingJob, n_colors: int) -> Checkpoint | None:
    """Load the model to start from; None for random weights."""
    if job.start_from is not None:
        return load_fitting(job.start_from, n_colors)
    return load_fitting(DEFAULT_MODEL, n_colors) if job.kind == "adapt" else None


def _new_config(
    job: TrainingJob, n_colors: int, start_from: Checkpoint | None
) -> TrainingConfig:
    """Return the config of a new run: of the model to start from, if there is one."""
    default = "conv"
    if job.kind != "data":
        default = "rgb" if n_colors == 3 else "gray"
    settings = dict(job.settings)
    if start_from is not None:
        record = start_from.record
        known = record is not None and record.config.preset in PRESETS
        default = record.config.preset if record is not None and known else default
        settings |= _network_settings(settings, start_from)
        if start_from.outline().takes_correlation:
            settings.setdefault("noise", CORRELATED_NOISE)
    return job.config_for(job.preset or default, settings)


def _network_settings(
    settings: dict[str, Any], start_from: Checkpoint
) -> dict[str, Any]:
    """Return the network of the model to start from, which cannot be changed."""
    options = dict(start_from.network_options)
    found = {"network": start_from.network, "network_options": options}
    for name, value in found.items():
        if settings.get(name, value) != value:
            raise InvalidInputError(
                f"A run that starts from {start_from.name} has its {name}, {value!r}; "
                f"got {settings[name]!r}. Leave it out, or start from random weights."
            )
    return found


def _fitting(images: ImageCollection, n_channels: int) -> ImageCollection:
    """Return the images with the colors that a network takes."""
    return as_gray(images) if n_channels == 1 else images.of_colors(n_channels)
