"""Metadata survive on the sixteen ways between TIFF, ImageJ's TIFF, OME-TIFF, OME-Zarr.

Strength 0 keeps the pixels. ImageJ's format holds no int32, so that an image of int32
becomes a plain TIFF.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
import yaozarrs
from stored_stacks import write_zarr

from napari_denoise_ae.denoising.options import DenoiseOptions
from napari_denoise_ae.files.job import FileJob
from napari_denoise_ae.files.route import FileDenoising
from napari_denoise_ae.files.steps import FileRemark
from napari_denoise_ae.io.source import open_volume
from napari_denoise_ae.io.units import convert

if TYPE_CHECKING:
    from pathlib import Path

    from napari_denoise_ae.io.source import Volume

AXES = "TZCYX"
STACK = np.random.default_rng(0).integers(0, 4096, (2, 3, 2, 20, 24))
NAMES, COLORS, WINDOWS = ["DAPI", "GFP"], ["0000FF", "00FF00"], [(0, 99), (5, 4000)]
LABELS = [f"plane {number}" for number in range(12)]

SIZE = {"X": 0.5, "Y": 0.25}
DEPTH, STEP = {"Z": 2.0}, {"T": 3.0}
EVERYTHING = {
    "size": SIZE,
    "depth": DEPTH,
    "step": STEP,
    "names": NAMES,
    "colors": COLORS,
    "windows": WINDOWS,
    "labels": LABELS,
}
HOLDS = {
    "plain": {"size"},
    # Labels take the place of names, which ImageJ lacks.
    "imagej": {"size", "depth", "step", "names", "colors", "windows", "labels"},
    "ome-tiff": {"size", "depth", "step", "names", "colors"},
    "ome-zarr": {"size", "depth", "step", "names", "colors", "windows"},
}
FILES = {
    "plain": "tif",
    "imagej": "tif",
    "ome-tiff": "ome.tif",
    "ome-zarr": "ome.zarr",
}
WORDS = {
    "depth": "Z spacing",
    "step": "time step",
    "names": "channel names",
    "colors": "colors",
    "windows": "display range",
    "labels": "labels of planes",
}


def write(
    kind: str, path: Path, stack: np.ndarray, *, mode: str = "composite"
) -> set[str]:
    """Write a stack as another program would; return what the file holds.

    The mode is how ImageJ shows channels.
    """
    if kind == "plain":
        # 0.5 and 0.25 micrometers.
        tifffile.imwrite(
            path,
            stack,
            photometric="minisblack",
            resolution=(20000, 40000),
            resolutionunit="CENTIMETER",
            metadata={"axes": AXES},
        )
        return HOLDS[kind]
    if kind == "imagej":
        ramp = np.arange(256, dtype=np.uint8)
        tables = [np.stack([0 * ramp] * 3), np.stack([0 * ramp] * 3)]
        tables[0][2], tables[1][1] = ramp, ramp
        tifffile.imwrite(
            path,
            stack,
            imagej=True,
            resolution=(2.0, 4.0),
            metadata={
                "axes": AXES,
                "unit": "um",
                "spacing": 2.0,
                "finterval": 3.0,
                "mode": mode,
                "LUTs": tables,
                "Ranges": tuple(np.ravel(WINDOWS).astype(float)),
                "Labels": LABELS,
            },
        )
        return HOLDS[kind] - {"names"}
    if kind == "ome-tiff":
        metadata = {
            "axes": AXES,
            "PhysicalSizeX": 0.5,
            "PhysicalSizeY": 0.25,
            "PhysicalSizeZ": 2.0,
            "TimeIncrement": 3.0,
            "Channel": {"Name": NAMES, "Color": [65535, 16711935]},
        }
        tifffile.imwrite(path, stack, metadata=metadata)
        return HOLDS[kind]
    windows = [{"start": a, "min": a, "end": b, "max": b} for a, b in WINDOWS]
    channels = [
        {"label": name, "color": color, "window": window}
        for name, color, window in zip(NAMES, COLORS, windows, strict=True)
    ]
    axes = "TCZYX"
    write_zarr(path, stack.swapaxes(1, 2), axes, omero={"channels": channels})
    return HOLDS[kind]


def read(volume: Volume) -> dict[str, object]:
    """Return the metadata of an image, in micrometers and seconds."""
    known = {
        letter: convert(
            volume.scale[letter], unit, "second" if letter == "T" else "micrometer"
        )
        for letter, unit in volume.units.items()
    }
    channels = volume.channels
    return {
        "size": {letter: known.get(letter) for letter in "XY"},
        "depth": {"Z": known.get("Z")},
        "step": {"T": known.get("T")},
        "names": [channel.name for channel in channels],
        "colors": [channel.color for channel in channels],
        "windows": [channel.window for channel in channels],
        "labels": list(volume.labels),
    }


def expected(source: str, held: set[str], target: str) -> dict[str, object]:
    known = {key: EVERYTHING[key] for key in held & HOLDS[target]}
    if source == "ome-zarr":
        # `stored_stacks.write_zarr` writes these, and no unit of time.
        known.pop("step", None)
        known["size"] = {"X": 0.5, "Y": 0.5}
    return known


@pytest.mark.parametrize("target", HOLDS)
@pytest.mark.parametrize("source", HOLDS)
def test_metadata_survive(source, target, tmp_path):
    # An image of ImageJ has no type that ImageJ lacks.
    plain = target == "plain" and source != "imagej"
    stack = STACK.astype(np.int32 if plain else np.uint16)
    given, written = tmp_path / f"in.{FILES[source]}", tmp_path / f"out.{FILES[target]}"
    held = write(source, given, stack)
    run = FileDenoising(
        FileJob(
            input=given,
            output=written,
            model="auto",
            options=DenoiseOptions(strength=0.0),
        )
    )
    said = " ".join(step.text for step in run if isinstance(step, FileRemark))
    if (source, target) == ("imagej", "plain"):
        target = "imagej"
    volume = open_volume(written)
    found = read(volume)
    for key, value in expected(source, held, target).items():
        if isinstance(value, dict):
            assert found[key] == pytest.approx(value), key
        else:
            assert found[key] == value, key
    for key, word in WORDS.items():
        is_held = key in held and not (source == "ome-zarr" and key == "step")
        assert (word in said) == (is_held and key not in HOLDS[target]), key
    order = [volume.axes.index(letter) for letter in AXES]
    np.testing.assert_array_equal(volume.array[...].transpose(order), stack)


def test_names_colors_and_labels_of_a_selection(tmp_path):
    write("imagej", tmp_path / "in.tif", STACK.astype(np.uint16))
    part = {"C": (1, 2), "Z": (1, 3)}
    for name in ("out.tif", "out.zarr"):
        job = FileJob(
            input=tmp_path / "in.tif",
            output=tmp_path / name,
            model="auto",
            options=DenoiseOptions(strength=0.0),
            select=part,
        )
        list(FileDenoising(job))
        found = read(open_volume(tmp_path / name))
        assert (found["colors"], found["windows"]) == (["00FF00"], [(5, 4000)])
    labels = read(open_volume(tmp_path / "out.tif"))["labels"]
    assert labels == [LABELS[n] for n in (3, 5, 9, 11)]


@pytest.mark.parametrize("mode", ["composite", "color"])
def test_imagej_metadata_are_read_back_equal(mode, tmp_path):
    write("imagej", tmp_path / "in.tif", STACK.astype(np.uint16), mode=mode)
    job = FileJob(
        input=tmp_path / "in.tif",
        output=tmp_path / "out.tif",
        model="auto",
        options=DenoiseOptions(strength=0.0),
    )
    list(FileDenoising(job))
    found = []
    for name in ("in.tif", "out.tif"):
        with tifffile.TiffFile(tmp_path / name) as tiff:
            known = dict(tiff.imagej_metadata)
            found.append(known | {"resolution": tiff.pages[0].resolution})
    assert "denoised with gray" in found[1].pop("Info")
    tables = [known.pop("LUTs") for known in found]
    np.testing.assert_array_equal(*tables)
    assert found[0] == found[1]


@pytest.mark.parametrize("source", ["imagej", "ome-tiff"])
def test_an_ome_zarr_with_channels_is_valid(source, tmp_path):
    write(source, tmp_path / f"in.{FILES[source]}", STACK.astype(np.uint16))
    job = FileJob(
        input=tmp_path / f"in.{FILES[source]}",
        output=tmp_path / "out.zarr",
        model="auto",
        options=DenoiseOptions(strength=0.0),
    )
    list(FileDenoising(job))
    yaozarrs.validate_zarr_store(str(tmp_path / "out.zarr"))
    windows = [
        channel.window for channel in open_volume(tmp_path / "out.zarr").channels
    ]
    if source == "ome-tiff":
        middle = STACK[1, 1]
        assert windows == [(plane.min(), plane.max()) for plane in middle]
