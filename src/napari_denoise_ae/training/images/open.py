"""Open users' images for training: files, folders, patterns and arrays."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...denoising.dask_stack import DaskPlanes, as_dask, is_lazy
from ...errors import DatasetError, InvalidInputError
from ...image.axes import checked_axes, resolve_axes
from ...image.checks import require_real
from ...image.masks import fill_masked
from ...image.planes import ArrayPlanes
from ...io.cifar10 import CIFAR10, has_cifar10
from ...io.find import is_folder, is_pattern, list_images, matching_images
from ...io.location import file_of, is_remote
from ...io.planes import StoredPlanes, VolumePlanes
from ...io.source import Volume, is_picture, open_volume, readable_suffixes
from .collection import ImageCollection, counted, listed
from .image import ChannelPlanes, TrainingImage, choose_block, named

if TYPE_CHECKING:
    from ...image.planes import Planes


def open_images(
    images: Any, *, axes: str | None = None, channel: int | None = None
) -> ImageCollection:
    """Open images to train on; their pixels are read on demand.

    Parameters
    ----------
    images : path, array, list of these, or mapping
        A path is a file in any format that `denoise` reads, a folder of such files,
        an OME-Zarr folder, or a pattern such as ``"data/*.tif"``. Folders in a folder
        are not searched. An array is a NumPy, masked, dask or Zarr array of any
        integer or floating-point dtype; 64-bit values are normalized in float64. A
        mapping gives files or arrays by name.
    axes : str, optional
        One letter for each axis of the images, if their files state none or the
        wrong ones; see `denoise`.
    channel : int, optional
        Index along the axis C of the only channel to train on. None means all
        channels, each a gray image.

    Returns
    -------
    ImageCollection
        The images, those of a folder sorted by name. Files that are named twice are
        opened once.

    Raises
    ------
    InvalidInputError
        If a file is missing or damaged, or an image, its axes or the channel cannot
        be used. The message names the image.
    DatasetError
        If there are no images.
    """
    axes = None if axes is None else checked_axes(axes)
    sources, repeated = _without_repeats(_sources(images))
    opened = tuple(_open(name, source, axes, channel) for name, source in sources)
    notes = (
        [f"Used once, although given twice: {listed(repeated)}."] if repeated else []
    )
    return ImageCollection(opened, _name(images, opened), tuple(notes))


def _sources(images: Any) -> list[tuple[str, Any]]:
    """Return the name of each image and its path or array."""
    if isinstance(images, Mapping):
        found = [(str(name), _path_or_array(item)) for name, item in images.items()]
    elif isinstance(images, (list, tuple)):
        found = [each for item in images for each in _sources_of(item)]
    else:
        found = _sources_of(images)
    if not found:
        raise DatasetError("There are no images to train on: the list is empty.")
    numbers = iter(range(1, len(found) + 1))
    return [(name or f"image {next(numbers)}", source) for name, source in found]


def _sources_of(item: Any) -> list[tuple[str, Any]]:
    """Return the images that a path refers to, or an array without a name."""
    if isinstance(item, (list, dict)):
        raise InvalidInputError(
            f"An image must be a path or an array, got a {type(item).__name__}."
        )
    source = _path_or_array(item)
    if not isinstance(source, Path):
        return [("", source)]
    return [(path.name, path) for path in _find_files(source)]


def _path_or_array(item: Any) -> Any:
    return Path(item) if isinstance(item, (str, os.PathLike)) else item


def _find_files(path: Path) -> list[Path]:
    """Return the image files that a path refers to."""
    if is_pattern(path):
        files = matching_images(path)
    elif is_folder(path):
        files = list_images(path)
        if not files and has_cifar10(path):
            raise DatasetError(
                f"{path} contains {CIFAR10}, not a folder of images. To train on it, "
                f"pass it as --data {path}, or data={str(path)!r} in Python."
            )
    elif not (is_remote(path) or os.path.lexists(file_of(path))):
        raise InvalidInputError(f"Cannot read {path}: it does not exist.")
    else:
        files = [path]
    if not files:
        raise DatasetError(
            f"There are no images at {path}: expected files that end in "
            f"{', '.join(readable_suffixes())}. Folders in a folder are not searched."
        )
    return files


def _without_repeats(
    sources: list[tuple[str, Any]],
) -> tuple[list[tuple[str, Any]], list[str]]:
    """Return each source once, and the names of those that are repeated.

    A file in training and in validation would be trained on and validated on.
    """
    once: dict[Any, tuple[str, Any]] = {}
    repeated = []
    for name, source in sources:
        key = source.resolve() if isinstance(source, Path) else id(source)
        if key in once:
            repeated.append(name)
        once.setdefault(key, (name, source))
    return list(once.values()), repeated


def _name(images: Any, opened: tuple[TrainingImage, ...]) -> str:
    """Return the name of a collection: what the user gave, or the only image."""
    if isinstance(images, (list, tuple)) and len(images) == 1:
        images = images[0]
    if isinstance(images, (str, os.PathLike)):
        return Path(images).name or str(images)
    return opened[0].name if len(opened) == 1 else counted(len(opened), "image")


def _open(
    name: str, source: Any, axes: str | None, channel: int | None
) -> TrainingImage:
    try:
        if isinstance(source, Path):
            image = _open_file(name, source, axes)
        elif is_lazy(source):
            image = _open_lazy(name, source, axes)
        else:
            image = _open_array(name, source, axes)
        return image if channel is None else _only_channel(image, channel)
    except InvalidInputError as error:
        raise InvalidInputError(named(name, error)) from error


def _open_file(name: str, path: Path, axes: str | None) -> TrainingImage:
    volume = open_volume(path, axes)
    planes = StoredPlanes.of(volume)
    chunk = _chunk_of(volume)
    # Without chunks, any region is read directly, unless all of it is decoded.
    if chunk is None and not is_picture(path):
        chunk = (1, 1)
    block = choose_block(planes, chunk)
    return TrainingImage(name=name, planes=planes, path=planes.path, block=block)


def _open_lazy(name: str, array: Any, axes: str | None) -> TrainingImage:
    import zarr

    if isinstance(array, zarr.Array):
        # Without dask, which would make a graph for each patch.
        resolved = resolve_axes(array.shape, axes)
        require_real(array.dtype, array.shape)
        volume = Volume(
            path=Path(name), array=array, axes=resolved, chunks=array.chunks
        )
        block = choose_block(VolumePlanes(volume), _chunk_of(volume))
        return TrainingImage(name=name, planes=VolumePlanes(volume), block=block)
    lazy: Any = as_dask(array)
    if isinstance(lazy._meta, np.ma.MaskedArray):  # noqa: SLF001 - no public name
        import dask.array as da

        lazy = da.ma.filled(lazy.astype(np.float64), np.nan)
    planes = DaskPlanes.of(lazy.astype(lazy.dtype.newbyteorder("=")), axes)
    y = planes.axes.index("Y")
    rows, columns = (int(length) for length in planes.stack.chunksize[y : y + 2])
    block = choose_block(planes, (rows, columns))
    return TrainingImage(name=name, planes=planes, block=block)


def _open_array(name: str, array: Any, axes: str | None) -> TrainingImage:
    pixels = fill_masked(array)
    require_real(pixels.dtype, pixels.shape)
    # torch supports native byte order only.
    native = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    planes = ArrayPlanes.of(native, resolve_axes(native.shape, axes))
    return TrainingImage(name=name, planes=planes)


def _chunk_of(volume: Volume) -> tuple[int, int] | None:
    """Return the rows and columns of the chunks of an image."""
    if volume.chunks is None:
        return None
    lengths = dict(zip(volume.axes, volume.chunks, strict=True))
    return lengths["Y"], lengths["X"]


def _only_channel(image: TrainingImage, channel: int) -> TrainingImage:
    planes: Planes = image.planes
    if "C" not in planes.axes:
        raise InvalidInputError(
            f"channel is {channel}, but the image has no axis C: its axes are "
            f"{planes.axes}."
        )
    n_channels = planes.shape[planes.axes.index("C")]
    if not 0 <= channel < n_channels:
        raise InvalidInputError(
            f"channel must be at least 0 and less than the {n_channels} channels of "
            f"the image, got {channel}."
        )
    return TrainingImage(
        name=image.name,
        planes=ChannelPlanes(planes, channel),
        path=image.path,
        block=image.block,
    )
