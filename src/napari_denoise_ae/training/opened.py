"""Open the images of a training run, and complete its settings with what they show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInputError
from ..models.builtin import DEFAULT_MODEL
from ..models.load import load_fitting, require_trainable
from ..models.networks.registry import outline_network
from ..models.presets import CORRELATED_NOISE, PRESETS
from .images.layout import lay_out_patches
from .images.luma import as_gray
from .images.open import open_images
from .images.pairs import match_pairs
from .images.repeats import as_repeats, lay_out_repeats, most_passes

if TYPE_CHECKING:
    from collections.abc import Collection

    from ..models.checkpoint import Checkpoint
    from ..models.config import TrainingConfig
    from .images.collection import ImageCollection
    from .images.layout import PatchLayout
    from .job import TrainingJob

# Of CIFAR-10.
_N_COLORS = 3
# A run on large images has at most so many batches, from random weights and from a
# trained network, in at least so many epochs: more take hours on a CPU.
_MOST_BATCHES, _MOST_OF_TRAINED, _FEWEST_EPOCHS = 20_000, 4_000, 5
# The lowest patch size of a config.
_LEAST_SIDE = 8


@dataclass(frozen=True, slots=True, eq=False)
class OpenedImages:
    """The images of a run and all its settings; no pixel is read yet.

    Parameters
    ----------
    kind : str
        ``"data"`` or one of `DATA_KINDS`.
    config : TrainingConfig
        All settings.
    images : tuple of ImageCollection
        The images, with as many colors as the network takes: noisy and clean ones
        for pairs, else one collection. Empty for ``"data"``.
    start_from : Checkpoint or None
        Model whose weights the run begins with.
    """

    kind: str
    config: TrainingConfig
    images: tuple[ImageCollection, ...]
    start_from: Checkpoint | None

    def layout(self) -> PatchLayout:
        """Return the size of the patches, and where they may lie.

        Raises
        ------
        DatasetError
            If the images are too small, or not the pairs or repeats they should be.
        """
        images = self.images[0]
        config = self.config
        network = outline_network(config.network, config.network_options)
        if self.kind == "repeats":
            return lay_out_repeats(as_repeats(images), config, network)
        if self.kind == "pairs":
            images, _ = match_pairs(*self.images)
        return lay_out_patches(
            images, config, network, has_small_validation=self.kind != "images"
        )


def open_run(job: TrainingJob, resumed: TrainingConfig | None = None) -> OpenedImages:
    """Open the images of a run, and complete its settings.

    Parameters
    ----------
    job : TrainingJob
        The run. CIFAR-10 is neither downloaded nor read.
    resumed : TrainingConfig, optional
        The config of the run to resume; None for a new run.

    Returns
    -------
    OpenedImages
        The images and the settings. Those that the job does not give suit the images:
        the preset suits their colors, patches fit into them, and large images are
        trained on for fewer epochs.

    Raises
    ------
    DatasetError, InvalidInputError, CheckpointError
        If the images or the model to start from cannot be used.
    """
    images = [] if job.kind == "data" else _open(job)
    n_colors = images[0].colors() if images else _N_COLORS
    if job.preset is None and job.start_from is None:
        # The images decide on the network: a few odd ones must not change what it is.
        images = [each.of_colors(n_colors) for each in images]
    start_from = _load_start(job, n_colors)
    config = resumed or _new_config(job, n_colors, start_from)
    n_channels = outline_network(config.network, config.network_options).in_channels
    fitting = tuple(_fitting(each, n_channels) for each in images)
    opened = OpenedImages(job.kind, config, fitting, start_from)
    if resumed is None and images:
        opened = replace(opened, config=_fit_settings(opened, job.settings))
    return opened


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
        checkpoint = load_fitting(job.start_from, n_colors)
        require_trainable(checkpoint)
        return checkpoint
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
    elif job.kind != "data":
        settings = _with_preset_options(job.preset or default, settings)
    return job.config_for(job.preset or default, settings)


def _with_preset_options(preset: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Add the network options of the preset that are not given, such as in_channels."""
    known, given = PRESETS[preset], settings.get("network_options")
    is_same = settings.get("network", known.network) == known.network
    if not is_same or not isinstance(given, Mapping):
        return settings
    return settings | {"network_options": {**known.network_options, **given}}


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


def _fit_settings(opened: OpenedImages, given: Collection[str]) -> TrainingConfig:
    """Return the config with patches, epochs and batches that suit the images."""
    config, layout = opened.config, opened.layout()
    changes: dict[str, Any] = {}
    if "patch_size" not in given:
        changes["patch_size"] = max(layout.side, _LEAST_SIDE)
    if "epochs" not in given:
        is_trained = opened.start_from is not None
        most = _MOST_OF_TRAINED if is_trained else _MOST_BATCHES
        epochs = max(most // layout.n_batches, _FEWEST_EPOCHS)
        changes["epochs"] = min(config.epochs, epochs)
    fitted = replace(config, **changes)
    is_short = opened.kind == "repeats" and config.batches_per_epoch
    if not is_short or "batches_per_epoch" in given:
        return fitted
    n_seen = most_passes(layout.images) * layout.n_train_pixels
    most = round(n_seen / (fitted.epochs * fitted.batch_size * layout.side**2))
    n_batches = min(fitted.batches_per_epoch, max(most, 1))
    return replace(fitted, batches_per_epoch=n_batches)
