"""How large patches are, and where those for training and for validation may lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...image.tiling import round_up
from .split import count_pixels, group_scenes, split_images, whole_images

if TYPE_CHECKING:
    from ...models.config import TrainingConfig
    from ...models.networks.base import DenoisingNetwork
    from .collection import ImageCollection
    from .split import Part

# Batches in an epoch, unless the config says how many.
_FEWEST_BATCHES, _MOST_BATCHES = 20, 1000


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PatchLayout:
    """The patches of images: their size, and where they may lie.

    Parameters
    ----------
    images : ImageCollection
        The images that are large enough.
    side, val_side : int
        Rows and columns of a patch, and of a validation patch.
    train, val : tuple of Part
        The parts for training and for validation.
    val_share : float
        Fraction of the patches of `val` that are for validation, above 0 and at most 1.
    n_batches : int
        Number of batches in an epoch.
    is_smaller : bool
        Whether patches are smaller than the config says, to fit the images.
    """

    images: ImageCollection
    side: int
    val_side: int
    train: tuple[Part, ...]
    val: tuple[Part, ...]
    val_share: float
    n_batches: int
    is_smaller: bool

    @property
    def n_train(self) -> int:
        """Number of training images."""
        return len({part.image for part in self.train})

    @property
    def n_val(self) -> int:
        """Number of validation images; 0 if parts of a single image are."""
        return len(self.only_validated)

    @property
    def only_validated(self) -> set[int]:
        """Indices of the images that are for validation only."""
        trained = {part.image for part in self.train}
        return {part.image for part in self.val} - trained

    @property
    def n_train_pixels(self) -> int:
        """Number of pixels for training, in all planes; colors count as one."""
        return sum(count_pixels(self.images, part) for part in self.train)

    @property
    def n_val_pixels(self) -> int:
        """Number of pixels for validation, in all planes; colors count as one."""
        n_pixels = sum(count_pixels(self.images, part) for part in self.val)
        return round(self.val_share * n_pixels)


def lay_out_patches(
    images: ImageCollection,
    config: TrainingConfig,
    network: DenoisingNetwork,
    *,
    has_small_validation: bool = False,
    splits_images: bool = True,
) -> PatchLayout:
    """Choose the size of patches, and where they may lie. No pixel is read.

    Parameters
    ----------
    images : ImageCollection
        The images.
    config : TrainingConfig
        The settings.
    network : DenoisingNetwork
        The network, for its stride and size.
    has_small_validation : bool
        Whether validation patches have half the side, which leaves more of a single
        image to train on.
    splits_images : bool
        False if the source keeps patches of single frames out of training: then
        patches for training and for validation lie anywhere.

    Returns
    -------
    PatchLayout
        Patches have at most the config's `patch_size`, rounded up to a multiple of the
        stride, and fit into half of the images or more.

    Raises
    ------
    DatasetError
        If the images are too small.
    """
    stride = network.stride
    wanted = round_up(config.patch_size, stride)
    is_small = has_small_validation and not network.image_size
    n_patches = 1.0 if not splits_images else 1.5 if is_small else 2.0
    side = network.image_size or _fitting_side(images, wanted, stride, n_patches)
    val_side = round_up(side // 2, stride) if is_small else side
    usable = images.at_least(side)
    train = val = whole_images(usable)
    if splits_images:
        train, val = split_images(
            usable, config.val_fraction, config.seed, side=side, val_side=val_side
        )
    n_pixels = sum(count_pixels(usable, part) for part in train)
    cover = round(n_pixels / (config.batch_size * side**2))
    cover = min(max(cover, _FEWEST_BATCHES), _MOST_BATCHES)
    return PatchLayout(
        images=usable,
        side=side,
        val_side=val_side,
        train=train,
        val=val,
        val_share=1.0 if splits_images else config.val_fraction,
        n_batches=config.batches_per_epoch or cover,
        is_smaller=not network.image_size and side < wanted,
    )


def _fitting_side(
    images: ImageCollection, wanted: int, stride: int, n_patches: float
) -> int:
    """Return the side of patches that fit into half of the images or more.

    A single image, or scene, must be so many patches long.
    """
    shapes = [image.plane_shape for image in images.images]
    if len(group_scenes(images)) == 1:
        # It is split along its longer side.
        largest = min(*shapes[0], int(max(shapes[0]) / n_patches))
    else:
        sides = sorted(min(shape) for shape in shapes)
        largest = sides[(len(sides) - 1) // 2]
    return min(wanted, max(largest // stride, 1) * stride)
