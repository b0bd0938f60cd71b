from __future__ import annotations

from pathlib import Path

import pytest
from zarr_targets import SPACE, ome

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.io.ome_metadata import parse_metadata


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({}, "no image metadata"),
        ({"bioformats2raw.layout": 3}, "several images"),
        ({"ome": {"version": "0.5", "plate": {}}}, "a plate"),
        (ome(SPACE[:1]), r"invalid: multiscales\.0\.axes: "),
        ({"ome": {"version": "0.5", "multiscales": []}}, "invalid: multiscales: "),
        ({"ome": {"version": "0.5", "multiscales": 5}}, "invalid: multiscales: "),
        ({"ome": 5}, "invalid: ome: expected an object, got 5"),
        ({"ome": ["multiscales"]}, "invalid: ome: expected an object"),
        ({"multiscales": 5}, "invalid: multiscales: "),
        ({**ome(SPACE), "napari-denoise-ae": 5, "ome": None}, "invalid: ome: "),
    ],
)
def test_a_group_without_an_image_is_rejected_with_a_reason(attributes, message):
    with pytest.raises(InvalidInputError, match=message) as caught:
        parse_metadata(attributes, Path("a.zarr"))
    assert "http" not in str(caught.value)


def test_transformations_of_the_multiscale_follow_those_of_a_level():
    attributes = ome(SPACE)
    multiscale = attributes["ome"]["multiscales"][0]
    transforms = multiscale["datasets"][0]["coordinateTransformations"]
    transforms.append({"type": "translation", "translation": [3.0, 4.0]})
    multiscale["coordinateTransformations"] = [{"type": "scale", "scale": [2.0, 0.5]}]
    metadata, level = parse_metadata(attributes, Path("a.zarr"))
    assert level == "0"
    assert metadata.scale == {"Y": 2.0, "X": 0.5}
    assert metadata.origin == {"Y": 6.0, "X": 2.0}
