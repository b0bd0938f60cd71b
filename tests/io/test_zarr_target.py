from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
import yaozarrs
from zarr_targets import make_target

from napari_denoise_ae.io.ome_metadata import OmeMetadata
from napari_denoise_ae.io.ome_zarr import read_ome_zarr

if TYPE_CHECKING:
    from napari_denoise_ae.io.zarr_target import ZarrTarget


def fill(target: ZarrTarget) -> None:
    for level in range(len(target.shapes)):
        for number in target.numbers(level):
            if not target.is_done(level, number):
                sides = zip(number, target.chunks, target.shapes[level], strict=True)
                shape = [min(side, length - n * side) for n, side, length in sides]
                target.write(level, number, np.zeros(shape, target.dtype))
    target.finish()


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_written_image_is_valid_and_reads_back(version, tmp_path):
    known = make_target(tmp_path / "a.zarr").metadata
    metadata = OmeMetadata(
        axes=known.axes,
        scale=known.scale,
        units=known.units,
        origin=known.origin,
        version=version,
    )
    target = make_target(tmp_path / "a.zarr", metadata=metadata)
    target.begin({}, overwrite=False)
    fill(target)
    yaozarrs.validate_zarr_store(str(target.path))
    array, read = read_ome_zarr(target.path)
    assert (array.shape, array.dtype, array.chunks) == (
        (2, 40, 50),
        np.uint16,
        (1, 16, 16),
    )
    assert (read.axes, read.version, read.n_levels) == ("TYX", version, 2)
    assert read.scale == known.scale
    assert read.units == known.units
    assert read.origin == {"T": 0, "Y": 10, "X": 0}
    assert array.metadata.zarr_format == (2 if version == "0.4" else 3)


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
