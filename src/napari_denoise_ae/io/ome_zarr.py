"""Open OME-Zarr images and read their metadata, which yaozarrs validates."""

from __future__ import annotations

import os
import warnings
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError, one_line
from ..image.axes import axes_of_names
from .channels import read_omero
from .compression import compression_of_codecs
from .limits import claimed_bytes, is_lifted, require_plausible_size
from .location import is_remote, shown, url_of
from .ome_zarr_series import choose_image, image_names
from .remote import RemoteArray, open_remote
from .stored import StoredImage
from .units import known_unit
from .zarr_result import METADATA_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import zarr
    from numpy.typing import NDArray

    from .channels import Channel

#: Order of axes that OME-Zarr requires.
ORDER = "TCZYX"
_LATEST = "0.5"
# Number of characters of an error of zarr that are shown.
_LONGEST_REASON = 300
# Versions whose axes have no types.
_OLD = ("0.1", "0.2", "0.3")


@dataclass(frozen=True, slots=True, kw_only=True)
class OmeMetadata:
    """Metadata of an OME-Zarr image.

    Parameters
    ----------
    axes : str
        Its axes.
    scale, units : mapping
        Pixel spacing and its unit, by axis.
    origin : mapping
        Position of the first pixel, by axis, in the same units.
    n_levels : int
        Number of levels of the pyramid.
    version : str
        Version of the format, 0.4 or 0.5.
    omero : mapping
        Display settings: names and colors of the channels. Empty if they are invalid.
    channels : tuple of Channel
        The channels, as far as the display settings describe them.
    """

    axes: str
    scale: Mapping[str, float] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    origin: Mapping[str, float] = field(default_factory=dict)
    n_levels: int = 1
    version: str = _LATEST
    omero: Mapping[str, Any] = field(default_factory=dict)
    channels: tuple[Channel, ...] = ()


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
    metadata, dataset = _parse_metadata(attributes, path)
    array = open_remote(path / dataset) if is_remote(path) else node.get(dataset)
    if not isinstance(array, zarr.Array):
        raise _unreadable(path, f"its level {one_line(repr(dataset), 100)} is missing")
    _require_plausible(array, path)
    if len(array.shape) != len(metadata.axes):
        raise _unreadable(
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
        raise _unreadable(path, reason) from error


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
        raise _unreadable(path, str(error)) from error
    if is_remote(path):
        # Its files cannot be listed.
        return
    chunks = array.shards or array.chunks
    if 0 in (*chunks, *array.chunks) and 0 not in array.shape:
        raise _unreadable(path, f"its chunks have the shape {array.chunks}")
    claimed = claimed_bytes(array.shape, np.dtype(array.dtype), chunks)
    require_plausible_size(path, claimed, sizes_of_files(path / array.path))


def _parse_metadata(attributes: dict[str, Any], path: Path) -> tuple[OmeMetadata, str]:
    """Return the metadata of an image and the path of its full-resolution level."""
    import yaozarrs

    content = attributes.get("ome", attributes)
    if not isinstance(content, dict):
        raise _unreadable(
            path,
            "its metadata are invalid: ome: expected an object, got "
            f"{one_line(content, 100)}",
        )
    if "multiscales" not in content:
        raise _unreadable(path, _explain_non_image(attributes, content))
    _require_new_version(content["multiscales"], path)
    version = str(
        attributes["ome"].get("version", _LATEST) if "ome" in attributes else "0.4"
    )
    kind = yaozarrs.v05.Image if "ome" in attributes else yaozarrs.v04.Image
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = kind.model_validate(
                {key: value for key, value in content.items() if key != "omero"}
            )
    except ValueError as error:
        reason = f"its metadata are invalid: {_first_validation_error(error)}"
        raise _unreadable(path, reason) from error
    axes = "".join(_axis_letter(axis, path) for axis in image.multiscales[0].axes)
    scale, origin = _transformation(image.multiscales[0])
    units = {
        letter: known_unit(str(axis.unit)) or str(axis.unit)
        for letter, axis in zip(axes, image.multiscales[0].axes, strict=True)
        if getattr(axis, "unit", None)
    }
    metadata = OmeMetadata(
        axes=axes,
        scale=dict(zip(axes, scale.tolist(), strict=True)),
        units=units,
        origin=dict(zip(axes, origin.tolist(), strict=True)),
        n_levels=len(image.multiscales[0].datasets),
        version=version,
        omero=_valid_omero(content),
        channels=_channels(content),
    )
    return metadata, image.multiscales[0].datasets[0].path


def _require_new_version(multiscales: Any, path: Path) -> None:
    """Raise if an image has a version whose axes have no types."""
    with suppress(LookupError, TypeError, AttributeError):
        version = str(multiscales[0].get("version"))
        if version in _OLD:
            level = multiscales[0]["datasets"][0]["path"]
            reason = (
                f"its version is {version}; versions 0.4 and 0.5 are read. Name its "
                "full-resolution array and the axes instead: "
                f"{shown(path / level)} --axes TCZYX"
            )
            raise _unreadable(path, reason)


def _valid_omero(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the display settings, or nothing if they are invalid."""
    from yaozarrs.v05 import Omero

    omero = content.get("omero")
    if not isinstance(omero, dict):
        return {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            Omero.model_validate(omero)
    except ValueError:
        return {}
    return dict(omero)


def _channels(content: Mapping[str, Any]) -> tuple[Channel, ...]:
    """Return the channels; none if the optional display settings are damaged."""
    with suppress(TypeError, ValueError, AttributeError):
        return read_omero(content.get("omero") or {})
    return ()


def _transformation(multiscale: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the pixel spacing and the origin at full resolution."""
    scale, origin = np.ones(len(multiscale.axes)), np.zeros(len(multiscale.axes))
    transforms = [*multiscale.datasets[0].coordinateTransformations]
    transforms += multiscale.coordinateTransformations or []
    for transform in transforms:
        if transform.type == "scale":
            scale, origin = scale * transform.scale, origin * transform.scale
        else:
            origin = origin + transform.translation
    return scale, origin


def _first_validation_error(error: ValueError) -> str:
    """Return the location and message of pydantic's first error."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]


def _axis_letter(axis: Any, path: Path) -> str:
    """Return the letter of an OME axis."""
    by_type = {"time": "T", "channel": "C"}
    letter = by_type.get(axis.type or "", str(axis.name)[:1].upper())
    if letter not in ORDER or (axis.type == "space" and letter not in "ZYX"):
        raise _unreadable(path, f"its axis {axis.name!r} is none of t, c, z, y and x")
    return letter


def _explain_non_image(attributes: dict[str, Any], content: dict[str, Any]) -> str:
    """Explain to a user why a group is not an image."""
    if METADATA_KEY in attributes:
        return "it is an unfinished result"
    if "bioformats2raw.layout" in content:
        return "it contains several images. Name one of them, such as its folder 0"
    if "plate" in content or "well" in content:
        return "it is a plate. Name an image in it, such as the folder A/1/0"
    return "it has no image metadata (multiscales)"


def _unreadable(path: Path, reason: str) -> InvalidInputError:
    return InvalidInputError(
        f"Cannot read {shown(path)} as an OME-Zarr image: {reason}."
    )
