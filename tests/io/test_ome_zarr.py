from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
import zarr

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.io.ome_zarr import open_ome_zarr, read_ome_zarr
from napari_denoise_ae.io.source import open_volume
from napari_denoise_ae.io.zarr_result import result_state

if TYPE_CHECKING:
    from pathlib import Path


def write_group(path: Path, attributes: dict, zarr_format: int = 3) -> None:
    group = zarr.create_group(path, zarr_format=zarr_format, attributes=attributes)
    group.create_array("0", shape=(4, 5), chunks=(4, 5), dtype="uint8")


def ome(axes: list[dict], path: str = "0") -> dict:
    scale = {"type": "scale", "scale": [1.0] * len(axes)}
    dataset = {"path": path, "coordinateTransformations": [scale]}
    multiscale = {"axes": axes, "datasets": [dataset], "name": "a"}
    return {"ome": {"version": "0.5", "multiscales": [multiscale]}}


SPACE = [{"name": "y", "type": "space"}, {"name": "x", "type": "space"}]


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({}, "no image metadata"),
        ({"bioformats2raw.layout": 3}, "several images"),
        ({"ome": {"version": "0.5", "plate": {}}}, "a plate"),
        (ome(SPACE, path="7"), "level '7' is missing"),
        (ome([{"name": "c", "type": "channel"}, *SPACE]), "axes are CYX"),
        (ome(SPACE[:1]), r"invalid: multiscales\.0\.axes: "),
        ({"ome": {"version": "0.5", "multiscales": []}}, "invalid: multiscales: "),
        ({"ome": {"version": "0.5", "multiscales": 5}}, "invalid: multiscales: "),
        ({"ome": 5}, "invalid: ome: expected an object, got 5"),
        ({"ome": ["multiscales"]}, "invalid: ome: expected an object"),
        ({"multiscales": 5}, "invalid: multiscales: "),
        ({**ome(SPACE), "napari-denoise-ae": 5, "ome": None}, "invalid: ome: "),
    ],
)
def test_a_group_without_an_image_is_rejected_with_a_reason(
    attributes, message, tmp_path
):
    write_group(tmp_path / "a.zarr", attributes)
    with pytest.raises(InvalidInputError, match=message) as caught:
        read_ome_zarr(tmp_path / "a.zarr")
    assert "http" not in str(caught.value)


def test_a_name_that_is_too_long_is_an_input_error(tmp_path):
    path = tmp_path / f"{'a' * 300}.zarr"
    assert result_state(path) is None
    with pytest.raises(InvalidInputError, match="does not exist"):
        read_ome_zarr(path)


def test_a_missing_image_is_rejected(tmp_path):
    with pytest.raises(InvalidInputError, match="does not exist"):
        read_ome_zarr(tmp_path / "a.zarr")
    (tmp_path / "a.zarr").write_text("text")
    with pytest.raises(InvalidInputError, match="not a folder"):
        read_ome_zarr(tmp_path / "a.zarr")
    (tmp_path / "b.zarr").mkdir()
    with pytest.raises(InvalidInputError, match="zarr cannot open it"):
        read_ome_zarr(tmp_path / "b.zarr")


def test_transformations_of_the_multiscale_follow_those_of_a_level(tmp_path):
    attributes = ome(SPACE)
    multiscale = attributes["ome"]["multiscales"][0]
    transforms = multiscale["datasets"][0]["coordinateTransformations"]
    transforms.append({"type": "translation", "translation": [3.0, 4.0]})
    multiscale["coordinateTransformations"] = [{"type": "scale", "scale": [2.0, 0.5]}]
    write_group(tmp_path / "a.zarr", attributes)
    _, metadata = read_ome_zarr(tmp_path / "a.zarr")
    assert metadata.scale == {"Y": 2.0, "X": 0.5}
    assert metadata.origin == {"Y": 6.0, "X": 2.0}


def test_damaged_metadata_are_an_error(tmp_path):
    write_group(tmp_path / "a.zarr", ome(SPACE))
    file = tmp_path / "a.zarr" / "zarr.json"
    file.write_text(json.dumps(json.loads(file.read_text()))[:50])
    with pytest.raises(InvalidInputError, match=r"a\.zarr"):
        read_ome_zarr(tmp_path / "a.zarr")


@pytest.mark.parametrize("version", ["0.1", "0.2", "0.3"])
def test_an_old_version_is_named_with_the_way_out(tmp_path, version):
    image = np.random.default_rng(0).integers(0, 99, (2, 8, 9), dtype=np.uint8)
    content = {"version": version, "datasets": [{"path": "0"}]}
    if version == "0.3":
        content["axes"] = ["z", "y", "x"]
    root = zarr.create_group(
        tmp_path / "a.zarr", zarr_format=2, attributes={"multiscales": [content]}
    )
    root.create_array("0", data=image)
    with pytest.raises(InvalidInputError, match=f"its version is {version}") as caught:
        open_ome_zarr(tmp_path / "a.zarr")
    assert f"{tmp_path / 'a.zarr' / '0'} --axes" in str(caught.value)
    volume = open_volume(tmp_path / "a.zarr" / "0", "ZYX")
    np.testing.assert_array_equal(volume.array[...], image)


@pytest.mark.parametrize(
    ("names", "axes"),
    [
        (("t", "y", "x"), "TYX"),
        (("channel", "Y", "X"), "CYX"),
        (("depth", "y", "x"), "ZYX"),
        (("plate", "y", "x"), None),
        (("y", "y", "x"), None),
        (None, None),
    ],
)
def test_the_names_of_dimensions_are_axes(tmp_path, names, axes):
    zarr.create_array(
        tmp_path / "a.zarr", shape=(2, 8, 9), dtype="uint8", dimension_names=names
    )
    assert open_ome_zarr(tmp_path / "a.zarr").axes == axes
