"""What a checkpoint file says about its model, apart from the weights.

It is read without importing torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import CheckpointError
from .builtin import CHECKPOINT_FORMAT
from .legacy_names import translate_options
from .plain_content import unusable_error
from .record import TrainingRecord, parse_record

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """A network and how it was trained.

    Parameters
    ----------
    network : str
        Name of the network.
    network_options : mapping
        Arguments of the network's constructor. Like `network`, they are not checked.
    record : TrainingRecord or None
        How the network was trained; None if unknown.
    """

    network: str
    network_options: Mapping[str, Any]
    record: TrainingRecord | None


def parse_description(content: dict[str, Any], name: str) -> ModelDescription:
    """Check the content of a checkpoint file, apart from the weights.

    Parameters
    ----------
    content : dict
        Entries of the file.
    name : str
        Name of the checkpoint, for the error message.

    Raises
    ------
    CheckpointError
        If the format or the training record is not that of a usable checkpoint, or an
        entry is missing.
    """
    require_format(content, CHECKPOINT_FORMAT, name)
    missing = [
        key
        for key in ("network", "network_options", "state_dict", "record")
        if key not in content
    ]
    if missing:
        raise unusable_error(name, f"{missing[0]!r} is missing")
    record = content["record"]
    return ModelDescription(
        content["network"],
        translate_options(content["network_options"]),
        None if record is None else parse_record(record, name),
    )


def require_format(content: Any, expected: str, name: str) -> None:
    """Raise `CheckpointError` unless the content has this format and version."""
    if not isinstance(content, dict) or content.get("format") != expected:
        found = content.get("format") if isinstance(content, dict) else None
        raise CheckpointError(f"{name} is not a {expected}: its format is {found!r}.")
    version = content.get("format_version")
    if version != FORMAT_VERSION:
        raise CheckpointError(
            f"{name} has format version {version!r}; this version of "
            f"napari-denoise-ae reads {FORMAT_VERSION}. Update napari-denoise-ae."
        )
