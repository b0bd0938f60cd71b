"""Read the metadata of OME-Zarr images; yaozarrs validates them."""

from __future__ import annotations

import warnings
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError, one_line
from .channels import read_omero
from .location import shown
from .units import known_unit
from .zarr_result import METADATA_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from .channels import Channel

#: Order of axes that OME-Zarr requires.
ORDER = "TCZYX"
_LATEST = "0.5"
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


def parse_metadata(attributes: dict[str, Any], path: Path) -> tuple[OmeMetadata, str]:
    """Read the metadata of an image from the attributes of its group.

    Parameters
    ----------
    attributes : dict
        The attributes.
    path : pathlib.Path
        Folder or address of the image, for errors.

    Returns
    -------
    metadata : OmeMetadata
        The metadata.
    level : str
        Path of the full-resolution level in the group.

    Raises
    ------
    InvalidInputError
        If the group is not an image, or its metadata are invalid.
    """
    import yaozarrs

    content = attributes.get("ome", attributes)
    if not isinstance(content, dict):
        raise unreadable(
            path,
            "its metadata are invalid: ome: expected an object, got "
            f"{one_line(content, 100)}",
        )
    if "multiscales" not in content:
        raise unreadable(path, _explain_non_image(attributes, content))
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
        raise unreadable(path, reason) from error
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
            raise unreadable(path, reason)


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
        raise unreadable(path, f"its axis {axis.name!r} is none of t, c, z, y and x")
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


def unreadable(path: Path, reason: str) -> InvalidInputError:
    """Return the error for an image that cannot be read."""
    return InvalidInputError(
        f"Cannot read {shown(path)} as an OME-Zarr image: {reason}."
    )
