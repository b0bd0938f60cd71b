"""Files of instruments that are TIFF are read with their pixel sizes.

The files have the tags that tifffile reads, and no others: no small files of
instruments are at hand.
"""

from __future__ import annotations

import struct
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile

from napari_denoise_ae.io.source import open_volume
from napari_denoise_ae.io.tiff_instruments import (
    instrument_channels,
    instrument_distances,
)

if TYPE_CHECKING:
    from pathlib import Path

STACK = np.random.default_rng(0).integers(0, 256, (3, 32, 48), dtype=np.uint8)
SLIDE = np.random.default_rng(0).integers(0, 256, (128, 96, 3), dtype=np.uint8)
LSM = tifffile.TIFF.CZ_LSMINFO


def write_lsm(path: Path) -> None:
    """Write planes and their thumbnails in turn, as a stack along T."""
    fields = {
        "MagicNumber": 0x400494C,
        "DimensionX": 48,
        "DimensionY": 32,
        "DimensionZ": 1,
        "DimensionChannels": 1,
        "DimensionTime": 3,
        "VoxelSizeX": 2e-7,
        "VoxelSizeY": 1e-7,
        "ScanType": 3,
        "TimeIntervall": 1.5,
    }
    sizes = {"u4": "I", "i4": "i", "f8": "d", "u2": "H"}
    packed = [
        struct.pack(f"<{sizes[kind]}", fields.get(name, 0))
        for name, kind in LSM
        if kind in sizes
    ]
    info = b"".join(packed[:32]) + bytes(400)
    info = info[:4] + struct.pack("<i", len(info)) + info[8:]
    tags = [(34412, "B", len(info), info, True)]
    with tifffile.TiffWriter(path) as writer:
        for number, plane in enumerate(STACK):
            options = {"metadata": None, "photometric": "minisblack"}
            first = tags if number == 0 else ()
            writer.write(plane, extratags=first, **options)
            writer.write(plane[::4, ::4].copy(), subfiletype=1, **options)


def write_svs(path: Path) -> None:
    """Write a slide in tiles, half the size, a thumbnail, and a label."""
    options = {"photometric": "rgb", "metadata": None}
    text = "Aperio Image Library v1|AppMag = 20|MPP = 0.4990"
    with tifffile.TiffWriter(path) as writer:
        writer.write(SLIDE, tile=(32, 32), description=text, **options)
        writer.write(SLIDE[::4, ::4].copy(), description="Aperio thumb", **options)
        half = SLIDE[::2, ::2].copy()
        writer.write(half, tile=(32, 32), description="Aperio", **options)
        label = SLIDE[:20, :30].copy()
        writer.write(label, description="Aperio label", subfiletype=1, **options)


def test_an_lsm_file_has_sizes_and_no_thumbnails(tmp_path):
    write_lsm(tmp_path / "a.lsm")
    volume = open_volume(tmp_path / "a.lsm")
    assert (volume.axes, volume.shape, volume.notes) == ("TYX", STACK.shape, ())
    assert volume.scale == {"T": 1.5, "Y": 1e-7, "X": 2e-7}
    assert volume.units == {"T": "second", "Y": "meter", "X": "meter"}
    part = volume.read((2,), (slice(0, 32), slice(5, 9)))
    np.testing.assert_array_equal(part[0], STACK[2, :, 5:9])


def test_an_aperio_slide_has_its_pixel_size(tmp_path):
    write_svs(tmp_path / "a.svs")
    volume = open_volume(tmp_path / "a.svs")
    assert (volume.axes, volume.shape, volume.n_levels) == ("YXS", SLIDE.shape, 2)
    assert (volume.scale["X"], volume.units["X"]) == (0.499, "micrometer")
    assert "holds 3 series" in volume.notes[0]
    part = volume.read((), (slice(30, 40), slice(0, 96)))
    np.testing.assert_array_equal(part, SLIDE[30:40])


def test_metamorph_has_sizes_if_they_are_calibrated():
    known = {
        "SpatialCalibration": 1,
        "XCalibration": 0.25,
        "YCalibration": 0.5,
        "CalibrationUnits": "um",
        "ZDistance": np.array([2.0, 2.0]),
    }
    for calibrated, expected in (
        (1, {"X": (0.25, "um"), "Y": (0.5, "um"), "Z": (2.0, "um")}),
        (0, {}),
    ):
        metadata = known | {"SpatialCalibration": calibrated}
        tiff = SimpleNamespace(lsm_metadata=None, stk_metadata=metadata, is_svs=False)
        assert instrument_distances(tiff) == expected


def test_zeiss_names_and_colors_channels():
    colors = {"ColorNames": ["DAPI", "GFP"], "Colors": [[0, 0, 255, 0], [0, 255, 0, 0]]}
    tiff = SimpleNamespace(lsm_metadata={"ChannelColors": colors})
    channels = instrument_channels(tiff)
    assert [channel.name for channel in channels] == ["DAPI", "GFP"]
    assert [channel.color for channel in channels] == ["0000FF", "00FF00"]


@pytest.mark.parametrize("suffix", [".btf", ".ndpi", ".stk", ".tf8"])
def test_other_suffixes_are_read_as_tiff(suffix, tmp_path):
    path = tmp_path / f"a{suffix}"
    tifffile.imwrite(path, STACK, bigtiff=True, photometric="minisblack")
    volume = open_volume(path, "ZYX")
    np.testing.assert_array_equal(volume.read_part((slice(None),) * 3), STACK)
