from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import zarr

from napari_denoise_ae.errors import InvalidInputError, OutputError
from napari_denoise_ae.io.ome_zarr import OmeMetadata, read_ome_zarr
from napari_denoise_ae.io.zarr_target import ZarrTarget, result_state

if TYPE_CHECKING:
    from pathlib import Path


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


def test_a_result_that_is_not_finished_is_not_taken_for_an_image(tmp_path):
    target = make_target(tmp_path / "a.zarr")
    target.begin({}, overwrite=False)
    with pytest.raises(InvalidInputError, match="not finished"):
        read_ome_zarr(target.path)


def test_chunks_of_zeros_count_as_done_and_others_do_not(tmp_path):
    target = make_target(tmp_path / "a.zarr")
    target.begin({}, overwrite=False)
    target.write(0, (1, 2, 3), np.zeros((1, 8, 2), np.uint16))
    done = [n for n in target.numbers(0) if target.is_done(0, n)]
    assert done == [(1, 2, 3)]
    assert target.total == 2 * 3 * 4 + 2 * 2 * 2


def test_what_was_found_out_is_kept(tmp_path):
    path = tmp_path / "a.zarr"
    assert make_target(path).begin({"low": 1}, overwrite=False) == {"low": 1}
    assert make_target(path).begin({"low": 2}, overwrite=False) == {"low": 1}
    assert result_state(path)["finished"] is False


def test_a_result_of_other_settings_is_not_replaced_by_accident(tmp_path):
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
def test_what_is_no_result_is_never_replaced(content, tmp_path):
    path = tmp_path / "a.zarr"
    if content == "folder":
        path.mkdir()
        (path / "mine.txt").write_text("mine")
    elif content == "file":
        path.write_text("mine")
    else:
        zarr.create_group(path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(OutputError, match="no result of napari-denoise-ae"):
        make_target(path).begin({}, overwrite=True)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "state",
    [5, {"settings": {}}, {"settings": 5, "found": {}, "finished": True}],
    ids=str,
)
def test_what_only_looks_like_a_result_is_none(state, tmp_path):
    zarr.create_group(tmp_path / "a.zarr", attributes={"napari-denoise-ae": state})
    assert result_state(tmp_path / "a.zarr") is None
    with pytest.raises(OutputError, match="no result of napari-denoise-ae"):
        make_target(tmp_path / "a.zarr").begin({}, overwrite=True)
