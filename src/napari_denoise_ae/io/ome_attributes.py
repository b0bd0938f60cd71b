"""Make the attributes that hold the metadata of an OME-Zarr image."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .ome_metadata import OmeMetadata

_TYPES = {"T": "time", "C": "channel", "Z": "space", "Y": "space", "X": "space"}


def image_attributes(
    metadata: OmeMetadata, *, name: str, n_levels: int, description: str
) -> dict[str, Any]:
    """Return the attributes of the group of an image, validated.

    Parameters
    ----------
    metadata : OmeMetadata
        Metadata of the image.
    name : str
        Its name.
    n_levels : int
        Number of levels of its pyramid. Each halves the rows and columns of the one
        before. Their arrays are named by their numbers, from 0.
    description : str
        How the image was made.

    Returns
    -------
    dict
        JSON values.
    """
    import yaozarrs

    is_old = metadata.version == "0.4"
    axes = [
        {"name": letter.lower(), "type": _TYPES[letter]}
        | ({"unit": metadata.units[letter]} if letter in metadata.units else {})
        for letter in metadata.axes
    ]
    multiscale = {
        "name": name,
        "axes": axes,
        "datasets": [_dataset(metadata, level) for level in range(n_levels)],
        "type": "mean",
        "metadata": {"description": description},
    }
    content: dict[str, Any] = {"multiscales": [multiscale]}
    if is_old:
        multiscale["version"] = "0.4"
    else:
        content["version"] = metadata.version
    if metadata.omero:
        content["omero"] = dict(metadata.omero)
    kind = yaozarrs.v04.Image if is_old else yaozarrs.v05.Image
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        checked = kind.model_validate(content)
        dumped: dict[str, Any] = checked.model_dump(mode="json", exclude_none=True)
    dumped.pop("uri", None)
    return dumped if is_old else {"ome": dumped}


def _dataset(metadata: OmeMetadata, level: int) -> dict[str, Any]:
    """Return the entry of a level: its path, pixel spacing, and origin."""
    scale, origin = [], []
    for letter in metadata.axes:
        step = metadata.scale.get(letter, 1.0)
        factor = 2**level if letter in "YX" else 1
        scale.append(step * factor)
        # The center of the first pixel moves as pixels grow.
        start = metadata.origin.get(letter, 0.0)
        origin.append(start + step * (factor - 1) / 2)
    transforms: list[dict[str, Any]] = [{"type": "scale", "scale": scale}]
    if any(origin):
        transforms.append({"type": "translation", "translation": origin})
    return {"path": str(level), "coordinateTransformations": transforms}
