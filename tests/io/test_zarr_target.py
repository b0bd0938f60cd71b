from __future__ import annotations

import shutil

import numpy as np
import pytest
import zarr
from zarr_targets import make_target

from napari_denoise_ae.errors import InvalidInputError, OutputError
from napari_denoise_ae.io.ome_zarr import read_ome_zarr
from napari_denoise_ae.io.zarr_target import result_state


def test_an_unfinished_result_is_not_opened_as_an_image(tmp_path):
    target = make_target(tmp_path / "a.zarr")
    target.begin({}, overwrite=False)
    with pytest.raises(InvalidInputError, match="unfinished"):
        read_ome_zarr(target.path)


def test_only_written_chunks_count_as_done_even_if_zero(tmp_path):
    target = make_target(tmp_path / "a.zarr")
    target.begin({}, overwrite=False)
    target.write(0, (1, 2, 3), np.zeros((1, 8, 2), np.uint16))
    done = [n for n in target.numbers(0) if target.is_done(0, n)]
    assert done == [(1, 2, 3)]
    assert target.total == 2 * 3 * 4 + 2 * 2 * 2


@pytest.mark.parametrize("content", [b"", b"garbage", None])
def test_chunks_that_a_power_cut_left_are_missing(content, tmp_path):
    target = make_target(tmp_path / "a.zarr")
    target.begin({}, overwrite=False)
    for number in target.numbers(1):
        target.write(1, number, np.ones((1, 8, 9), np.uint16))
    assert target.missing(1) == []
    broken = target._chunk_file(1, (1, 0, 1))
    partial = broken.with_suffix(".5f3a.partial")
    partial.write_bytes(b"half")
    broken.unlink() if content is None else broken.write_bytes(content)
    again = make_target(tmp_path / "a.zarr")
    again.begin({}, overwrite=False)
    assert again.missing(1) == [(1, 0, 1)]
    assert again.is_done(1, (1, 0, 1)) == (content == b"garbage")
    assert not partial.exists()


def test_a_missing_level_is_created_again(tmp_path):
    target = make_target(tmp_path / "a.zarr")
    target.begin({}, overwrite=False)
    shutil.rmtree(tmp_path / "a.zarr" / "1")
    again = make_target(tmp_path / "a.zarr")
    again.begin({}, overwrite=False)
    assert len(again.missing(1)) == again.n_chunks(1)


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
