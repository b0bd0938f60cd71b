from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
import zarr
from zarr_targets import SPACE, ome

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.io.ome_zarr import open_ome_zarr, read_ome_zarr
from napari_denoise_ae.io.source import open_volume
from napari_denoise_ae.io.zarr_result import result_state

if TYPE_CHECKING:
    from pathlib import Path


def write_group(path: Path, attributes: dict, zarr_format: int = 3) -> None:
    group = zarr.create_group(path, zarr_format=zarr_format, attributes=attributes)
    group.create_array("0", shape=(4, 5), chunks=(4, 5), dtype="uint8")


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        (ome(SPACE, path="7"), "level '7' is missing"),
        (ome([{"name": "c", "type": "channel"}, *SPACE]), "axes are CYX"),
    ],
)
def test_a_level_that_does_not_fit_the_metadata_is_rejected(
    attributes, message, tmp_path
):
    write_group(tmp_path / "a.zarr", attributes)
    with pytest.raises(InvalidInputError, match=message):
        read_ome_zarr(tmp_path / "a.zarr")


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
