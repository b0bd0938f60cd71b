"""Make the source of the batches of a training run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..io.cifar10 import ImageSet, load_training_images
from .images.pairs import match_pairs
from .images.scenes import with_scenes, with_scenes_of
from .opened import open_run
from .sources.adapt import AdaptSource
from .sources.clean import CleanPatchSource
from .sources.image_set import ImageSetSource
from .sources.noise2void import BlindSpotSource
from .sources.pairs import PairSource
from .sources.repeats import RepeatSource
from .workload import Workload

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from ..models.checkpoint import Checkpoint
    from ..models.config import TrainingConfig
    from .images.collection import ImageCollection
    from .job import TrainingJob
    from .opened import OpenedImages
    from .sources.base import TrainingSource


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
    workload : Workload
        How much there is to compute.
    """

    config: TrainingConfig
    source: TrainingSource
    start_from: Checkpoint | None
    workload: Workload


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
    opened = open_run(job, resumed)
    config, start_from = opened.config, opened.start_from
    if opened.images:
        opened = replace(opened, images=_with_scenes(opened))
        source = SOURCES[job.kind](opened.images, config, device, start_from)
        return Prepared(config, source, start_from, Workload.of_patches(opened))
    data = job.data
    if not isinstance(data, ImageSet):
        data = load_training_images(str(data), n_test=config.n_test)
    source = ImageSetSource(data, config, device)
    return Prepared(config, source, start_from, Workload.of_images(config, data))


def _with_scenes(opened: OpenedImages) -> tuple[ImageCollection, ...]:
    """Return the images with what they show, so that copies are not divided."""
    if opened.kind == "repeats":
        # Whole frames are kept out, and copies are refused.
        return opened.images
    if opened.kind == "pairs":
        return with_scenes_of(*match_pairs(*opened.images))
    return tuple(with_scenes(each) for each in opened.images)


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
