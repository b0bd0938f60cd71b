"""A model on its device: parts of planes in, denoised parts out.

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
from ..image.tiling import SMALLEST_TILE_SIZE, region_shape, relative_region
from ..models.devices import DeviceChoice
from .blending import run_network
from .halo import find_halo, padded_length, plan_tiles
from .memory import OutOfMemoryError, choose_tile_size, is_lack_of_memory
from .network_input import merge_kept, prepare_input
from .options import FLOAT32
from .precision import computing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from ..image.intensity import IntensityRange
    from ..image.tiling import Region
    from ..models.checkpoint import Checkpoint
    from .halo import Tile


class Denoiser:
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
        self.checkpoint = checkpoint
        self.device, self.precision = device, precision
        self.network = checkpoint.build(device.device)
        self._loaded = device, self.network
        self.tile_size = choose_tile_size(checkpoint, device.device)
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
        fresh._limit = None  # noqa: SLF001 - a copy of this very object
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

    def denoise_tile(
        self,
        source: NDArray[Any],
        target: NDArray[Any],
        tile: Tile,
        scale: IntensityRange,
    ) -> None:
        """Denoise a tile of a plane, in parts where the memory is too small.

        Parameters
        ----------
        source : numpy.ndarray
            The plane, (Y, X, channels).
        target : numpy.ndarray
            Where the result goes, same shape.
        tile : Tile
            Which part of it, from `plan_tiles`.
        scale : IntensityRange
            The plane's intensity range.

        Raises
        ------
        DeviceError
            If even the CPU runs out of memory on the smallest tile.
        """

        def denoise_part(part: Tile) -> None:
            block = source[part.read]
            values, kept = self._denoise_block(block, scale)
            target[part.write] = merge_kept(block, values, kept, part, target.dtype)

        self.run_tile(tile, source.shape[:2], denoise_part)

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

    def run_network(
        self,
        batch: NDArray[np.float32],
        noise: Sequence[float | NDArray[np.float64]] = (),
    ) -> NDArray[np.float32]:
        """Run the network on images of any size.

        Parameters
        ----------
        batch : numpy.ndarray
            (N, channels, Y, X), range [0, 1], or around 0 if the network takes a noise
            level. Images whose sides are not multiples of the network's stride, or
            shorter than its image size, are reflected at their end.
        noise : sequence of float or numpy.ndarray
            The noise level and its products with the correlations along X and Y, for
            a network that takes them: one value for all pixels, or a map, (Y, X).

        Returns
        -------
        numpy.ndarray
            The same shape.

        Raises
        ------
        OutOfMemoryError
            If the device runs out of memory.
        """
        height, width = batch.shape[-2:]
        taken = noise[: self.network.n_noise_inputs]
        maps = [
            np.full((len(batch), 1, height, width), each, np.float32) for each in taken
        ]
        batch = np.concatenate([batch, *maps], axis=1)
        missing = [(0, self._padded(length) - length) for length in (height, width)]
        padded = np.pad(batch, [(0, 0), (0, 0), *missing], mode="reflect")
        try:
            with (
                torch.inference_mode(),
                computing(self.precision, self.device.device, next(iter(taken), None)),
            ):
                tensor = torch.from_numpy(padded).to(self.device.device)
                output = run_network(self.network, tensor).cpu().numpy()
        except (RuntimeError, MemoryError) as error:
            if not is_lack_of_memory(error):
                raise
            raise OutOfMemoryError(
                f"The device {self.device} ran out of memory on {len(batch)} x "
                f"{height} x {width} pixels. Use device='cpu'."
            ) from error
        result: NDArray[np.float32] = output[..., :height, :width]
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
        # numpy's own copies of a tile need memory, too.
        except (OutOfMemoryError, MemoryError):
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
            self.device = DeviceChoice(torch.device("cpu"), f"{lost} ran out of memory")
            self.network = self.checkpoint.build(self.device.device)
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

    def _padded(self, length: int) -> int:
        """Return the next length of a side that the network takes."""
        network = self.network
        return padded_length(
            length, stride=network.stride, shortest=network.image_size or 0
        )

    def _denoise_block(
        self, block: NDArray[Any], scale: IntensityRange
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Denoise (Y, X, channels) in the image's units; tell which pixels to keep."""
        if scale.noise_level == 0.0:
            return block.astype(np.float64), np.ones(block.shape, dtype=bool)
        shown = prepare_input(block, scale)
        denoised = self.apply_network(shown.unit, scale.noise_inputs)
        return shown.restore(denoised, scale)

    def apply_network(
        self, unit: NDArray[np.float64], noise: Sequence[float | NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        """Denoise (Y, X, channels), whatever the network's channels.

        Parameters
        ----------
        unit : numpy.ndarray
            The image as the network sees it, see `prepare_input`.
        noise : sequence
            See `run_network`.
        """
        channels, wanted = unit.shape[-1], self.network.in_channels
        batch = unit.astype(np.float32).transpose(2, 0, 1)[np.newaxis]  # (1, C, Y, X)
        if channels == 1:
            batch = np.repeat(batch, wanted, axis=1)
        elif wanted == 1:
            batch = batch.transpose(1, 0, 2, 3)  # each color by itself
        output = self.run_network(batch, noise)
        output = output.reshape(-1, *output.shape[-2:]).transpose(1, 2, 0)
        if channels == 1:
            output = output.mean(axis=-1, keepdims=True)
        return output.astype(np.float64)
