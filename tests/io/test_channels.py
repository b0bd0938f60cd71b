"""Channels in the words of each format; files/test_sixteen_ways tests whole files."""

from __future__ import annotations

import numpy as np
import pytest

from napari_denoise_ae.io.channels import (
    Channel,
    as_imagej,
    as_ome,
    as_omero,
    from_color_map,
    is_ramp_of_one_color,
    read_imagej,
    read_ome,
    read_omero,
)

CHANNELS = [
    Channel(name="a", color="FF8000", window=(1.0, 5.0)),
    Channel(name="b", color="00FF00", window=(2.0, 9.0)),
]


def known(channels) -> list[tuple[object, ...]]:
    return [(each.name, each.color, each.window, each.inverted) for each in channels]


def test_channels_are_read_back_from_ome_xml():
    found = as_ome(CHANNELS)["Channel"]
    each = [
        {"Name": name, "Color": color}
        for name, color in zip(found["Name"], found["Color"], strict=True)
    ]
    expected = [("a", "FF8000", None, False), ("b", "00FF00", None, False)]
    assert known(read_ome({"Channel": each})) == expected
    assert known(read_ome({"Channel": each[0]})) == expected[:1]
    assert known(read_ome({})) == []


def test_channels_are_read_back_from_imagej():
    found = as_imagej(CHANNELS, ["a", "b", "a", "b"])
    channels, labels = read_imagej({**found, "channels": 2})
    assert known(channels) == known(CHANNELS)
    assert labels == ()


def test_labels_of_planes_are_no_names():
    channels, labels = read_imagej({"channels": 2, "Labels": ["a", "b", "a", "c"]})
    assert [channel.name for channel in channels] == ["", ""]
    assert labels == ("a", "b", "a", "c")


def test_one_channel_of_imagej_has_its_range_in_the_description():
    found = as_imagej([Channel(window=(3.0, 7.0))], [])
    assert found == {"min": 3.0, "max": 7.0}
    channels, _ = read_imagej(found)
    assert known(channels) == [("", "", (3.0, 7.0), False)]


def test_channels_are_read_back_from_an_ome_zarr():
    omero = as_omero(CHANNELS, [(0.0, 1.0)] * 2)
    assert known(read_omero(omero)) == known(CHANNELS)
    unknown = as_omero([Channel()], [(4.0, 6.0)])["channels"][0]
    assert (unknown["color"], unknown["window"]["end"]) == ("FFFFFF", 6.0)


def test_nothing_is_written_of_unknown_channels():
    assert as_ome([Channel()] * 2) == {}
    assert as_imagej([Channel()] * 2, []) == {}


@pytest.mark.parametrize("n_colors", [256, 65536])
@pytest.mark.parametrize("inverted", [False, True])
def test_a_color_map_of_a_tiff_is_a_channel(n_colors, inverted):
    ramp = np.linspace(0, 65535, n_colors).astype(np.uint16)
    ramp = ramp[::-1] if inverted else ramp
    channel = from_color_map(np.stack([ramp, 0 * ramp, ramp]))
    assert (channel.color, channel.inverted) == ("FF00FF", inverted)
    assert is_ramp_of_one_color(channel)
    other = from_color_map(np.stack([ramp, ramp[::-1], ramp]))
    assert not is_ramp_of_one_color(other)
