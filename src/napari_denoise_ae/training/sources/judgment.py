"""What a run without clean images says of its model when it ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...models.checkpoint import Checkpoint


@dataclass(frozen=True, slots=True, eq=False)
class Judgment:
    """The comparison of a new model with another one, without clean images.

    Parameters
    ----------
    text : str
        What was found, without a full stop, for display and for the record.
    kept : Checkpoint, optional
        The model that the run started from, if its weights are to be kept.
    """

    text: str
    kept: Checkpoint | None = None
