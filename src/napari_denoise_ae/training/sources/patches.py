"""Patches for training and validation, drawn from users' images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..images.checksum import ChangeWatch, describe
from ..images.patches import MEMORY_LIMIT, useful_limit
from ..images.pool import PicturePool, pool_size
from ..images.positions import draw_positions, grid_positions
from ..seeds import Seeds

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

    from ...models.config import TrainingConfig
    from ..images.layout import PatchLayout
    from ..images.positions import Position

#: Pixels to validate with after each epoch, and for runs that take seconds.
VALIDATION_PIXELS, FEW_VALIDATION_PIXELS = 2**20, 2**17


class PatchPlan:
    """Which patches of users' images are trained on, and which validated with.

    Parameters
    ----------
    layout : PatchLayout
        The size of patches, and where they may lie.
    config : TrainingConfig
        The settings.
    device : torch.device
        Training device.
    planes_per_patch : int
        Number of planes that are read for a patch.

    Attributes
    ----------
    images, side, val_side, train, val, n_batches
        See `PatchLayout`.
    seeds : Seeds
        The seeds of the run.
    watch : ChangeWatch
        Watches the files of the images.
    name, sha256, facts
        What `describe` returns; the facts say which images are for validation.

    Raises
    ------
    DatasetError
        If an image cannot be read.
    """

    def __init__(
        self,
        layout: PatchLayout,
        config: TrainingConfig,
        device: torch.device,
        planes_per_patch: int = 1,
    ) -> None:
        self.layout = layout
        self.images, self.n_batches = layout.images, layout.n_batches
        self.side, self.val_side = layout.side, layout.val_side
        self.train, self.val = layout.train, layout.val
        self.name, self.sha256, facts = describe(self.images)
        validated = layout.only_validated
        self.facts = tuple(
            fact.replace(", SHA-256", ", for validation, SHA-256")
            if number in validated
            else fact
            for number, fact in enumerate(facts)
        )
        self.seeds = Seeds(config.seed, device)
        self._batch_size = config.batch_size
        self.watch = ChangeWatch(self.images)
        limit = useful_limit(self.images, MEMORY_LIMIT)
        self._pool_size = pool_size(self.images, limit, planes_per_patch)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user on images and patches."""
        note = f"Patches have {self.side} x {self.side} pixels, to fit the images."
        is_smaller = self.layout.is_smaller
        return (*self.images.notes, note) if is_smaller else self.images.notes

    def batches(self, epoch: int) -> Iterator[list[Position]]:
        """Yield the positions of the patches of each batch of an epoch."""
        rng = self.seeds.patch_rng(epoch)
        drawn_from = self.images, self.train
        if self._pool_size:
            pool = PicturePool(*drawn_from, self.side, self._pool_size, rng)
            for _ in range(self.n_batches):
                yield pool.draw(self._batch_size)
        else:
            for _ in range(self.n_batches):
                yield draw_positions(*drawn_from, self._batch_size, self.side, rng)

    def validation(self, n_pixels: int = VALIDATION_PIXELS) -> list[Position]:
        """Return the positions of the validation patches.

        Parameters
        ----------
        n_pixels : int
            Most pixels that they have together, unless a single patch has more. The
            default is one megapixel.
        """
        n_patches = max(n_pixels // self.val_side**2, 1)
        return grid_positions(self.images, self.val, n_patches, self.val_side)


class PlannedSource:
    """Base class of sources that train on the patches of a plan.

    Parameters
    ----------
    plan : PatchPlan
        The patches.
    noise : str
        Description of the noise.

    Attributes
    ----------
    name, sha256, images, notes, noise, n_train, n_val, n_batches
        See `TrainingSource`.
    """

    def __init__(self, plan: PatchPlan, noise: str) -> None:
        self._plan, self.noise = plan, noise
        self.name, self.sha256 = plan.name, plan.sha256
        self.images, self.notes = plan.facts, plan.notes
        self.n_train, self.n_val = plan.layout.n_train, plan.layout.n_val
        self.n_batches = plan.n_batches

    def require_unchanged(self) -> None:
        """Raise if a file has changed since the start of the run."""
        self._plan.watch.check()
