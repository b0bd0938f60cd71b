"""Open OME-Zarr images and plain Zarr arrays."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError, one_line
from ..image.axes import axes_of_names
from .compression import compression_of_codecs
from .limits import claimed_bytes, is_lifted, require_plausible_size
from .location import is_remote, url_of
from .ome_metadata import parse_metadata, unreadable
from .ome_zarr_series import choose_image, image_names
from .remote import RemoteArray, open_remote
from .stored import StoredImage

if TYPE_CHECKING:
    from pathlib import Path

    import zarr

    from .ome_metadata import OmeMetadata

# Number of characters of an error of zarr that are shown.
_LONGEST_REASON = 300


def open_ome_zarr(path: Path, series: int | None = None) -> StoredImage:
    """Open an OME-Zarr image or a plain Zarr array, see `read_ome_zarr`.

    Parameters
    ----------
    path : pathlib.Path
        Its folder or address.
    series : int, optional
        Number of the image, if the folder holds several, see `choose_image`.
    """
    path, note = _choose(path, series)
    array, ome = read_ome_zarr(path)
    pixels = RemoteArray(array, url_of(path)) if is_remote(path) else array
    notes = (note,) if note else ()
    if ome is None:
        axes = _axes_of_dimensions(array)
        return StoredImage(
            array=pixels,
            axes=axes,
            chunks=array.chunks,
            compression=_compression(array),
            notes=notes,
        )
    return StoredImage(
        array=pixels,
        axes=ome.axes,
        chunks=array.chunks,
        scale=ome.scale,
        units=ome.units,
        ome=ome,
        channels=ome.channels,
        n_levels=ome.n_levels,
        compression=_compression(array),
        notes=notes,
    )


def _choose(path: Path, series: int | None) -> tuple[Path, str]:
    """Return the image to read, which may lie in a group of several, and a note."""
    import zarr

    node = open_node(path)
    names = image_names(node) if isinstance(node, zarr.Group) else []
    if names:
        shapes = [tuple(read_ome_zarr(path / name)[0].shape) for name in names]
        number, note = choose_image(path, series, shapes)
        return path / names[number], note
    if series is not None:
        choose_image(path, series, [tuple(read_ome_zarr(path)[0].shape)])
    return path, ""


def _compression(array: zarr.Array[Any]) -> str:
    """Return the name of the compression of an array."""
    plain: list[dict[str, Any]] = []
    for codec in array.compressors:
        as_dict = codec.to_dict() if hasattr(codec, "to_dict") else codec.get_config()
        plain.append(as_dict)
    return compression_of_codecs(
        [str(codec.get("name") or codec.get("id")) for codec in plain]
    )


def missing_chunks(stored: StoredImage) -> str:
    """Return a note on chunks that are missing; empty if there are none.

    By the standard of Zarr they hold the fill value, but they may also have been lost.
    Those at an address are known once they have been read.
    """
    import zarr

    pixels = stored.array
    array = pixels.array if isinstance(pixels, RemoteArray) else pixels
    if not isinstance(array, zarr.Array):
        return ""
    if isinstance(pixels, RemoteArray):
        n_missing = pixels.n_missing
    else:
        n_missing = array.nchunks - array.nchunks_initialized
    if n_missing <= 0:
        return ""
    return (
        f"{n_missing:,} of the {array.nchunks:,} chunks of the image are missing. They "
        f"are read as {array.fill_value}, their fill value."
    )


def _axes_of_dimensions(array: zarr.Array[Any]) -> str | None:
    """Return the axes of a plain array, if its dimensions are named after them."""
    return axes_of_names(getattr(array.metadata, "dimension_names", None) or ())


def read_ome_zarr(path: Path) -> tuple[Any, OmeMetadata | None]:
    """Open an OME-Zarr image or a plain Zarr array.

    Returns
    -------
    array : zarr.Array
        Pixels at full resolution, read on indexing.
    metadata : OmeMetadata or None
        Metadata of the image; None for a plain array.

    Raises
    ------
    InvalidInputError
        If it does not exist or cannot be read.
    """
    import zarr

    node = open_node(path)
    if isinstance(node, zarr.Array):
        _require_plausible(node, path)
        return node, None
    attributes = dict(node.attrs)
    metadata, dataset = parse_metadata(attributes, path)
    array = open_remote(path / dataset) if is_remote(path) else node.get(dataset)
    if not isinstance(array, zarr.Array):
        raise unreadable(path, f"its level {one_line(repr(dataset), 100)} is missing")
    _require_plausible(array, path)
    if len(array.shape) != len(metadata.axes):
        raise unreadable(
            path, f"its axes are {metadata.axes} and its shape is {array.shape}"
        )
    return array, metadata


def open_node(path: Path) -> Any:
    """Open a Zarr array or group on this machine or at an address."""
    import zarr

    from .zarr_store import RegularFileStore

    if is_remote(path):
        return open_remote(path)
    # Path.is_dir raises if the name is too long.
    if not os.path.isdir(path):  # noqa: PTH112
        reason = "is not a folder" if os.path.lexists(path) else "does not exist"
        raise InvalidInputError(f"Cannot read {path}: it {reason}.")
    try:
        return zarr.open(RegularFileStore(path, read_only=True), mode="r")
    # Given damaged metadata, zarr raises errors of any kind.
    except Exception as error:
        reason = f"zarr cannot open it ({one_line(error, _LONGEST_REASON)})"
        raise unreadable(path, reason) from error


def _require_plausible(array: zarr.Array[Any], path: Path) -> None:
    """Raise if an array claims far more pixels than its files can hold.

    Chunks that inflate too much are refused when they are read.
    """
    from .zarr_store import sizes_of_files

    store: Any = array.store
    try:
        if not is_lifted():
            store.limits.add(array)
    except ValueError as error:
        raise unreadable(path, str(error)) from error
    if is_remote(path):
        # Its files cannot be listed.
        return
    chunks = array.shards or array.chunks
    if 0 in (*chunks, *array.chunks) and 0 not in array.shape:
        raise unreadable(path, f"its chunks have the shape {array.chunks}")
    claimed = claimed_bytes(array.shape, np.dtype(array.dtype), chunks)
    require_plausible_size(path, claimed, sizes_of_files(path / array.path))
