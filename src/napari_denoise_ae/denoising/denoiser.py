"""A loaded model for planes of any size: parts of them in, denoised parts out.

What runs out of memory is tried again in smaller tiles, then on the CPU, so
that a long run does not end because another program took the memory.
"""

from __future__ import annotations

import warnings
from copy import copy
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..errors import DenoiseAEWarning, DeviceError
from ..image.casting import copy_as
from ..image.tiling import SMALLEST_TILE_SIZE, region_shape, relative_region
from ..models.devices import DeviceChoice, is_lack_of_memory
from .halo import find_halo, plan_tiles
from .loaded_model import LoadedModel
from .memory import OutOfMemoryError, choose_tile_size
from .network_input import prepare_input
from .options import FLOAT32
from .pixels import (
    as_array,
    as_pixels,
    images_of,
    keep_unchanged,
    preparing_device,
    upload,
    working_dtype,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from ..image.intensity import IntensityRange
    from ..image.tiling import Region
    from ..models.checkpoint import Checkpoint
    from .halo import Tile


class Denoiser(LoadedModel):
    """A model that is ready on its device, for one image after another.

    Parameters
    ----------
    checkpoint : Checkpoint
        The model.
    device : DeviceChoice
        Where to compute.
    precision : str
        How precisely, see `denoise`. The default gives the same result on all devices.

    Attributes
    ----------
    device : DeviceChoice
        Where it is computed; the CPU, once the device has had too little
        memory even for small tiles.
    tile_size : int
        Rows and columns that are computed at once, where nothing else is
        asked for: chosen from the memory that the device has free.
    """

    def __init__(
        self, checkpoint: Checkpoint, device: DeviceChoice, precision: str = FLOAT32
    ) -> None:
        super().__init__(checkpoint, device, precision)
        self._loaded = self.device, self.network
        self.tile_size = choose_tile_size(checkpoint, self.device.device)
        # No tile is larger than this after memory has run out.
        self._limit: int | None = None
        # Threads that share a model take turns: their tiles would not all fit.
        self._lock = RLock()

    def for_new_run(self, precision: str) -> Denoiser:
        """Return the loaded model on its own device, with tiles chosen anew.

        Memory that ran out in one run may be free in the next.
        """
        fresh = copy(self)
        fresh.device, fresh.network = self._loaded
        fresh.precision = precision
        fresh.tile_size = choose_tile_size(self.checkpoint, fresh.device.device)
        # A copy of this very object.
        fresh._limit, fresh._arithmetic = None, ""  # noqa: SLF001
        return fresh

    def plan_tiles(
        self,
        shape: Sequence[int],
        *,
        tile_size: int | None = None,
        region: Region | None = None,
        halo: int | None = None,
    ) -> list[Tile]:
        """Cut a plane, or a region of it, into tiles for this model."""
        height, width = shape
        return plan_tiles(
            (height, width),
            tile_size=self.tile_size if tile_size is None else tile_size,
            halo=find_halo(self.network) if halo is None else halo,
            stride=self.network.stride,
            region=region,
        )

    def n_at_once(self, shape: Sequence[int]) -> int:
        """Return how many planes of a shape, (Y, X), to denoise in a batch.

        A GPU needs as many pixels at once as a tile has; a CPU has enough with one.
        """
        if self.device.device.type == "cpu":
            return 1
        height, width = shape
        return max(1, self.tile_size**2 // (height * width))

    def denoise_tile(
        self,
        sources: Sequence[NDArray[Any]],
        targets: Sequence[NDArray[Any]],
        tile: Tile,
        scale: IntensityRange,
    ) -> None:
        """Denoise a tile of some planes, in parts where the memory is too small.

        Parameters
        ----------
        sources : sequence of numpy.ndarray
            The planes, each (Y, X, channels), of the same shape and dtype.
        targets : sequence of numpy.ndarray
            Where the results go, of the same shape.
        tile : Tile
            Which part of them, from `plan_tiles`.
        scale : IntensityRange
            The intensity range of the planes.

        Raises
        ------
        DeviceError
            If even the CPU runs out of memory on the smallest tile.
        """

        def denoise_part(part: Tile) -> None:
            blocks = [source[part.read] for source in sources]
            results = self._denoise_blocks(blocks, scale, part.keep, targets[0].dtype)
            for target, result in zip(targets, results, strict=True):
                target[part.write] = result

        self.run_tile(tile, sources[0].shape[:2], denoise_part)

    def run_tile(
        self,
        tile: Tile,
        shape: Sequence[int],
        compute: Callable[[Tile], None],
        *,
        halo: int | None = None,
    ) -> None:
        """Compute a tile of a plane, in parts where the memory is too small.

        Parameters
        ----------
        tile : Tile
            Which part of the plane, from `plan_tiles`.
        shape : sequence of int
            Rows and columns of the plane.
        compute : callable
            Computes a part of the tile. It is called again with smaller parts if
            memory runs out.
        halo : int, optional
            That of the tile. None means that of the network.

        Raises
        ------
        DeviceError
            If even the CPU runs out of memory on the smallest tile.
        """
        with self._lock:
            while not self._fits(tile, shape, compute, halo):
                self._need_less_memory(tile)

    def compute_region(
        self,
        shape: Sequence[int],
        region: Region,
        compute: Callable[[Tile], NDArray[Any]],
        *,
        dtype: Any,
        halo: int,
        tile_size: int | None = None,
    ) -> NDArray[Any]:
        """Compute a region of a plane tile by tile; see `run_tile`.

        Parameters
        ----------
        shape : sequence of int
            Rows, columns and channels of the plane.
        region : tuple of slice
            Rows and columns to compute.
        compute : callable
            Returns the pixels of a tile, without its halo.
        dtype : dtype
            Data type of the result.
        halo : int
            Pixels that are read around each tile.
        tile_size : int, optional
            See `denoise`.

        Returns
        -------
        numpy.ndarray
            The region, (Y, X, channels).
        """
        result = np.empty((*region_shape(region), shape[-1]), dtype)

        def write(part: Tile) -> None:
            result[relative_region(part.write, region)] = compute(part)

        plane = shape[:2]
        for tile in self.plan_tiles(
            plane, tile_size=tile_size, region=region, halo=halo
        ):
            self.run_tile(tile, plane, write, halo=halo)
        return result

    def _fits(
        self,
        tile: Tile,
        shape: Sequence[int],
        compute: Callable[[Tile], None],
        halo: int | None,
    ) -> bool:
        """Compute a tile; tell whether there was memory enough for it."""
        parts = [tile]
        if self._limit is not None:
            parts = self.plan_tiles(
                shape, tile_size=self._limit, region=tile.write, halo=halo
            )
        try:
            for part in parts:
                compute(part)
        except OutOfMemoryError:
            return False
        # The copies of a tile need memory, too.
        except (RuntimeError, MemoryError) as error:
            if not is_lack_of_memory(error):
                raise
            return False
        return True

    def _need_less_memory(self, tile: Tile) -> None:
        """Halve the tiles; where they are as small as can be, leave the device."""
        height, width = (part.stop - part.start for part in tile.write)
        size = min(max(height, width), self._limit or max(height, width))
        if self.device.device.type == "cuda":
            torch.cuda.empty_cache()
        if size > SMALLEST_TILE_SIZE:
            self._limit = max(SMALLEST_TILE_SIZE, size // 2)
            change = f"It goes on with tiles of {self._limit} x {self._limit}"
        elif self.device.device.type != "cpu":
            lost, self._limit = self.device.device, None
            self.move_to(DeviceChoice(torch.device("cpu"), f"{lost} ran out of memory"))
            self._warn(lost, size, "It goes on on the CPU, which is slower")
            return
        else:
            raise DeviceError(
                f"The device {self.device} ran out of memory even on a tile of "
                f"{min(height, size)} x {min(width, size)} pixels. End other programs "
                "that use much of it."
            )
        self._warn(self.device.device, size, change)

    def _warn(self, device: torch.device, size: int, change: str) -> None:
        warnings.warn(
            f"The device {device} ran out of memory on a tile of {size} x {size} "
            f"pixels. {change}; the result is the same.",
            DenoiseAEWarning,
            stacklevel=2,
        )

    def _denoise_blocks(
        self,
        blocks: Sequence[NDArray[Any]],
        scale: IntensityRange,
        keep: Region,
        dtype: np.dtype[Any],
    ) -> list[NDArray[Any]]:
        """Denoise the pixels read, each (Y, X, channels), and return the ones to keep.

        They are uploaded once, and come back as pixels of the result.
        """
        cropped = [block[keep] for block in blocks]
        is_flat = [_is_flat(block, scale) for block in blocks]
        if scale.noise_level == 0.0 or all(is_flat):
            return [copy_as(block, dtype) for block in cropped]
        device, n_images = preparing_device(self.device.device), len(blocks)
        with torch.inference_mode():
            pixels = upload(blocks, device, working_dtype(blocks[0].dtype, scale))
            shown = prepare_input(pixels, scale)
            denoised = self.apply(shown.unit, scale.noise_inputs, n_images)
            values, kept = shown.part(keep).restore(denoised[keep], scale)
            results = as_pixels(images_of(values, n_images), dtype)
            masks = [None] * n_images
            if kept is not None:
                masks = list(as_array(images_of(kept, n_images)))
        return [
            copy_as(block, dtype) if flat else keep_unchanged(result, block, mask)
            for result, block, mask, flat in zip(
                results, cropped, masks, is_flat, strict=True
            )
        ]


def _is_flat(block: NDArray[Any], scale: IntensityRange) -> bool:
    """Return whether a block contains nothing but the center of the intensities.

    All blocks of a constant image do. Each network adds a small constant to them.
    """
    takes_noise = scale.noise_level is not None
    return (
        takes_noise and block.flat[0] == scale.low and bool((block == scale.low).all())
    )
