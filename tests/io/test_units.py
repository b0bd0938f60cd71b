"""One table of units for OME-Zarr, OME-TIFF and ImageJ."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import tifffile
import yaozarrs
import zarr

from napari_denoise_ae.cli.main import main
from napari_denoise_ae.io.calibration import imagej_calibration, ome_calibration
from napari_denoise_ae.io.ome_zarr import read_ome_zarr
from napari_denoise_ae.io.source import open_volume
from napari_denoise_ae.io.units import (
    LENGTHS,
    TIMES,
    convert,
    known_unit,
    read_distance,
)

# The enumerations UnitsLength and UnitsTime of OME's schema 2016-06.
PREFIXES = ["Y", "Z", "E", "P", "T", "G", "M", "k", "h", "da", "", "d", "c", "m"]
PREFIXES += ["µ", "n", "p", "f", "a", "z", "y"]
OME_LENGTHS = [f"{prefix}m" for prefix in PREFIXES]
OME_LENGTHS += ["Å", "thou", "li", "in", "ft", "yd", "mi", "ua", "ly", "pc", "pt"]
NO_LENGTHS = ["pixel", "reference frame"]
OME_TIMES = [*(f"{prefix}s" for prefix in PREFIXES), "min", "h", "d"]


def write_ome_tiff(path, **metadata):
    pixels = np.zeros((3, 2, 8, 9), np.uint8)
    tifffile.imwrite(path, pixels, metadata={"axes": "TZYX", **metadata})


def write_ome_zarr(path, unit, time):
    axes = [{"name": "t", "type": "time", "unit": time}]
    axes += [{"name": name, "type": "space", "unit": unit} for name in "zyx"]
    scale = {"type": "scale", "scale": [2.0, 3.0, 0.5, 0.25]}
    dataset = {"path": "0", "coordinateTransformations": [scale]}
    multiscale = {"axes": axes, "datasets": [dataset], "name": "a"}
    content = {"ome": {"version": "0.5", "multiscales": [multiscale]}}
    group = zarr.create_group(path, attributes=content)
    group.create_array("0", shape=(3, 2, 8, 9), dtype="uint8", fill_value=7)
    return path


# --- the table -------------------------------------------------------------


def test_every_unit_is_valid_in_ome_zarr():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for unit in LENGTHS:
            yaozarrs.v05.SpaceAxis(name="x", unit=unit)
        for unit in TIMES:
            yaozarrs.v05.TimeAxis(name="t", unit=unit)


def test_every_symbol_is_valid_in_ome_xml():
    assert {unit.symbol for unit in LENGTHS.values()} <= set(OME_LENGTHS)
    assert {unit.symbol for unit in TIMES.values()} <= set(OME_TIMES)


@pytest.mark.parametrize(
    ("texts", "units"), [(OME_LENGTHS, LENGTHS), (OME_TIMES, TIMES)]
)
def test_every_unit_of_ome_xml_is_read(texts, units):
    for text in texts:
        distance, unit = read_distance(1.0, text)
        assert unit in units
        assert distance > 0


@pytest.mark.parametrize("text", [*NO_LENGTHS, "", "m/s", "None"])
def test_other_text_is_not_a_unit(text):
    assert read_distance(1.0, text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("µm", "micrometer"),
        ("\u03bcm", "micrometer"),
        ("\\u00b5m", "micrometer"),
        ("\\u00B5m", "micrometer"),
        ("um", "micrometer"),
        ("Micron", "micrometer"),
        ("microns", "micrometer"),
        ("micrometres", "micrometer"),
        ("mm", "millimeter"),
        ("Mm", "megameter"),
        ("A", "angstrom"),
        ("\u212b", "angstrom"),
        ("inches", "inch"),
        ("sec", "second"),
        ("msec", "millisecond"),
        ("min", "minute"),
        ("Hours", "hour"),
    ],
)
def test_common_spellings_are_known(text, expected):
    assert known_unit(text) == expected


@pytest.mark.parametrize(
    ("distance", "unit", "target", "expected"),
    [
        (0.3, "micrometer", "micrometer", 0.3),
        (2.5, "millimeter", "micrometer", 2500),
        (1.0, "inch", "millimeter", 25.4),
        (90.0, "minute", "hour", 1.5),
        (1.0, "day", "second", 86400),
    ],
)
def test_distances_are_converted(distance, unit, target, expected):
    assert convert(distance, unit, target) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dam", (20.0, "meter")),
        ("thou", (50.8, "micrometer")),
        ("li", (1 / 6, "inch")),
        ("pt", (1 / 36, "inch")),
        ("das", (20.0, "second")),
    ],
)
def test_a_unit_that_only_ome_xml_has_is_converted(text, expected):
    distance, unit = read_distance(2.0, text)
    assert unit == expected[1]
    assert distance == pytest.approx(expected[0])


# --- round trips -----------------------------------------------------------


@pytest.mark.parametrize("unit", LENGTHS)
@pytest.mark.parametrize("time", ["second", "minute"])
def test_an_ome_tiff_keeps_every_unit(tmp_path, unit, time):
    units = {"T": time, "Z": unit, "Y": unit, "X": unit}
    scale = {"T": 2.0, "Z": 3.0, "Y": 0.5, "X": 0.25}
    write_ome_tiff(tmp_path / "a.ome.tif", **ome_calibration(scale, units))
    volume = open_volume(tmp_path / "a.ome.tif")
    assert (volume.scale, volume.units) == (scale, units)


@pytest.mark.parametrize("time", TIMES)
def test_an_ome_tiff_keeps_every_unit_of_time(tmp_path, time):
    metadata = ome_calibration({"T": 2.0}, {"T": time})
    assert metadata["TimeIncrementUnit"] in OME_TIMES
    write_ome_tiff(tmp_path / "a.ome.tif", **metadata)
    volume = open_volume(tmp_path / "a.ome.tif")
    assert (volume.scale, volume.units) == ({"T": 2.0}, {"T": time})


@pytest.mark.parametrize("unit", [*OME_LENGTHS, *NO_LENGTHS])
def test_units_of_ome_tiff_become_those_of_ome_zarr(tmp_path, unit):
    sizes = {f"PhysicalSize{letter}": 2.0 for letter in "XYZ"}
    given = {f"PhysicalSize{letter}Unit": unit for letter in "XYZ"}
    write_ome_tiff(tmp_path / "a.ome.tif", **sizes, **given)
    volume = open_volume(tmp_path / "a.ome.tif")
    assert bool(volume.scale) == (unit not in NO_LENGTHS)
    assert set(volume.units.values()) <= set(LENGTHS)


def test_ome_defaults_to_micrometers_and_seconds(tmp_path):
    write_ome_tiff(tmp_path / "a.ome.tif", PhysicalSizeX=2.0, TimeIncrement=3.0)
    volume = open_volume(tmp_path / "a.ome.tif")
    assert volume.scale == {"T": 3.0, "X": 2.0}
    assert volume.units == {"T": "second", "X": "micrometer"}


@pytest.mark.parametrize("unit", LENGTHS)
def test_imagej_keeps_every_unit_of_length(tmp_path, unit):
    scale, units = {"Z": 3.0, "Y": 0.5, "X": 0.25}, dict.fromkeys("ZYX", unit)
    pixels = np.zeros((2, 8, 9), np.uint8)
    given = imagej_calibration(scale, units)
    given["metadata"]["axes"] = "ZYX"
    tifffile.imwrite(tmp_path / "a.tif", pixels, imagej=True, **given)
    volume = open_volume(tmp_path / "a.tif")
    assert (volume.scale, volume.units) == (scale, units)


@pytest.mark.parametrize("time", TIMES)
def test_imagej_gets_times_in_seconds(tmp_path, time):
    scale, units = {"T": 2.0, "Y": 0.5, "X": 0.25}, dict.fromkeys("YX", "micrometer")
    pixels = np.zeros((2, 8, 9), np.uint8)
    given = imagej_calibration(scale, {**units, "T": time})
    given["metadata"]["axes"] = "TYX"
    tifffile.imwrite(tmp_path / "a.tif", pixels, imagej=True, **given)
    volume = open_volume(tmp_path / "a.tif")
    assert volume.units["T"] == "second"
    assert volume.scale["T"] == pytest.approx(2 * TIMES[time].size)


def test_imagej_gets_all_lengths_in_one_unit():
    scale = {"Z": 2000.0, "Y": 500.0, "X": 0.25}
    units = {"Z": "nanometer", "Y": "nanometer", "X": "micrometer"}
    given = imagej_calibration(scale, units)
    assert given["metadata"] == {"unit": "micron", "spacing": pytest.approx(2.0)}
    assert given["resolution"] == (4.0, pytest.approx(2.0))


def test_a_length_that_tiff_cannot_store_is_converted_to_micrometers():
    given = imagej_calibration({"Y": 1e-10, "X": 1e-10}, dict.fromkeys("YX", "meter"))
    assert given["metadata"] == {"unit": "micron"}
    assert given["resolution"] == (pytest.approx(1e4), pytest.approx(1e4))


@pytest.mark.parametrize(
    ("size", "unit"),
    [(0.0, "meter"), (-1.0, "meter"), (1.0, "pixel"), (1.0, "second"), (1e-30, "mile")],
)
def test_an_unknown_pixel_size_is_not_written(size, unit):
    scale, units = {"Y": size, "X": size}, {"Y": unit, "X": unit}
    assert imagej_calibration(scale, units) == {}
    assert not ome_calibration(scale, units) or size == 1e-30


def test_imagej_units_may_differ_by_axis(tmp_path):
    metadata = {"axes": "TZYX", "unit": "micron", "yunit": "nm", "zunit": "mm"}
    metadata |= {"tunit": "ms", "spacing": -3.0, "finterval": 40.0}
    pixels = np.zeros((2, 2, 8, 9), np.uint8)
    tifffile.imwrite(
        tmp_path / "a.tif", pixels, imagej=True, resolution=(4, 2), metadata=metadata
    )
    volume = open_volume(tmp_path / "a.tif")
    assert volume.scale == {"T": 40.0, "Z": 3.0, "Y": 0.5, "X": 0.25}
    assert volume.units == {
        "T": "millisecond",
        "Z": "millimeter",
        "Y": "nanometer",
        "X": "micrometer",
    }


# --- end to end ------------------------------------------------------------


@pytest.mark.parametrize("time", ["millisecond", "second", "minute"])
def test_ome_zarr_and_ome_tiff_results_have_the_same_calibration(tmp_path, time):
    source = write_ome_zarr(tmp_path / "in.zarr", "nanometer", time)
    for given, result in (
        (source, tmp_path / "a.ome.tif"),
        (tmp_path / "a.ome.tif", tmp_path / "b.zarr"),
    ):
        options = ["--model", "gray", "--sigma", "0"]
        main(["denoise", str(given), str(result), *options])
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as tiff:
        pixels = tifffile.xml2dict(tiff.ome_metadata)["OME"]["Image"]["Pixels"]
    assert pixels["TimeIncrementUnit"] == TIMES[time].symbol
    assert pixels["PhysicalSizeXUnit"] == "nm"
    first, last = read_ome_zarr(source)[1], read_ome_zarr(tmp_path / "b.zarr")[1]
    assert (first.scale, first.units) == (last.scale, last.units)


def test_other_names_of_units_become_those_of_ome_zarr(tmp_path):
    path = write_ome_zarr(tmp_path / "a.zarr", "um", "ms")
    units = read_ome_zarr(path)[1].units
    assert set(units.values()) == {"micrometer", "millisecond"}


def test_a_custom_unit_is_kept_in_an_ome_zarr(tmp_path):
    path = write_ome_zarr(tmp_path / "a.zarr", "furlong", "second")
    volume = open_volume(path)
    assert volume.units["X"] == "furlong"
    assert "PhysicalSizeX" not in ome_calibration(volume.scale, volume.units)
