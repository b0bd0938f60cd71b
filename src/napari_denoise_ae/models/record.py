"""How a network was trained: the record in a checkpoint file.

It is read without importing torch.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from ..errors import InvalidInputError
from .config import TrainingConfig
from .legacy_names import translate_config
from .plain_content import unusable_error


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRecord:
    """How a network was trained.

    Parameters
    ----------
    config : TrainingConfig
        All settings of the run.
    dataset, dataset_sha256 : str
        Name and checksum of the images before the split.
    n_train, n_val : int
        Number of training and validation images; 1 and 0 if parts of a single image
        were for validation. The config's `seed` and `val_fraction` determine the split.
    epochs_run, best_epoch : int
        Number of finished epochs, and number of the epoch whose weights the
        checkpoint contains, counted from 1.
    stop_reason : str
        Why training ended; empty if it is still running or was interrupted.
    val_loss, val_psnr : float
        Validation loss and mean validation PSNR, in dB, of the best epoch.
    noise_estimate : tuple of float
        5th, 50th and 95th percentile of `wavelet_sigma` on the noisy
        validation images, as fractions of the intensity range.
    receptive_field_radius, stride : int
        In pixels, see `DenoisingNetwork`.
    device, package_version, torch_version : str
        Device and software that trained the network.
    date : str
        Date and time of the checkpoint, ISO 8601, UTC.
    intensity : str
        How intensities are mapped to the network's input.
    images : tuple of str
        One line for each image of the user's own: name, shape, dtype, checksum and
        use. Empty for CIFAR-10 and images in memory.
    noise : str
        Description of the noise; empty in older records, whose config names it.
    started_from : str
        Name of the model whose weights the run began with; empty for random weights.
    """

    config: TrainingConfig
    dataset: str
    dataset_sha256: str
    n_train: int
    n_val: int
    epochs_run: int
    best_epoch: int
    stop_reason: str
    val_loss: float
    val_psnr: float
    noise_estimate: tuple[float, float, float]
    receptive_field_radius: int
    stride: int
    device: str
    package_version: str
    torch_version: str
    date: str
    intensity: str = "intensity range mapped linearly to [0, 1]"
    images: tuple[str, ...] = ()
    noise: str = ""
    started_from: str = ""


# Types of the simple fields of a record, by annotation.
_FIELD_TYPES: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "int": int,
    "float": (int, float),
}


def parse_record(content: Any, name: str) -> TrainingRecord:
    """Check the training record of a checkpoint file and return it.

    Parameters
    ----------
    content : object
        The record as it stands in the file.
    name : str
        Name of the checkpoint, for the error message.

    Raises
    ------
    CheckpointError
        If it is not a usable record.
    """
    content = _with_new_fields(content)
    expected = {field.name: str(field.type) for field in fields(TrainingRecord)}
    if not isinstance(content, dict) or set(content) != set(expected):
        raise unusable_error(name, "its training record has unexpected fields")
    for key, annotation in expected.items():
        value = content[key]
        usable = isinstance(value, _FIELD_TYPES.get(annotation, object))
        if not usable:
            raise unusable_error(
                name, f"{key} in its training record is not of type {annotation}"
            )
    try:
        config = TrainingConfig(**translate_config(content["config"]))
    except (InvalidInputError, TypeError) as error:
        raise unusable_error(name, f"its settings are invalid: {error}") from error
    estimate = content["noise_estimate"]
    is_triple = isinstance(estimate, (list, tuple)) and len(estimate) == 3
    if not is_triple or not all(isinstance(value, float) for value in estimate):
        raise unusable_error(name, "its noise estimate is not three numbers")
    images = content["images"]
    is_listed = isinstance(images, (list, tuple))
    if not is_listed or not all(isinstance(line, str) for line in images):
        raise unusable_error(name, "its images are not a list of strings")
    parsed = {
        "config": config,
        "noise_estimate": tuple(estimate),
        "images": tuple(images),
    }
    return TrainingRecord(**{**content, **parsed})


def _with_new_fields(content: Any) -> Any:
    """Add the fields that older records lack."""
    if not isinstance(content, dict):
        return content
    return {"images": (), "noise": "", "started_from": ""} | content
