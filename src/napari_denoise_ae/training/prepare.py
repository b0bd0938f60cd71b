"""Open the images of a training run, and complete its settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import InvalidInputError
from ..io.cifar10 import ImageSet, load_training_images
from .sources.image_set import ImageSetSource

if TYPE_CHECKING:
    import torch

    from ..models.checkpoint import Checkpoint
    from ..models.config import TrainingConfig
    from .job import TrainingJob
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
    config = resumed or job.config_for(job.preset or "conv", job.settings)
    data = job.data
    if data is None:
        raise InvalidInputError(f"Training on {job.kind} is not supported yet.")
    if not isinstance(data, ImageSet):
        data = load_training_images(data, n_test=config.n_test)
    return Prepared(config, ImageSetSource(data, config, device), None)
