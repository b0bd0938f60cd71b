"""Microscopes' files are read through bioio.

No small files may be kept here, so a stand-in with bioio's interface takes its place.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING

import dask.array as da
import numpy as np
import pytest
import tifffile
from command import run
from stored_stacks import MODEL, image_of

from napari_denoise_ae import denoise
from napari_denoise_ae.errors import InvalidInputError, MissingDependencyError
from napari_denoise_ae.io.source import open_volume
from napari_denoise_ae.models.checkpoint_file import save_checkpoint

if TYPE_CHECKING:
    from pathlib import Path

SMALL, LARGE = image_of((1, 1, 1, 20, 30)), image_of((3, 2, 1, 40, 48))
SCENES = {"overview": SMALL, "cells": LARGE}


class BioImage:
    """What is used of bioio's class, with the pixels of `SCENES`."""

    def __init__(self, path: Path, reader: object) -> None:
        assert reader == "reader of LIF"
        if not path.read_bytes().startswith(b"microscope"):
            raise RuntimeError("unknown header")
        self.scenes = tuple(SCENES)
        self.read: list[tuple[int, ...]] = []
        self.broken_time = -1
        self.channel_names = ["GFP", "DAPI"]
        self.physical_pixel_sizes = SimpleNamespace(Z=None, Y=0.25, X=0.5)
        self.time_interval = timedelta(seconds=1.5)
        self.set_scene(0)
        opened.append(self)

    def set_scene(self, number: int) -> None:
        self._pixels = SCENES[self.scenes[number]]

    @property
    def shape(self) -> tuple[int, ...]:
        return self._pixels.shape

    @property
    def xarray_dask_data(self) -> SimpleNamespace:
        array = da.from_array(self._pixels, chunks=(1, 1, 1, -1, -1)).map_blocks(
            self._record, dtype=self._pixels.dtype, meta=self._pixels[:0]
        )
        return SimpleNamespace(dims=tuple("TCZYX"), shape=array.shape, data=array)

    def _record(self, block: np.ndarray, block_id: tuple[int, ...]) -> np.ndarray:
        if block_id[0] == self.broken_time:
            raise KeyError("frame dimensions are fixed")
        self.read.append(block_id)
        return block


opened: list[BioImage] = []


@pytest.fixture
def file(tmp_path, monkeypatch) -> Path:
    """A file that the stand-in reads."""
    modules = {"bioio": ModuleType("bioio"), "bioio_lif": ModuleType("bioio_lif")}
    modules["bioio"].BioImage = BioImage
    modules["bioio_lif"].Reader = "reader of LIF"
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    opened.clear()
    (tmp_path / "a.lif").write_bytes(b"microscope")
    return tmp_path / "a.lif"


def test_the_largest_scene_is_read_with_its_metadata(file):
    volume = open_volume(file)
    assert (volume.axes, volume.shape) == ("TCYX", (3, 2, 40, 48))
    assert volume.scale == {"Y": 0.25, "X": 0.5, "T": 1.5}
    assert volume.units == {"Y": "micrometer", "X": "micrometer", "T": "second"}
    assert [channel.name for channel in volume.channels] == ["GFP", "DAPI"]
    assert "2 scenes: 0 (overview, 1 x 1 x 1 x 20 x 30), 1 (cells" in volume.notes[0]
    part = volume.read((2, 1), (slice(3, 9), slice(0, 48)))
    np.testing.assert_array_equal(part[0, 0], LARGE[2, 1, 0, 3:9])
    assert opened[0].read == [(2, 1, 0, 0, 0)]


def test_a_scene_is_chosen(file):
    volume = open_volume(file, series=0)
    assert (volume.axes, volume.shape, volume.notes) == ("YX", (20, 30), ())
    with pytest.raises(InvalidInputError, match="no series 2: it holds 2 scenes"):
        open_volume(file, series=2)
    file.write_bytes(b"something else")
    with pytest.raises(
        InvalidInputError, match=r"a.lif with bioio-lif: unknown header\. The"
    ):
        open_volume(file)


def test_a_file_that_claims_too_much_is_refused(file, monkeypatch):
    monkeypatch.setattr("napari_denoise_ae.io.limits._HARMLESS", 10_000)
    with pytest.raises(InvalidInputError, match=r"claims .* GB .* holds 10 bytes"):
        open_volume(file)
    assert open_volume(file, series=0).shape == (20, 30)


def test_pixels_that_a_plugin_does_not_read_are_one_error(file):
    volume = open_volume(file)
    opened[0].broken_time = 1
    assert volume.read((0, 1), (slice(0, 9), slice(0, 9))).shape == (1, 1, 9, 9)
    with pytest.raises(
        InvalidInputError, match="or bioio-lif does not read images of this kind"
    ):
        volume.read((1, 1), (slice(0, 9), slice(0, 9)))


def test_the_command_keeps_what_an_ome_tiff_holds(file, capsys):
    save_checkpoint(MODEL, file.parent / "gray.pt")
    (file.parent / "out").mkdir()
    given = ["--model", file.parent / "gray.pt", "--intensity-range", "0,4000"]
    assert run("denoise", file, file.parent / "out", *given) == 0
    assert "Only scene 1, the largest" in capsys.readouterr().err
    expected = denoise(
        LARGE[:, :, 0], model=MODEL, axes="TCYX", intensity_range=(0, 4000)
    )
    result = open_volume(file.parent / "out" / "a.ome.tif")
    np.testing.assert_array_equal(result.read_part((slice(None),) * 4), expected)
    assert result.scale == {"T": 1.5, "Y": 0.25, "X": 0.5}
    assert [channel.name for channel in result.channels] == ["GFP", "DAPI"]
    with tifffile.TiffFile(file.parent / "out" / "a.ome.tif") as tiff:
        assert tiff.is_ome


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a.lif", ("bioio-lif", "napari-denoise-ae[bioio]")),
        ("a.nd2", ("bioio-nd2", "napari-denoise-ae[bioio]")),
        ("a.czi", ("bioio-czi", "[bioio]' bioio-czi", "GPL 3")),
        ("a.r3d", ("bioio-dv", "[bioio]' bioio-dv")),
        ("a.SLDY", ("bioio-sldy", "[bioio]' bioio-sldy")),
        ("a.oib", ("bioio-bioformats", "[bioio]' bioio-bioformats", "Java", "GPL 2")),
    ],
)
def test_without_bioio_the_error_names_it(name, words, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "bioio", None)
    (tmp_path / name).write_bytes(b"microscope")
    with pytest.raises(MissingDependencyError) as error:
        open_volume(tmp_path / name)
    assert all(word in str(error.value) for word in words)
