"""Patches for training and validation, drawn from users' images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...image.tiling import round_up
from ..images.checksum import ChangeWatch, describe
from ..images.positions import draw_positions, grid_positions
from ..images.split import count_pixels, split_images
from ..seeds import Seeds

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

    from ...models.config import TrainingConfig
    from ...models.networks.base import DenoisingNetwork
    from ..images.collection import ImageCollection
    from ..images.positions import Position

# Batches in an epoch, unless the config says how many.
_FEWEST_BATCHES, _MOST_BATCHES = 20, 1000
# Pixels to validate with after each epoch.
_VALIDATION_PIXELS = 2**20


class PatchPlan:
    """Which patches of users' images are trained on, and which validated with.

    Parameters
    ----------
    images : ImageCollection
        The images, all gray or all in color.
    config : TrainingConfig
        The settings.
    network : DenoisingNetwork
        The network, for its stride and size.
    device : torch.device
        Training device.
    has_small_validation : bool
        Whether validation patches have half the side, which leaves more of a single
        image to train on.

    Attributes
    ----------
    images : ImageCollection
        The images that are large enough.
    side, val_side : int
        Rows and columns of a patch, and of a validation patch.
    train, val : tuple of Part
        The parts for training and for validation.
    n_batches : int
        Number of batches in an epoch.
    seeds : Seeds
        The seeds of the run.
    name, sha256, facts
        What `describe` returns.

    Raises
    ------
    DatasetError
        If the images are too small.
    """

    def __init__(
        self,
        images: ImageCollection,
        config: TrainingConfig,
        network: DenoisingNetwork,
        device: torch.device,
        *,
        has_small_validation: bool = False,
    ) -> None:
        stride = network.stride
        wanted = round_up(config.patch_size, stride)
        is_small = has_small_validation and not network.image_size
        self.side = network.image_size or _fitting_side(
            images, wanted, stride, 1.5 if is_small else 2.0
        )
        self.val_side = round_up(self.side // 2, stride) if is_small else self.side
        self._is_smaller = not network.image_size and self.side < wanted
        self.images = images.at_least(self.side)
        self.train, self.val = split_images(
            self.images,
            config.val_fraction,
            config.seed,
            side=self.side,
            val_side=self.val_side,
        )
        self.name, self.sha256, self.facts = describe(self.images)
        self.seeds = Seeds(config.seed, device)
        self._batch_size = config.batch_size
        n_pixels = sum(count_pixels(self.images, part) for part in self.train)
        cover = round(n_pixels / (config.batch_size * self.side**2))
        cover = min(max(cover, _FEWEST_BATCHES), _MOST_BATCHES)
        self.n_batches = config.batches_per_epoch or cover
        self._watch = ChangeWatch(self.images)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user on images and patches."""
        note = f"Patches have {self.side} x {self.side} pixels, to fit the images."
        return (*self.images.notes, note) if self._is_smaller else self.images.notes

    @property
    def n_train(self) -> int:
        """Number of training images."""
        return len({part.image for part in self.train})

    @property
    def n_val(self) -> int:
        """Number of validation images."""
        return len({part.image for part in self.val})

    def batches(self, epoch: int) -> Iterator[list[Position]]:
        """Yield the positions of the patches of each batch of an epoch.

        Raises
        ------
        DatasetError
            If a file has changed since the start of the run.
        """
        self._watch.check()
        rng = self.seeds.patch_rng(epoch)
        for _ in range(self.n_batches):
            yield draw_positions(
                self.images, self.train, self._batch_size, self.side, rng
            )

    def validation(self, most: int | None = None) -> list[Position]:
        """Return the positions of the validation patches.

        Parameters
        ----------
        most : int, optional
            Largest number of patches. None means those of one megapixel.
        """
        n_patches = most or max(_VALIDATION_PIXELS // self.val_side**2, 1)
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
        self.n_train, self.n_val = plan.n_train, plan.n_val
        self.n_batches = plan.n_batches


def _fitting_side(
    images: ImageCollection, wanted: int, stride: int, n_patches: float
) -> int:
    """Return the side of patches that fit into half of the images or more.

    A single image must be so many patches long.
    """
    shapes = [image.plane_shape for image in images.images]
    if len(shapes) == 1:
        # It is split along its longer side.
        largest = min(*shapes[0], int(max(shapes[0]) / n_patches))
    else:
        sides = sorted(min(shape) for shape in shapes)
        largest = sides[(len(sides) - 1) // 2]
    return min(wanted, max(largest // stride, 1) * stride)
