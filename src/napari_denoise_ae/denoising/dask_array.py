"""Denoise a dask or Zarr array lazily: the result is a dask array.

Each block of the result is computed from a block of the source and a halo around it.
Blocks begin at multiples of the network's total stride and the halo is at least its
receptive-field radius, so the result equals that of denoising whole planes. The model
is one node of the graph; each process that computes blocks builds the network once,
on its own device. A second node starts a run each time the graph is computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ..image.axes import resolve_axes
from .compatibility import require_compatible
from .dask_blocks import BlockJob, Model, ModelRun, denoise_block
from .dask_frames import denoise_frames
from .dask_noise import as_node, find_lazy_ranges, known_scaling, with_set_values
from .dask_stack import DaskPlanes, as_dask, stack_planes, with_dtype
from .frames import N_PASSES, find_frames_halo, frame_axis, neighbors
from .halo import align_chunks, find_halo, read_around
from .options import DenoiseOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dask.array import Array
    from dask.delayed import Delayed

    from ..image.intensity import IntensityRanges
    from ..models.checkpoint import Checkpoint

    # The indices to read from an array; the indices of the requested part in the
    # pixels read; and, for each axis of the stack, the first index that is read.
    _Window = tuple[tuple[Any, ...], tuple[Any, ...], dict[str, int]]


def denoise_lazily(
    image: Any,
    checkpoint: Checkpoint,
    options: DenoiseOptions | None = None,
) -> Array:
    """Return a dask array whose blocks are denoised when they are computed.

    Parameters
    ----------
    image : dask.array.Array or zarr.Array
        See `denoise`. No pixels are read until the result is computed.
    checkpoint : Checkpoint
        The model.
    options : DenoiseOptions, optional
        See `denoise`. An intensity range is required unless `image` is uint8 or the
        model takes a noise level. Each process that computes blocks chooses its own
        device.

    Returns
    -------
    dask.array.Array
        Shape of `image`, in its dtype or that of the options. Each block is a plane
        or a part of one.

    Raises
    ------
    InvalidInputError
        If the image, its axes or the options cannot be used, or an intensity range
        is required but not given.
    """
    array, options = as_dask(image), options or DenoiseOptions()
    planes = DaskPlanes.of(array, options.axes)
    require_compatible(checkpoint, planes.shape[-1], options)
    if options.frames:
        frame_axis(planes.axes)
    network = checkpoint.outline()
    job = _LazyJob(
        model=Model.of(checkpoint),
        axes=resolve_axes(array.shape, options.axes),
        ranges=find_lazy_ranges(planes, checkpoint, options),
        options=options,
        stride=network.stride,
        halo=find_frames_halo(network) if options.frames else find_halo(network),
    )
    return _denoised_array(array, job)


@dataclass(frozen=True, slots=True, kw_only=True)
class _LazyJob:
    """How to denoise a lazy array or a part of it; see `denoise_lazily`."""

    model: Model
    axes: str
    ranges: IntensityRanges | Delayed
    options: DenoiseOptions
    stride: int
    halo: int

    def apply(self, array: Array, first: Mapping[str, int] | None = None) -> Array:
        """Return a dask array that denoises another one block by block.

        Parameters
        ----------
        array : dask.array.Array
            The source, or a part of it.
        first : mapping, optional
            If `array` is a part, its first index along each axis of the stack, by
            letter. It selects the intensity range of each plane.
        """
        from dask.delayed import delayed

        stack, axes, order = stack_planes(array, self.axes)
        y = axes.index("Y")
        sides = {
            axis: align_chunks(stack.chunks[axis], self.stride, self.halo)
            for axis in (y, y + 1)
        }
        colors = dict.fromkeys(range(y + 2, stack.ndim), -1)
        stack = stack.rechunk(dict.fromkeys(range(y), 1) | sides | colors)
        dtype = self.options.result_dtype(stack.dtype)
        digest = self.model.digest
        model = delayed(self.model, name=f"model-{digest}", traverse=False)
        precision = self.options.precision
        run = delayed(ModelRun.start)(
            model, precision, dask_key_name=f"run-{precision}-{digest}"
        )
        ranges = with_set_values(known_scaling(self.ranges), self.options.noise)
        job = BlockJob(
            axes=axes,
            dtype=dtype,
            device=self.options.device,
            tile_size=self.options.tile_size,
            halo=self.halo,
            n_blocks=stack.numblocks,
            first=tuple((first or {}).get(letter, 0) for letter in axes[:y]),
        )
        if self.options.frames:
            denoised = denoise_frames(
                stack,
                job,
                radius=self.options.frames,
                run=run,
                ranges=as_node(ranges),
            )
        else:
            denoised = self._denoise_blocks(stack, job, run, ranges)
        return with_dtype(denoised.transpose(tuple(np.argsort(order).tolist())))

    def _denoise_blocks(
        self,
        stack: Array,
        job: BlockJob,
        run: Delayed,
        ranges: IntensityRanges | Delayed,
    ) -> Array:
        """Denoise each block by itself."""
        import dask.array as da

        y = job.axes.index("Y")
        depth = {
            axis: self.halo if stack.numblocks[axis] > 1 else 0 for axis in (y, y + 1)
        }
        return with_dtype(
            da.map_overlap(
                denoise_block,
                stack,
                depth=depth,
                boundary="none",
                trim=False,
                allow_rechunk=False,
                chunks=stack.chunks,
                dtype=job.dtype,
                meta=np.empty((0,) * stack.ndim, job.dtype),
                run=run,
                ranges=ranges,
                job=job,
            )
        )

    def window(self, index: Any, shape: tuple[int, ...]) -> _Window | None:
        """Return which part of the source to read for an indexed part of the result.

        Returns None if the whole is read, nothing is, or the index is not a
        contiguous range of rows and columns: dask then does the indexing.
        """
        from dask.array.slicing import normalize_index

        parts = normalize_index(index, shape)
        if len(parts) != len(shape):
            return None
        read: list[slice] = []
        keep: list[Any] = []
        for letter, part, length in zip(self.axes, parts, shape, strict=True):
            along_axis = self._window_along(letter, part, length)
            if along_axis is None:
                return None
            read.append(along_axis[0])
            keep.append(along_axis[1])
        lengths = [
            len(range(length)[part]) for part, length in zip(read, shape, strict=True)
        ]
        if tuple(lengths) == shape or 0 in lengths:
            return None
        first = {
            letter: part.start or 0
            for letter, part in zip(self.axes, read, strict=True)
            if letter not in "YXS"
        }
        return tuple(read), tuple(keep), first

    def _window_along(
        self, letter: str, part: Any, length: int
    ) -> tuple[slice, Any] | None:
        """Return the indices to read along an axis, and which of those to keep."""
        if letter == "S":
            return slice(None), part
        radius = self._radius_along(letter)
        if isinstance(part, (int, np.integer)) and letter not in "YX":
            read = neighbors(int(part), length, radius)
            return slice(read.start, read.stop), int(part) - read.start
        if not isinstance(part, slice):
            return None
        if part.step not in (None, 1):
            return None if letter in "YX" else (slice(None), part)
        start, stop, _ = part.indices(length)
        if letter not in "YX":
            first, last = max(start - radius, 0), min(stop + radius, length)
            return slice(first, last), slice(start - first, stop - first)
        halo = N_PASSES * self.halo if self.options.frames else self.halo
        return read_around((start, stop), length, halo=halo, stride=self.stride)

    def _radius_along(self, letter: str) -> int:
        """Return how many neighboring planes are needed along an axis of a stack."""
        frames = self.options.frames
        return frames if frames and letter == frame_axis(self.axes) else 0


@lru_cache(maxsize=1)
def _denoised_array_class() -> type[Any]:
    """Define the class of lazy results, on first use because it imports dask."""
    import dask.array as da

    class DenoisedArray(da.Array):
        """A dask array that denoises only the indexed part of its planes.

        dask computes whole blocks, and the blocks that their halos overlap. Here the
        part and its halo are cut out of the source before denoising.
        """

        __slots__ = ()

        def __getitem__(self, index: Any) -> Any:
            source, job, names = self.__dict__["_lazy"]
            # Assigning to a dask array changes its graph and its name.
            unchanged = names == (source.name, self.name)
            window = job.window(index, self.shape) if unchanged else None
            if window is None:
                return da.Array.__getitem__(self, index)
            read, keep, first = window
            return job.apply(source[read], first)[keep]

    return DenoisedArray


def _denoised_array(source: Array, job: _LazyJob) -> Array:
    whole = job.apply(source)
    denoised = _denoised_array_class()(
        whole.dask,
        whole.name,
        whole.chunks,
        meta=whole._meta,  # noqa: SLF001
    )
    denoised.__dict__["_lazy"] = source, job, (source.name, whole.name)
    return with_dtype(denoised)
