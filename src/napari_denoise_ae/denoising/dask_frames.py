"""Denoise the frames of a lazy array with the help of their neighbors.

Each of the three passes, see `napari_denoise_ae.denoising.frames`, is a layer of the
graph, so that neighboring frames share the results of the first pass.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..image.axes import color_planes
from ..image.casting import copy_as
from ..image.checks import require_finite
from .dask_blocks import loaded_denoiser
from .dask_stack import with_dtype
from .frames import (
    Neighborhood,
    first_pass,
    frame_axis,
    neighbors,
    second_pass,
    third_pass,
)
from .pixels import merge_kept

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dask.array import Array
    from dask.delayed import Delayed
    from numpy.typing import NDArray

    from ..image.intensity import IntensityRange, IntensityRanges
    from .dask_blocks import BlockJob, ModelRun
    from .halo import Tile

    Block: TypeAlias = NDArray[Any]
    Number: TypeAlias = tuple[int, ...]
    Chunks: TypeAlias = tuple[tuple[int, ...], ...]


def denoise_frames(
    stack: Array, job: BlockJob, *, radius: int, run: Delayed, ranges: Delayed
) -> Array:
    """Return a dask array whose blocks are denoised with the help of neighbors.

    Parameters
    ----------
    stack : dask.array.Array
        The source; each chunk is a plane or a part of one.
    job : BlockJob
        The settings of all blocks.
    radius : int
        Number of neighboring frames on each side.
    run : dask.delayed.Delayed
        The `ModelRun`.
    ranges : dask.delayed.Delayed
        The noise scalings.

    Returns
    -------
    dask.array.Array
        Shape of `stack`. An alpha channel is kept.
    """
    colors = with_dtype(color_planes(stack, job.axes))
    job = replace(job, n_blocks=colors.numblocks)
    axis = job.axes.index(frame_axis(job.axes))
    passes = _Passes(_FrameJob(job, axis, radius), run, ranges, colors.chunks)
    source = passes.with_halo(colors)
    first = passes.with_halo(passes.add(_first, np.float32, own=[source]))
    near = [source, first]
    second = passes.with_halo(passes.add(_second, np.float32, near=near))
    denoised = passes.add(_third, job.dtype, near=near, own=[second])
    return _as_stack(denoised, stack, job)


def _as_stack(denoised: Array, stack: Array, job: BlockJob) -> Array:
    """Return planes, (..., Y, X, channels), with the axes and alpha of the source."""
    import dask.array as da

    if "S" not in job.axes:
        return with_dtype(denoised[..., 0])
    alpha = stack[..., denoised.shape[-1] :].map_blocks(
        copy_as, job.dtype, dtype=job.dtype
    )
    both = da.concatenate([denoised, alpha], axis=-1)
    return with_dtype(both.rechunk({both.ndim - 1: -1}))


@dataclass(frozen=True, slots=True)
class _FrameJob:
    """What all blocks share: the settings, the frame axis and the radius."""

    block: BlockJob
    axis: int
    radius: int

    def near(self, number: Number) -> list[Number]:
        """Return the numbers of the same block of a frame and of its neighbors."""
        axis = self.axis
        length = self.block.n_blocks[axis]
        return [
            (*number[:axis], index, *number[axis + 1 :])
            for index in neighbors(number[axis], length, self.radius)
        ]

    def scale(self, ranges: IntensityRanges, number: Number) -> IntensityRange:
        """Return the scaling of the plane of a block."""
        first = self.block.first
        return ranges.of([i + n for i, n in zip(first, number, strict=False)])


@dataclass(frozen=True, slots=True)
class _Passes:
    """Adds passes to a graph; each computes blocks from those of earlier passes."""

    job: _FrameJob
    run: Delayed
    ranges: Delayed
    chunks: Chunks

    def with_halo(self, array: Array) -> Array:
        """Add the halo to each block."""
        from dask.array.overlap import overlap

        y, halo = self.job.block.axes.index("Y"), self.job.block.halo
        depth = {axis: halo if array.numblocks[axis] > 1 else 0 for axis in (y, y + 1)}
        return with_dtype(
            overlap(array, depth=depth, boundary="none", allow_rechunk=False)
        )

    def add(
        self,
        compute: Callable[..., Block],
        dtype: Any,
        *,
        near: Sequence[Array] = (),
        own: Sequence[Array] = (),
    ) -> Array:
        """Add a pass.

        Parameters
        ----------
        compute : callable
            Computes a block.
        dtype : dtype
            Data type of the result.
        near : sequence of dask.array.Array
            Arrays of which it needs the same block of all neighboring frames.
        own : sequence of dask.array.Array
            Arrays of which it needs the same block.
        """
        import dask.array as da
        from dask.base import tokenize
        from dask.highlevelgraph import HighLevelGraph

        sources: list[Any] = [*near, *own, self.run, self.ranges]
        names = [source.name for source in (*near, *own)]
        token = tokenize(names, self.run.key, self.ranges.key, self.job)
        name = f"frames{compute.__name__}-{token}"
        tasks: dict[Any, Any] = {
            (name, *number): (
                compute,
                [[(each.name, *n) for n in self.job.near(number)] for each in near],
                [(each.name, *number) for each in own],
                self.run.key,
                self.ranges.key,
                self.job,
                number,
            )
            for number in np.ndindex(*self.job.block.n_blocks)
        }
        graph = HighLevelGraph.from_collections(name, tasks, dependencies=sources)
        return with_dtype(da.Array(graph, name, chunks=self.chunks, dtype=dtype))


def _first(
    _near: Sequence[Sequence[Block]],
    own: Sequence[Block],
    run: ModelRun,
    ranges: IntensityRanges,
    job: _FrameJob,
    number: Number,
) -> Block:
    """Compute a block of the first pass."""
    (block,) = _as_planes(own)
    require_finite(block)
    denoiser, scale = loaded_denoiser(run, job.block.device), job.scale(ranges, number)

    def compute(part: Tile) -> Block:
        return first_pass(block[part.read], scale, denoiser)[part.keep]

    return _compute_block(compute, block, np.float32, run, job, number)


def _second(
    near: Sequence[Sequence[Block]],
    _own: Sequence[Block],
    run: ModelRun,
    ranges: IntensityRanges,
    job: _FrameJob,
    number: Number,
) -> Block:
    """Compute a block of the second pass."""
    frames = _neighborhood(near, ranges, job, number)
    denoiser = loaded_denoiser(run, job.block.device)

    def compute(part: Tile) -> Block:
        return second_pass(frames.part(part.read), denoiser)[part.keep]

    return _compute_block(compute, frames.block, np.float32, run, job, number)


def _third(
    near: Sequence[Sequence[Block]],
    own: Sequence[Block],
    run: ModelRun,
    ranges: IntensityRanges,
    job: _FrameJob,
    number: Number,
) -> Block:
    """Compute a block of the result."""
    frames = _neighborhood(near, ranges, job, number)
    (guide,) = _as_planes(own)
    denoiser, dtype = loaded_denoiser(run, job.block.device), job.block.dtype

    def compute(part: Tile) -> Block:
        cut = frames.part(part.read)
        values, kept = third_pass(cut, guide[part.read], denoiser, part.keep)
        return merge_kept(cut.block[part.keep], values, kept, dtype)

    return _compute_block(compute, frames.block, dtype, run, job, number)


def _neighborhood(
    near: Sequence[Sequence[Block]],
    ranges: IntensityRanges,
    job: _FrameJob,
    number: Number,
) -> Neighborhood:
    blocks, guides = (_as_planes(each) for each in near)
    numbers = job.near(number)
    return Neighborhood(
        blocks=blocks,
        guides=guides,
        scales=[job.scale(ranges, each) for each in numbers],
        center=numbers.index(number),
    )


def _as_planes(blocks: Sequence[Block]) -> list[Block]:
    """View blocks of a single plane as (Y, X, channels)."""
    return [block.reshape(block.shape[-3:]) for block in blocks]


def _compute_block(
    compute: Callable[[Tile], Block],
    block: Block,
    dtype: Any,
    run: ModelRun,
    job: _FrameJob,
    number: Number,
) -> Block:
    """Compute a block tile by tile, without its halo."""
    shape = (*(1 for _ in job.block.first), *block.shape)
    region = job.block.region(shape, number)
    pixels = loaded_denoiser(run, job.block.device).compute_region(
        block.shape,
        region,
        compute,
        dtype=dtype,
        halo=job.block.halo,
        tile_size=job.block.tile_size,
    )
    return pixels[(np.newaxis,) * len(job.block.first)]
