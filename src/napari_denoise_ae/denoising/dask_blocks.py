"""Denoise one block of a lazy array, in the process that computes it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from ..image.axes import color_planes
from ..image.casting import copy_as
from ..image.checks import require_finite
from ..models.devices import choose_device
from .denoiser import Denoiser
from .halo import without_halo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..image.intensity import IntensityRange, IntensityRanges
    from ..image.tiling import Region
    from ..models.checkpoint import Checkpoint


@dataclass(frozen=True, slots=True)
class Model:
    """A checkpoint with a digest by which workers identify it.

    Parameters
    ----------
    digest : str
        SHA-256 of the checkpoint's identity and its weights. Models with equal digests
        are equal.
    checkpoint : Checkpoint
        The model.
    """

    digest: str
    checkpoint: Checkpoint = field(compare=False, repr=False)

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> Model:
        """Compute the digest of a checkpoint."""
        digest = hashlib.sha256(checkpoint.identity.encode())
        for name, tensor in checkpoint.state_dict.items():
            digest.update(name.encode())
            digest.update(tensor.numpy().tobytes())
        return cls(digest.hexdigest(), checkpoint)


@dataclass(frozen=True, slots=True)
class ModelRun:
    """One computation of a graph; its blocks share a `Denoiser` in each process.

    Parameters
    ----------
    model : Model
        The model.
    precision : str
        See `denoise`.
    token : str
        Unique for each run.
    """

    model: Model
    precision: str
    token: str

    @classmethod
    def start(cls, model: Model, precision: str) -> ModelRun:
        """Return a run with a new token."""
        return cls(model, precision, uuid4().hex)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockJob:
    """The settings that all blocks of a result share; see `denoise_lazily`.

    Parameters
    ----------
    axes : str
        Axes of a block: those of the stack, then Y, X and S.
    dtype : numpy.dtype
        Data type of the result.
    device : str
        See `denoise`.
    tile_size : int or None
        See `denoise`.
    halo : int
        See `find_halo`.
    n_blocks : tuple of int
        Number of blocks along each axis.
    first : tuple of int
        Index of the first plane along each axis of the stack.
    """

    axes: str
    dtype: np.dtype[Any]
    device: str
    tile_size: int | None
    halo: int
    n_blocks: tuple[int, ...]
    first: tuple[int, ...]

    def region(self, shape: tuple[int, ...], block_id: tuple[int, ...]) -> Region:
        """Return the rows and columns of a block without its halo."""
        rows, columns = (
            without_halo(
                shape[axis],
                number=block_id[axis],
                n_blocks=self.n_blocks[axis],
                halo=self.halo,
            )
            for axis in (self.axes.index("Y"), self.axes.index("X"))
        )
        return rows, columns


def denoise_block(
    block: NDArray[Any],
    *,
    run: ModelRun,
    ranges: IntensityRanges,
    job: BlockJob,
    block_id: tuple[int, ...],
) -> NDArray[Any]:
    """Denoise a plane, or a part of one with its halo, and crop the halo."""
    return denoise_part(
        block,
        loaded_denoiser(run, job.device),
        axes=job.axes,
        scale=ranges.of([i + n for i, n in zip(job.first, block_id, strict=False)]),
        region=job.region(block.shape, block_id),
        dtype=job.dtype,
        tile_size=job.tile_size,
    )


def denoise_part(
    block: NDArray[Any],
    denoiser: Denoiser,
    *,
    axes: str,
    scale: IntensityRange,
    region: Region,
    dtype: np.dtype[Any],
    tile_size: int | None = None,
) -> NDArray[Any]:
    """Denoise a part of a single plane that was read with its halo.

    Parameters
    ----------
    block : numpy.ndarray
        The pixels read, halo included. Its first row and column in the plane must be
        multiples of the network's stride. Axes of a stack have length 1.
    denoiser : Denoiser
        The model on its device.
    axes : str
        Axes of `block`: those of the stack, then Y, X and S.
    scale : IntensityRange
        The intensity range of the plane.
    region : tuple of slice
        Rows and columns of `block` to denoise; the others are the halo.
    dtype : numpy.dtype
        Data type of the result: that of `block`, or a floating-point one.
    tile_size : int, optional
        See `denoise`.

    Returns
    -------
    numpy.ndarray
        The denoised region, with the axes of `block`.

    Raises
    ------
    InvalidInputError
        If the block contains infinite values.
    """
    require_finite(block)
    result = copy_as(block, dtype)
    plane = (0,) * axes.index("Y")
    source = color_planes(block, axes)[plane]
    target = color_planes(result, axes)[plane]
    tiles = denoiser.plan_tiles(source.shape[:2], tile_size=tile_size, region=region)
    for tile in tiles:
        denoiser.denoise_tile([source], [target], tile, scale)
    cropped = (*(slice(None) for _ in plane), *region)
    return np.ascontiguousarray(result[cropped])


_LOADING = Lock()


def loaded_denoiser(run: ModelRun, device: str) -> Denoiser:
    """Return the denoiser of a run in this process; its network is cached.

    Parameters
    ----------
    run : ModelRun
        The run.
    device : str
        See `denoise`.

    Returns
    -------
    Denoiser
        The same object for all blocks of the run. Runs of the same model share a
        network.
    """
    # Without the lock, threads that start at the same time would each load it.
    with _LOADING:
        return _start(run, device)


# The viewer compares up to this many models side by side; each is a few megabytes.
@lru_cache(maxsize=8)
def _load(model: Model, device: str) -> Denoiser:
    return Denoiser(model.checkpoint, choose_device(device))


@lru_cache(maxsize=8)
def _start(run: ModelRun, device: str) -> Denoiser:
    return _load(run.model, device).for_new_run(run.precision)
