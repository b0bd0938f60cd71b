"""The interface of a source of training batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from ...models.checkpoint import Checkpoint
    from ..batch import Batch
    from .judgment import Judgment


class TrainingSource(Protocol):
    """A source of batches to train on and to validate with.

    What it yields depends on the settings and its data alone, so that a run can be
    repeated and resumed exactly. No pixel of its validation images is trained on.

    Attributes
    ----------
    name, sha256 : str
        Name and checksum of all images, for the record of the run.
    images : tuple of str
        One line for each image, for the record; empty for a known data set.
    notes : tuple of str
        Sentences for the user on images that are left out or changed.
    noise : str
        Description of the noise, for display and for the record.
    n_train, n_val : int
        Number of images for training and for validation; 1 and 0 if parts of a single
        image are for validation.
    n_batches : int
        Number of training batches in an epoch.
    has_truth : bool
        Whether targets are clean. Otherwise the PSNR is unknown.
    """

    @property
    def name(self) -> str:
        """Name of the images."""

    @property
    def sha256(self) -> str:
        """Checksum of the images."""

    @property
    def images(self) -> tuple[str, ...]:
        """A line for each image."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user."""

    @property
    def noise(self) -> str:
        """Description of the noise."""

    @property
    def n_train(self) -> int:
        """Number of training images."""

    @property
    def n_val(self) -> int:
        """Number of validation images."""

    @property
    def n_batches(self) -> int:
        """Number of batches in an epoch."""

    @property
    def has_truth(self) -> bool:
        """Whether targets are clean."""

    def batches(self, epoch: int) -> Generator[Batch]:
        """Yield the training batches of an epoch, counted from 1."""

    def validation(self) -> Iterator[Batch]:
        """Yield the validation batches, which are always the same."""

    def examples(self, n_images: int) -> Batch:
        """Return some validation images to show, always the same."""

    def require_unchanged(self) -> None:
        """Raise if a file has changed since the start of the run.

        Raises
        ------
        DatasetError
            If one has, or is gone.
        """

    def judge(self, checkpoint: Checkpoint) -> Judgment | None:
        """Compare a trained model with another one, if it may be worse than that."""
