"""A small OME-Zarr image to write, and the attributes of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_denoise_ae.io.ome_metadata import OmeMetadata
from napari_denoise_ae.io.zarr_target import ZarrTarget

if TYPE_CHECKING:
    from pathlib import Path

SPACE = [{"name": "y", "type": "space"}, {"name": "x", "type": "space"}]


def make_target(path: Path, **changes) -> ZarrTarget:
    values = {
        "path": path,
        "shapes": ((2, 40, 50), (2, 20, 25)),
        "chunks": (1, 16, 16),
        "dtype": "uint16",
        "metadata": OmeMetadata(
            axes="TYX",
            scale={"T": 2.0, "Y": 0.5, "X": 0.25},
            units={"T": "second", "Y": "micrometer", "X": "micrometer"},
            origin={"Y": 10.0},
        ),
        "settings": {"model": "a"},
    }
    return ZarrTarget(**(values | changes))


def ome(axes: list[dict], path: str = "0") -> dict:
    """Return the attributes of an image with one level."""
    scale = {"type": "scale", "scale": [1.0] * len(axes)}
    dataset = {"path": path, "coordinateTransformations": [scale]}
    multiscale = {"axes": axes, "datasets": [dataset], "name": "a"}
    return {"ome": {"version": "0.5", "multiscales": [multiscale]}}
