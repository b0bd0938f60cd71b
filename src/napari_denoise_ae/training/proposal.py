"""Propose the settings of a training run from its images."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from ..io.cifar10 import ImageSet
from ..io.source import close_volumes
from ..models.networks.registry import outline_network
from .images.repeats import as_repeats
from .opened import open_run
from .sources.measured import MeasuredImages
from .workload import Workload

if TYPE_CHECKING:
    from ..models.config import TrainingConfig
    from .job import TrainingJob
    from .opened import OpenedImages

# Noise is measured in at most so many images.
_MOST_MEASURED = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Proposal:
    """The settings that suit the images of a run, and how much there is to compute.

    Parameters
    ----------
    config : TrainingConfig
        All settings.
    noise : str
        Description of the noise: that which is added to clean images, or that which
        was measured in noisy ones.
    workload : Workload
        How much there is to compute, for `estimate_run`.
    notes : tuple of str
        Sentences on images that are left out or changed.
    """

    config: TrainingConfig
    noise: str
    workload: Workload
    notes: tuple[str, ...]


def propose_training(job: TrainingJob) -> Proposal:
    """Propose the settings of a run from its images, before it starts.

    Parameters
    ----------
    job : TrainingJob
        The run. Settings that it gives are kept. Its output is not looked at.

    Returns
    -------
    Proposal
        The settings that the run would have. Patches fit into the images, an epoch has
        as many batches as cover their pixels, and large images are trained on for fewer
        epochs. CIFAR-10 need not be downloaded.

    Raises
    ------
    DatasetError, InvalidInputError, CheckpointError
        If the images, the settings or the model to start from cannot be used.

    Notes
    -----
    Files are opened, and the noise is measured in up to three noisy images, so this
    takes up to a few seconds. Time and memory follow from the proposal::

        proposal = propose_training(job)
        estimate = estimate_run(proposal.config, proposal.workload, device)
    """
    opened = open_run(job)
    if not opened.images:
        data = job.data if isinstance(job.data, ImageSet) else None
        return Proposal(
            config=opened.config,
            noise=opened.config.noise_model.description,
            workload=Workload.of_images(opened.config, data),
            notes=(),
        )
    return Proposal(
        config=opened.config,
        noise=_describe_noise(opened),
        workload=Workload.of_patches(opened),
        notes=opened.layout().images.notes,
    )


def _describe_noise(opened: OpenedImages) -> str:
    """Describe the noise that is added, or measured in the first images."""
    config = opened.config
    if opened.kind == "images":
        return config.noise_model.description
    images = opened.images[0]
    if opened.kind == "repeats":
        images = as_repeats(images)
    few = replace(images, images=images.images[:_MOST_MEASURED])
    network = outline_network(config.network, config.network_options)
    try:
        measured = MeasuredImages(
            few, torch.device("cpu"), takes_noise_level=network.takes_noise_level
        )
    finally:
        close_volumes()
    return measured.description
