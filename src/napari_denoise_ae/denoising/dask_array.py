"""Denoising what is not in memory: a dask or Zarr array in, a dask array out.

The graph is dask's: each block of the result is computed from a block of the
source and a halo around it. Blocks begin at multiples of the network's total
stride and the halo is at least its receptive-field radius, so the result is
that of the whole plane. A model is one node of the graph; each process that
computes blocks makes its network once, on its own device.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InvalidInputError
from ..image.axes import colour_planes, count_colours, resolve_axes
from ..image.intensity import IntensityRanges, cast_saturating, known_ranges
from ..image.tiling import LARGEST_PLANE, require_tile_size, round_up
from ..models.devices import choose_device
from ..noise.normalization import (
    NoiseSetting,
    find_noise_misfits,
    fit_curves,
    group_planes,
    measure_scaling,
    with_strength,
)
from .compatibility import noise_levels, noise_windows_of
from .denoiser import (
    Denoiser,
    find_halo,
    require_finite,
    require_fitting_channels,
    require_real,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from dask.array import Array
    from dask.delayed import Delayed
    from numpy.typing import NDArray

    from ..image.intensity import GivenRange, IntensityRange
    from ..image.tiling import Region
    from ..models.checkpoint import Checkpoint

    # What to read of an array, and where in that lies what is wanted.
    # And which indices the stack then begins at, by axis.
    _Window = tuple[tuple[Any, ...], tuple[Any, ...], dict[str, int]]

# Blocks of the result, in pixels: smaller ones are mostly halo, larger ones
# keep whoever looks at a part of them waiting.
_SMALLEST_BLOCK, _USUAL_BLOCK, _LARGEST_BLOCK = 256, 1024, 2048
# A block may be smaller if it comes so, as long as its halo is a quarter of it.
_BLOCK_PER_HALO = 4


@dataclass(frozen=True, slots=True)
class Model:
    """A checkpoint that is sent to where it is needed, and told from others.

    Parameters
    ----------
    digest : str
        SHA-256 of the network, its options and its weights.
    checkpoint : Checkpoint
        The model.
    """

    digest: str
    checkpoint: Checkpoint = field(compare=False, repr=False)

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> Model:
        """Return a checkpoint with its digest."""
        options = json.dumps(dict(checkpoint.network_options), sort_keys=True)
        digest = hashlib.sha256(f"{checkpoint.network} {options}".encode())
        for name, tensor in checkpoint.state_dict.items():
            digest.update(name.encode())
            digest.update(tensor.numpy().tobytes())
        return cls(digest.hexdigest(), checkpoint)


def is_lazy(image: object) -> bool:
    """Tell whether an array is one of dask's or Zarr's, importing neither."""
    # A class of ours, or of another package, may be derived from one of theirs.
    packages = {base.__module__.partition(".")[0] for base in type(image).__mro__}
    return not packages.isdisjoint({"dask", "zarr"})


def denoise_lazily(
    image: Any,
    checkpoint: Checkpoint,
    *,
    axes: str | None = None,
    intensity_range: GivenRange | None = None,
    range_of: str = "stack",
    device: str = "auto",
    tile_size: int | None = None,
    setting: NoiseSetting | None = None,
) -> Array:
    """Return a dask array whose blocks are denoised when they are computed.

    Parameters
    ----------
    image : dask.array.Array or zarr.Array
        See `denoise`. Nothing of it is read.
    checkpoint : Checkpoint
        The model.
    axes, intensity_range, range_of, tile_size
        See `denoise`; without an intensity range `image` must be uint8, or the
        model one that takes a noise level.
    device : str
        See `denoise`; each process that computes chooses for itself.
    setting : NoiseSetting, optional
        What is known of the noise, for a model that takes its level.

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
    array = as_dask(image)
    require_tile_size(tile_size)
    stack, resolved, _ = _stack(array, axes)
    planes = _Planes(stack, resolved)
    network, setting = checkpoint.outline(), setting or NoiseSetting()
    require_fitting_channels(planes.shape[-1], network, checkpoint.name)
    setting.require_usable(checkpoint)
    ranges: IntensityRanges | Delayed
    if network.takes_noise_level:
        ranges = _scaling_node(planes, resolved, range_of, setting.at_full_strength)
    else:
        ranges = require_known_ranges(
            planes, resolved, intensity_range, range_of=range_of
        )
    job = _LazyJob(
        model=Model.of(checkpoint),
        axes=resolve_axes(array.shape, axes),
        ranges=ranges,
        strength=setting.strength,
        device=device,
        tile_size=tile_size,
        stride=network.stride,
        halo=find_halo(network),
    )
    return _denoised_array(array, job)


def noise_node(
    image: Any,
    *,
    axes: str | None = None,
    intensity_range: GivenRange | None = None,
    range_of: str = "stack",
) -> tuple[Delayed, IntensityRanges]:
    """Return the noise of a lazy array as one node, to be computed or shared.

    Parameters
    ----------
    image, axes, intensity_range, range_of
        See `denoise_lazily`.

    Returns
    -------
    dask.delayed.Delayed
        What `noise_levels` gives; reads a few windows and nothing else.
    IntensityRanges
        The intensity ranges that the levels are relative to.
    """
    from dask.delayed import delayed

    stack, resolved, _ = _stack(image, axes)
    planes = _Planes(stack, resolved)
    ranges = require_known_ranges(planes, resolved, intensity_range, range_of=range_of)
    windows = noise_windows_of(planes, ranges)
    return delayed(noise_levels)(windows, ranges), ranges


def found_nodes(
    image: Any, setting: NoiseSetting, *, axes: str | None = None
) -> tuple[Delayed, Delayed, Delayed]:
    """Return what is found of the noise of a lazy array as nodes, to be computed.

    They read a few windows and nothing else.

    Parameters
    ----------
    image, axes
        See `denoise_lazily`.
    setting : NoiseSetting
        What is known of the noise.

    Returns
    -------
    scaling : dask.delayed.Delayed
        What `measure_scaling` gives.
    fits : dask.delayed.Delayed
        What `fit_curves` gives.
    misfits : dask.delayed.Delayed
        What `find_noise_misfits` gives.
    """
    from dask.delayed import delayed

    stack, resolved, _ = _stack(image, axes)
    planes = _Planes(stack, resolved)
    groups = group_planes(planes, resolved, "stack")
    windows = noise_windows_of(planes, groups)
    scaling = _scaling_node(planes, resolved, "stack", setting.at_full_strength)
    misfits = delayed(find_noise_misfits)(windows, scaling, setting)
    return scaling, delayed(fit_curves)(windows), misfits


def _scaling_node(
    planes: _Planes, axes: str, range_of: str, setting: NoiseSetting
) -> Delayed:
    """Return the noise scaling of a lazy stack as one node, shared by all blocks."""
    from dask.base import tokenize
    from dask.delayed import delayed

    groups = group_planes(planes, axes, range_of)
    windows = noise_windows_of(planes, groups)
    token = tokenize(windows, groups, setting)
    node: Delayed = delayed(_measure_once)(
        windows, groups, setting, token, dask_key_name=f"{_SCALING}{token}"
    )
    return node


# How the key of such a node begins; the rest is its token.
_SCALING = "noise-scaling-"
# What was measured in this process, the latest last, so that looking at one
# part after another does not read the windows each time.
_MEASURED: OrderedDict[str, IntensityRanges] = OrderedDict()
_MOST_MEASURED = 64


def _measure_once(
    windows: Any, groups: IntensityRanges, setting: NoiseSetting, token: str
) -> IntensityRanges:
    ranges = measure_scaling(windows, groups, setting)
    _MEASURED[token] = ranges
    while len(_MEASURED) > _MOST_MEASURED:
        _MEASURED.popitem(last=False)
    return ranges


def _known(ranges: IntensityRanges | Delayed) -> IntensityRanges | Delayed:
    """Return what a node has given before, if it has."""
    if isinstance(ranges, IntensityRanges):
        return ranges
    return _MEASURED.get(ranges.key.removeprefix(_SCALING), ranges)


def _at_strength(
    ranges: IntensityRanges | Delayed, strength: float
) -> IntensityRanges | Delayed:
    """Return scalings at a strength; what is measured does not depend on it."""
    from dask.delayed import delayed

    if strength == 1.0:
        return ranges
    if isinstance(ranges, IntensityRanges):
        return with_strength(ranges, strength)
    node: Delayed = delayed(with_strength, pure=True)(ranges, strength)
    return node


def pyramid(image: Any, axes: str | None = None) -> list[Array]:
    """Return an array and its halves, the last of them no larger than 2048 pixels.

    Parameters
    ----------
    image : array
        In memory or lazy.
    axes : str, optional
        See `denoise`.

    Returns
    -------
    list of dask.array.Array
        The whole, a half, a quarter ... of the rows and columns; each pixel
        is the mean of four. One array if the planes are small enough.
    """
    import dask.array as da

    levels = [as_dask(image)]
    resolved = resolve_axes(levels[0].shape, axes)
    sides = (resolved.index("Y"), resolved.index("X"))
    while max(lengths := [levels[-1].shape[side] for side in sides]) > LARGEST_PLANE:
        if min(lengths) < 2:
            break
        half = da.coarsen(
            mean_of_pixels, levels[-1], dict.fromkeys(sides, 2), trim_excess=True
        )
        levels.append(half.astype(levels[0].dtype))
    return levels


def mean_of_pixels(
    values: NDArray[Any], axis: tuple[int, ...] | None = None
) -> NDArray[Any]:
    """Average pixels in their own dtype; NaN only where there is nothing else."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Mean of empty slice", RuntimeWarning)
        means = np.asarray(np.nanmean(values, axis=axis, dtype=np.float64))
    return cast_saturating(means, values.dtype)


def require_known_ranges(
    planes: Any, axes: str, given: GivenRange | None, *, range_of: str
) -> IntensityRanges:
    """Return the intensity ranges of what is too large to look at.

    Raises
    ------
    InvalidInputError
        If they are not given and the dtype does not tell them.
    """
    ranges = known_ranges(planes, axes, given, range_of=range_of)
    if ranges is None:
        raise InvalidInputError(
            f"The array is lazy and of {planes.dtype}: its lowest and highest value "
            "are not known before all of it is read. Give intensity_range=(low, high), "
            "what the network is to see as 0 and 1, such as (0, 4095) for a 12-bit "
            "camera, or one such pair for each channel."
        )
    return ranges


def align_chunks(chunks: Sequence[int], stride: int, halo: int) -> tuple[int, ...]:
    """Return chunks that begin at multiples of a network's stride.

    Parameters
    ----------
    chunks : sequence of int
        The chunks of a side, in pixels.
    stride, halo : int
        The network's total stride, and what is read around a chunk.

    Returns
    -------
    tuple of int
        `chunks` if they will do, else equal ones of a similar size; none is
        smaller than the halo, unless it is the only one.
    """
    length = sum(chunks)
    aligned = all(chunk % stride == 0 for chunk in chunks[:-1])
    large = min(chunks) >= halo and max(chunks) >= _BLOCK_PER_HALO * halo
    fit = len(chunks) == 1 or (aligned and large)
    if fit and max(chunks) <= _LARGEST_BLOCK:
        return tuple(chunks)
    size = round_up(max(*chunks, _SMALLEST_BLOCK), stride)
    if size > _LARGEST_BLOCK:
        size = round_up(_USUAL_BLOCK, stride)
    parts = [size] * (length // size)
    rest = length - sum(parts)
    if rest >= halo or not parts:
        return (*parts, rest) if rest else tuple(parts)
    return (*parts[:-1], parts[-1] + rest)


def as_dask(image: Any) -> Array:
    """Return any array as a dask array; nothing is read.

    Raises
    ------
    InvalidInputError
        If it is lazy, but no array.
    """
    import dask.array as da

    if isinstance(image, da.Array):
        return image
    if not is_lazy(image):
        return _typed(da.asarray(image))
    import zarr

    if not isinstance(image, zarr.Array):
        kind = f"{type(image).__module__.partition('.')[0]} {type(image).__name__}"
        raise InvalidInputError(
            f"Expected an array, got a {kind}. If it is a group, give one of its "
            "arrays, such as group['0']."
        )
    return _typed(da.from_zarr(image))


def _typed(array: Any) -> Array:
    """Say what dask does not say of what it returns."""
    dask_array: Array = array
    return dask_array


def _stack(image: Any, axes: str | None) -> tuple[Array, str, list[int]]:
    """Return an array with its axes in order: the stack, Y, X and S."""
    array = as_dask(image)
    if any(np.isnan(length) for length in array.shape):
        raise InvalidInputError(
            f"The shape of the lazy array is not known: {array.shape}. Call its "
            "compute_chunk_sizes() first."
        )
    require_real(array.dtype, array.shape)
    resolved = resolve_axes(array.shape, axes)
    ordered = "".join(letter for letter in resolved if letter not in "YXS") + "YX"
    ordered += "S" * ("S" in resolved)
    order = [resolved.index(letter) for letter in ordered]
    return array.transpose(order), ordered, order


@dataclass(frozen=True, slots=True)
class _Planes:
    """The planes of a lazy stack, as `colour_planes` would give them.

    A view of the whole would be a task for each of its chunks; what is read here is
    cut out first.
    """

    stack: Array
    axes: str

    @property
    def shape(self) -> tuple[int, ...]:
        n_colours = count_colours(self.stack.shape, self.axes)
        return (*self.stack.shape[: self.axes.index("X") + 1], n_colours)

    @property
    def dtype(self) -> Any:
        return self.stack.dtype

    def __getitem__(self, index: tuple[Any, ...]) -> Any:
        """Return a part of a plane, (Y, X, channels)."""
        part = self.stack[index]
        return part[..., :3] if "S" in self.axes else part[..., np.newaxis]


@dataclass(frozen=True, slots=True, kw_only=True)
class _LazyJob:
    """What is to be done with a lazy array; see `denoise_lazily`."""

    model: Model
    axes: str
    ranges: IntensityRanges | Delayed
    strength: float
    device: str
    tile_size: int | None
    stride: int
    halo: int

    def apply(self, array: Array, first: Mapping[str, int] | None = None) -> Array:
        """Return an array denoised, block by block.

        It is the whole, or a part of it that begins at the indices `first`
        along the axes of the stack.
        """
        import dask.array as da
        from dask.delayed import delayed

        stack, axes, order = _stack(array, self.axes)
        y = axes.index("Y")
        sides = {
            axis: align_chunks(stack.chunks[axis], self.stride, self.halo)
            for axis in (y, y + 1)
        }
        colours = dict.fromkeys(range(y + 2, stack.ndim), -1)
        stack = stack.rechunk(dict.fromkeys(range(y), 1) | sides | colours)
        model = delayed(self.model, name=f"model-{self.model.digest}", traverse=False)
        denoised = da.map_overlap(
            _denoise_block,
            stack,
            depth={axis: self.halo if len(sides[axis]) > 1 else 0 for axis in sides},
            boundary="none",
            trim=False,
            allow_rechunk=False,
            chunks=stack.chunks,
            dtype=stack.dtype,
            meta=np.empty((0,) * stack.ndim, stack.dtype),
            model=model,
            ranges=_at_strength(_known(self.ranges), self.strength),
            job=_BlockJob(
                axes=axes,
                device=self.device,
                tile_size=self.tile_size,
                halo=self.halo,
                n_blocks=stack.numblocks,
                first=tuple((first or {}).get(letter, 0) for letter in axes[:y]),
            ),
        )
        return _typed(denoised.transpose(tuple(np.argsort(order).tolist())))

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
        begin = max(start - self.halo, 0) // self.stride * self.stride
        end = min(stop + self.halo, length)
        return slice(begin, end), slice(start - begin, stop - begin)


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
    return _typed(made)


@dataclass(frozen=True, slots=True, kw_only=True)
class _BlockJob:
    """What all blocks of a result have in common; see `denoise_lazily`."""

    axes: str
    device: str
    tile_size: int | None
    halo: int
    n_blocks: tuple[int, ...]
    first: tuple[int, ...]

    def region(self, shape: tuple[int, ...], block_id: tuple[int, ...]) -> Region:
        """Return the rows and columns of a block without its halo."""
        first, last = (
            slice(
                self.halo if block_id[axis] > 0 else 0,
                shape[axis] - self.halo * (block_id[axis] < self.n_blocks[axis] - 1),
            )
            for axis in (self.axes.index("Y"), self.axes.index("X"))
        )
        return first, last


def _denoise_block(
    block: NDArray[Any],
    *,
    model: Model,
    ranges: IntensityRanges,
    job: _BlockJob,
    block_id: tuple[int, ...],
) -> NDArray[Any]:
    """Denoise a plane, or a part of one with its halo, and cut the halo off."""
    return denoise_part(
        block,
        loaded_denoiser(model, job.device),
        axes=job.axes,
        scale=ranges.of([i + n for i, n in zip(job.first, block_id, strict=False)]),
        region=job.region(block.shape, block_id),
        tile_size=job.tile_size,
    )


def denoise_part(
    block: NDArray[Any],
    denoiser: Denoiser,
    *,
    axes: str,
    scale: IntensityRange,
    region: Region,
    tile_size: int | None = None,
) -> NDArray[Any]:
    """Denoise a part of a single plane that was read with its halo.

    Parameters
    ----------
    block : numpy.ndarray
        What was read; it begins at a multiple of the network's stride, and
        every axis of a stack has length 1.
    denoiser : Denoiser
        The model.
    axes : str
        The axes of `block`, Y, X and S the last.
    scale : IntensityRange
        The plane's intensity range.
    region : tuple of slice
        Rows and columns of the block that are wanted.
    tile_size : int, optional
        See `denoise`.

    Returns
    -------
    numpy.ndarray
        Those rows and columns, denoised.

    Raises
    ------
    InvalidInputError
        If the block has infinite values.
    """
    require_finite(block)
    result = block.copy()
    plane = (0,) * axes.index("Y")
    source = colour_planes(block, axes)[plane]
    target = colour_planes(result, axes)[plane]
    tiles = denoiser.plan_tiles(source.shape[:2], tile_size=tile_size, region=region)
    for tile in tiles:
        denoiser.denoise_tile(source, target, tile, scale)
    wanted = (*(slice(None) for _ in plane), *region)
    return np.ascontiguousarray(result[wanted])


_LOADING = Lock()


def loaded_denoiser(model: Model, device: str) -> Denoiser:
    """Return a model on a device of this process; it stays loaded."""
    # Two threads that ask for it at the same time must not both load it.
    with _LOADING:
        return _load(model, device)


# As many models as are compared side by side; each is a few megabytes.
@lru_cache(maxsize=8)
def _load(model: Model, device: str) -> Denoiser:
    return Denoiser(model.checkpoint, choose_device(device))
