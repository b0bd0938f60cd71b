"""How much a training run computes, and keeps in memory."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .images.patches import kept_bytes
from .sources.adapt import TRAINING_PIXELS
from .sources.patches import FEW_VALIDATION_PIXELS, VALIDATION_PIXELS

if TYPE_CHECKING:
    from ..io.cifar10 import ImageSet
    from ..models.config import TrainingConfig
    from .opened import OpenedImages

# Sizes of CIFAR-10, which need not be there yet.
_N_CIFAR10, _CIFAR10_SIDE, _CIFAR10_COLORS = 60_000, 32, 3
# Bytes of a channel of a pixel for validation: the noisy and the clean value, float32,
# and whether it counts.
_VALIDATION_BYTES = 9
# Of a pixel of a window that is adapted to: four values, see `DenoisedWindow`.
_WINDOW_BYTES = 13


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """How much a training run computes, and keeps in memory.

    Parameters
    ----------
    n_train, n_val : int
        Number of images for training and for validation; 1 and 0 if parts of a single
        image are for validation.
    n_images : int
        Number of images, or patches, in a batch.
    shape : tuple of int
        Rows and columns of these.
    n_batches : int
        Number of batches in an epoch.
    n_val_pixels : int
        Number of pixels that are validated with after each epoch; colors count as one.
    n_bytes : int
        Bytes of the images that are kept in memory, at most.
    """

    n_train: int
    n_val: int
    n_images: int
    shape: tuple[int, int]
    n_batches: int
    n_val_pixels: int
    n_bytes: int

    @property
    def n_batch_pixels(self) -> int:
        """Number of pixels of a batch; colors count as one."""
        return self.n_images * math.prod(self.shape)

    @classmethod
    def of_patches(cls, opened: OpenedImages) -> Workload:
        """Return the workload of a run on the user's own images."""
        layout, config = opened.layout(), opened.config
        n_colors = layout.images.images[0].n_colors
        n_bytes = sum(kept_bytes(images) for images in opened.images)
        if opened.kind == "adapt":
            n_bytes += TRAINING_PIXELS * n_colors * _WINDOW_BYTES
        is_quick = opened.kind in ("adapt", "repeats")
        most = FEW_VALIDATION_PIXELS if is_quick else VALIDATION_PIXELS
        n_val_pixels = min(layout.n_val_pixels, most)
        return cls(
            n_train=layout.n_train,
            n_val=layout.n_val,
            n_images=config.batch_size,
            shape=(layout.side, layout.side),
            n_batches=layout.n_batches,
            n_val_pixels=n_val_pixels,
            n_bytes=n_bytes + n_val_pixels * n_colors * _VALIDATION_BYTES,
        )

    @classmethod
    def of_images(cls, config: TrainingConfig, data: ImageSet | None) -> Workload:
        """Return the workload of a run on images of equal size.

        Parameters
        ----------
        config : TrainingConfig
            The settings.
        data : ImageSet, optional
            The images. None means CIFAR-10, which need not be downloaded.
        """
        n_images = _N_CIFAR10 - config.n_test
        shape, n_colors = (_CIFAR10_SIDE, _CIFAR10_SIDE), _CIFAR10_COLORS
        if data is not None:
            n_images, *_ = data.images.shape
            shape, n_colors = data.images.shape[1:3], data.images.shape[3]
        n_val = round(n_images * config.val_fraction)
        n_pixels = math.prod(shape)
        return cls(
            n_train=n_images - n_val,
            n_val=n_val,
            n_images=min(config.batch_size, n_images - n_val),
            shape=shape,
            n_batches=-(-(n_images - n_val) // config.batch_size),
            n_val_pixels=n_val * n_pixels,
            # As they are read, and on the device.
            n_bytes=2 * n_images * n_pixels * n_colors,
        )
