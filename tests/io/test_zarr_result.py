from __future__ import annotations

import numpy as np
import pytest
import zarr
from zarr_targets import make_target

from napari_denoise_ae.errors import InvalidInputError, OutputError
from napari_denoise_ae.io.ome_zarr import read_ome_zarr
from napari_denoise_ae.io.zarr_result import result_state


def test_an_unfinished_result_is_not_opened_as_an_image(tmp_path):
    target = make_target(tmp_path / "a.zarr")
    target.begin({}, overwrite=False)
    with pytest.raises(InvalidInputError, match="unfinished"):
        read_ome_zarr(target.path)


def test_measurements_are_stored(tmp_path):
    path = tmp_path / "a.zarr"
    assert make_target(path).begin({"low": 1}, overwrite=False) == {"low": 1}
    assert make_target(path).begin({"low": 2}, overwrite=False) == {"low": 1}
    assert result_state(path)["finished"] is False


def test_a_result_with_other_settings_is_replaced_only_on_request(tmp_path):
    path = tmp_path / "a.zarr"
    target = make_target(path)
    target.begin({}, overwrite=False)
    target.write(0, (0, 0, 0), np.ones((1, 16, 16), np.uint16))
    other = make_target(path, settings={"model": "b"})
    with pytest.raises(OutputError, match=r"another run: model differ.*--overwrite"):
        other.begin({}, overwrite=False)
    assert target.is_done(0, (0, 0, 0))
    other.begin({}, overwrite=True)
    assert not other.is_done(0, (0, 0, 0))


@pytest.mark.parametrize("content", ["folder", "file", "image"])
def test_anything_but_a_result_is_never_replaced(content, tmp_path):
    path = tmp_path / "a.zarr"
    if content == "folder":
        path.mkdir()
        (path / "mine.txt").write_text("mine")
    elif content == "file":
        path.write_text("mine")
    else:
        zarr.create_group(path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(OutputError, match="not a result of napari-denoise-ae"):
        make_target(path).begin({}, overwrite=True)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "state",
    [5, {"settings": {}}, {"settings": 5, "found": {}, "finished": True}],
    ids=str,
)
def test_invalid_state_is_not_a_result(state, tmp_path):
    zarr.create_group(tmp_path / "a.zarr", attributes={"napari-denoise-ae": state})
    assert result_state(tmp_path / "a.zarr") is None
    with pytest.raises(OutputError, match="not a result of napari-denoise-ae"):
        make_target(tmp_path / "a.zarr").begin({}, overwrite=True)
