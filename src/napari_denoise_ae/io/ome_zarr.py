"""OME-Zarr images: what they say of themselves, and writing them chunk by chunk.

Pixels are read and written by zarr, which writes a chunk whole or not at all;
what the metadata mean is checked by yaozarrs. A result says of itself what it
was made from; while it is not finished it has no metadata of an image, so that
nothing takes it for one, and the chunks that are there tell where to go on.
"""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError
from .stored import StoredImage
from .units import known_unit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

# Where a result says how it was made.
METADATA_KEY = "napari-denoise-ae"
#: The order of the axes that OME-Zarr asks for.
ORDER = "TCZYX"
_LATEST = "0.5"


@dataclass(frozen=True, slots=True, kw_only=True)
class OmeMetadata:
    """What an OME-Zarr image says of itself.

    Parameters
    ----------
    axes : str
        Its axes.
    scale, units : mapping
        Distance between pixels and its unit, by axis.
    origin : mapping
        Where the first pixel lies, by axis, in these units.
    n_levels : int
        How many levels its pyramid has.
    version : str
        Version of the format, 0.4 or 0.5.
    omero : mapping
        How it is displayed: names and colors of the channels.
    """

    axes: str
    scale: Mapping[str, float] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    origin: Mapping[str, float] = field(default_factory=dict)
    n_levels: int = 1
    version: str = _LATEST
    omero: Mapping[str, Any] = field(default_factory=dict)


def open_ome_zarr(path: Path) -> StoredImage:
    """Open an OME-Zarr image or a plain Zarr array, see `read_ome_zarr`."""
    array, ome = read_ome_zarr(path)
    if ome is None:
        return StoredImage(array=array, chunks=array.chunks)
    return StoredImage(
        array=array,
        axes=ome.axes,
        chunks=array.chunks,
        scale=ome.scale,
        units=ome.units,
        ome=ome,
    )


def read_ome_zarr(path: Path) -> tuple[Any, OmeMetadata | None]:
    """Open the pixels of an OME-Zarr image, or of a plain Zarr array.

    Returns
    -------
    zarr.Array
        The highest level.
    OmeMetadata or None
        What the image says of itself; None for a plain array.

    Raises
    ------
    InvalidInputError
        If there is none, or it cannot be read.
    """
    import zarr

    # Path's own raises for names too long.
    if not os.path.isdir(path):  # noqa: PTH112
        what = "is not a folder" if os.path.lexists(path) else "does not exist"
        raise InvalidInputError(f"Cannot read {path}: it {what}.")
    try:
        node = zarr.open(path, mode="r")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(path, f"zarr cannot open it ({error})") from error
    if isinstance(node, zarr.Array):
        return node, None
    attributes = dict(node.attrs)
    metadata, dataset = _parse_metadata(attributes, path)
    array = node.get(dataset)
    if not isinstance(array, zarr.Array):
        raise _unreadable(path, f"its level {dataset!r} is missing")
    if len(array.shape) != len(metadata.axes):
        raise _unreadable(
            path, f"its axes are {metadata.axes} and its shape is {array.shape}"
        )
    return array, metadata


def _parse_metadata(attributes: dict[str, Any], path: Path) -> tuple[OmeMetadata, str]:
    """Return what attributes say of an image, and the path of its highest level."""
    import yaozarrs

    content = attributes.get("ome", attributes)
    if not isinstance(content, dict):
        raise _unreadable(
            path, f"its metadata are not valid: ome: expected an object, got {content}"
        )
    if "multiscales" not in content:
        raise _unreadable(path, _what_else(attributes, content))
    version = str(
        attributes["ome"].get("version", _LATEST) if "ome" in attributes else "0.4"
    )
    kind = yaozarrs.v05.Image if "ome" in attributes else yaozarrs.v04.Image
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = kind.model_validate(content)
    except ValueError as error:
        why = f"its metadata are not valid: {_first_fault(error)}"
        raise _unreadable(path, why) from error
    axes = "".join(_letter(axis, path) for axis in image.multiscales[0].axes)
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
        omero=dict(content.get("omero") or {}),
    )
    return metadata, image.multiscales[0].datasets[0].path


def _transformation(multiscale: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the distance between pixels of the highest level, and where they begin."""
    scale, origin = np.ones(len(multiscale.axes)), np.zeros(len(multiscale.axes))
    transforms = [*multiscale.datasets[0].coordinateTransformations]
    transforms += multiscale.coordinateTransformations or []
    for transform in transforms:
        if transform.type == "scale":
            scale, origin = scale * transform.scale, origin * transform.scale
        else:
            origin = origin + transform.translation
    return scale, origin


def _first_fault(error: ValueError) -> str:
    """Return where the first fault is that pydantic has found, and what it is."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]


def _letter(axis: Any, path: Path) -> str:
    """Return the letter of an axis of OME's."""
    by_type = {"time": "T", "channel": "C"}
    letter = by_type.get(axis.type or "", str(axis.name)[:1].upper())
    if letter not in ORDER or (axis.type == "space" and letter not in "ZYX"):
        raise _unreadable(path, f"its axis {axis.name!r} is none of t, c, z, y and x")
    return letter


def _what_else(attributes: dict[str, Any], content: dict[str, Any]) -> str:
    """Say what a group is that is no image."""
    if METADATA_KEY in attributes:
        return "it is a result that is not finished yet"
    if "bioformats2raw.layout" in content:
        return "it holds several images. Name one of them, such as the folder 0 in it"
    if "plate" in content or "well" in content:
        return "it is a plate. Name an image in it, such as the folder A/1/0"
    return "it has no metadata of an image (multiscales)"


def _unreadable(path: Path, why: str) -> InvalidInputError:
    return InvalidInputError(f"Cannot read {path} as an OME-Zarr image: {why}.")
