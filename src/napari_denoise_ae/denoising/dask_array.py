"""Denoising what is not in memory: a dask or Zarr array in, a dask array out.

The graph is dask's: each block of the result is computed from a block of the
source and a halo around it. Blocks begin at multiples of the network's total
stride and the halo is at least its receptive-field radius, so the result is
that of the whole plane. A model is one node of the graph; each process that
computes blocks makes its network once, on its own device. A second node starts a
run each time the graph is computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ..image.axes import resolve_axes
from .compatibility import require_compatible
from .dask_blocks import BlockJob, Model, ModelRun, denoise_block
from .dask_noise import at_strength, find_lazy_ranges, known_scaling
from .dask_stack import DaskPlanes, as_dask, stack_planes, with_dtype
from .halo import align_chunks, find_halo, read_around
from .options import DenoiseOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dask.array import Array
    from dask.delayed import Delayed

    from ..image.intensity import IntensityRanges
    from ..models.checkpoint import Checkpoint

    # What to read of an array, and where in that lies what is wanted.
    # And which indices the stack then begins at, by axis.
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
        See `denoise`. Nothing of it is read.
    checkpoint : Checkpoint
        The model.
    options : DenoiseOptions, optional
        See `denoise`. Without an intensity range, `image` must be uint8 or the
        model take a noise level. Each process that computes chooses its device.

    Returns
    -------
    dask.array.Array
        Shape and dtype of `image`; one plane a block, or a part of one.

    Raises
    ------
    InvalidInputError
        If the image, its axes or the settings cannot be used, or the
        intensity range is not known.
    """
    array, options = as_dask(image), options or DenoiseOptions()
    planes = DaskPlanes.of(array, options.axes)
    require_compatible(checkpoint, planes.shape[-1], options)
    network = checkpoint.outline()
    job = _LazyJob(
        model=Model.of(checkpoint),
        axes=resolve_axes(array.shape, options.axes),
        ranges=find_lazy_ranges(planes, checkpoint, options),
        options=options,
        stride=network.stride,
        halo=find_halo(network),
    )
    return _denoised_array(array, job)


@dataclass(frozen=True, slots=True, kw_only=True)
class _LazyJob:
    """What is to be done with a lazy array; see `denoise_lazily`."""

    model: Model
    axes: str
    ranges: IntensityRanges | Delayed
    options: DenoiseOptions
    stride: int
    halo: int

    def apply(self, array: Array, first: Mapping[str, int] | None = None) -> Array:
        """Return an array denoised, block by block.

        It is the whole, or a part of it that begins at the indices `first`
        along the axes of the stack.
        """
        import dask.array as da
        from dask.delayed import delayed

        stack, axes, order = stack_planes(array, self.axes)
        y = axes.index("Y")
        sides = {
            axis: align_chunks(stack.chunks[axis], self.stride, self.halo)
            for axis in (y, y + 1)
        }
        colors = dict.fromkeys(range(y + 2, stack.ndim), -1)
        stack = stack.rechunk(dict.fromkeys(range(y), 1) | sides | colors)
        digest = self.model.digest
        model = delayed(self.model, name=f"model-{digest}", traverse=False)
        run = delayed(ModelRun.start)(model, dask_key_name=f"run-{digest}")
        denoised = da.map_overlap(
            denoise_block,
            stack,
            depth={axis: self.halo if len(sides[axis]) > 1 else 0 for axis in sides},
            boundary="none",
            trim=False,
            allow_rechunk=False,
            chunks=stack.chunks,
            dtype=stack.dtype,
            meta=np.empty((0,) * stack.ndim, stack.dtype),
            run=run,
            ranges=at_strength(known_scaling(self.ranges), self.options.strength),
            job=BlockJob(
                axes=axes,
                device=self.options.device,
                tile_size=self.options.tile_size,
                halo=self.halo,
                n_blocks=stack.numblocks,
                first=tuple((first or {}).get(letter, 0) for letter in axes[:y]),
            ),
        )
        return with_dtype(denoised.transpose(tuple(np.argsort(order).tolist())))

    def window(self, index: Any, shape: tuple[int, ...]) -> _Window | None:
        """Return what to read for a part; None for all, or no plain part."""
        from dask.array.slicing import normalize_index

        parts = normalize_index(index, shape)
        if len(parts) != len(shape):
            return None
        read: list[slice] = []
        wanted: list[Any] = []
        for letter, part, length in zip(self.axes, parts, shape, strict=True):
            found = self._window_along(letter, part, length)
            if found is None:
                return None
            read.append(found[0])
            wanted.append(found[1])
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
        return tuple(read), tuple(wanted), first

    def _window_along(
        self, letter: str, part: Any, length: int
    ) -> tuple[slice, Any] | None:
        """Return what to read along an axis, and which of it is wanted."""
        if letter == "S":
            return slice(None), part
        if isinstance(part, (int, np.integer)) and letter not in "YX":
            return slice(int(part), int(part) + 1), 0
        if not isinstance(part, slice):
            return None
        if part.step not in (None, 1):
            return None if letter in "YX" else (slice(None), part)
        start, stop, _ = part.indices(length)
        if letter not in "YX":
            return slice(start, stop), slice(0, stop - start)
        return read_around((start, stop), length, halo=self.halo, stride=self.stride)


@lru_cache(maxsize=1)
def _denoised_array_class() -> type[Any]:
    """Make the class of lazy results; not at once, since it needs dask."""
    import dask.array as da

    class DenoisedArray(da.Array):
        """A dask array that, asked for a part of its planes, denoises no more.

        dask computes whole blocks, and with them all that their halos touch.
        Here a part is cut out of the source first, with the halo it needs.
        """

        __slots__ = ()

        def __getitem__(self, index: Any) -> Any:
            source, job, names = self.__dict__["_lazy"]
            # An array that has been assigned to is no longer what was made.
            unchanged = names == (source.name, self.name)
            window = job.window(index, self.shape) if unchanged else None
            if window is None:
                return da.Array.__getitem__(self, index)
            read, wanted, first = window
            return job.apply(source[read], first)[wanted]

    return DenoisedArray


def _denoised_array(source: Array, job: _LazyJob) -> Array:
    whole = job.apply(source)
    made = _denoised_array_class()(
        whole.dask,
        whole.name,
        whole.chunks,
        meta=whole._meta,  # noqa: SLF001
    )
    made.__dict__["_lazy"] = source, job, (source.name, whole.name)
    return with_dtype(made)
