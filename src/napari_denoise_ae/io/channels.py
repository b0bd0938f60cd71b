"""Names, colors and displayed intensities of channels, in the words of each format."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_WHITE = "FFFFFF"
_COLOR = re.compile("[0-9A-Fa-f]{6}")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Channel:
    """How a channel is named and displayed.

    Parameters
    ----------
    name : str
        Its name; empty if unknown.
    color : str
        Color of the highest displayed intensity as RRGGBB; empty if unknown.
    window : tuple of float, optional
        Lowest and highest displayed intensity.
    inverted : bool
        Whether the lowest intensity has the color, and the highest is black.
    color_map : numpy.ndarray, optional
        (3, 256) of uint8: ImageJ's lookup table.
    """

    name: str = ""
    color: str = ""
    window: tuple[float, float] | None = None
    inverted: bool = False
    color_map: NDArray[np.uint8] | None = None


# --- OME-XML ---------------------------------------------------------------


def read_ome(pixels: Mapping[str, Any]) -> tuple[Channel, ...]:
    """Return the channels of an element ``Pixels`` of OME-XML."""
    found = pixels.get("Channel", [])
    return tuple(
        Channel(name=str(each.get("Name", "")), color=_from_number(each.get("Color")))
        for each in (found if isinstance(found, list) else [found])
    )


def as_ome(channels: Sequence[Channel]) -> dict[str, Any]:
    """Return channels as `metadata` of `tifffile.imwrite` for an OME-TIFF."""
    known: dict[str, Any] = {}
    if any(channel.name for channel in channels):
        known["Name"] = [channel.name for channel in channels]
    if any(channel.color for channel in channels):
        known["Color"] = [_to_number(channel.color or _WHITE) for channel in channels]
    return {"Channel": known} if known else {}


def _from_number(color: Any) -> str:
    """Return RRGGBB of OME-XML's signed integer of red, green, blue and alpha."""
    return "" if color is None else f"{(int(color) & 0xFFFFFFFF) >> 8:06X}"


def _valid_color(text: str) -> str:
    """Return a color as RRGGBB; empty if it is none."""
    return text.upper() if _COLOR.fullmatch(text) else ""


def _to_number(color: str) -> int:
    unsigned = (int(color, 16) << 8) + 255
    return unsigned - 2**32 if unsigned >= 2**31 else unsigned


# --- ImageJ ----------------------------------------------------------------


def read_imagej(
    metadata: Mapping[str, Any],
) -> tuple[tuple[Channel, ...], tuple[str, ...]]:
    """Return the channels and the labels of the planes in ImageJ's metadata.

    ImageJ has no names of channels. Labels that depend on the channel only are names.
    """
    n_channels = int(metadata.get("channels", 1))
    labels = metadata.get("Labels", ())
    labels = (labels,) if isinstance(labels, str) else tuple(labels)
    names = labels[:n_channels]
    are_names = len(names) == n_channels and all(
        label == names[number % n_channels] for number, label in enumerate(labels)
    )
    ranges = list(metadata.get("Ranges", ()))
    if not ranges and {"min", "max"} <= set(metadata):
        ranges = [float(metadata["min"]), float(metadata["max"])] * n_channels
    # tifffile makes no list of a single one.
    maps = list(np.reshape(metadata.get("LUTs", ()), (-1, 3, 256)))
    channels = tuple(
        Channel(
            name=names[number] if are_names else "",
            window=_pair(ranges, number),
            **_from_map(maps[number] if number < len(maps) else None),
        )
        for number in range(n_channels)
    )
    return channels, () if are_names else labels


def as_imagej(channels: Sequence[Channel], labels: Sequence[str]) -> dict[str, Any]:
    """Return channels and labels as `metadata` of `tifffile.imwrite` for ImageJ.

    Parameters
    ----------
    channels : sequence of Channel
        The channels.
    labels : sequence of str
        The labels of all planes, or names of the channels, once for each plane.
    """
    known: dict[str, Any] = {}
    if any(labels):
        known["Labels"] = list(labels)
    if any(channel.window for channel in channels):
        windows = [channel.window or (0.0, 0.0) for channel in channels]
        if len(windows) == 1:
            known |= {"min": windows[0][0], "max": windows[0][1]}
        else:
            known["Ranges"] = tuple(value for window in windows for value in window)
    if any(is_colored(channel) for channel in channels):
        known["LUTs"] = [_to_map(channel) for channel in channels]
        known["mode"] = "composite" if len(channels) > 1 else "color"
    return known


def _pair(values: Sequence[float], number: int) -> tuple[float, float] | None:
    low_high = values[2 * number : 2 * number + 2]
    if len(low_high) < 2 or low_high[0] == low_high[1]:
        return None
    return float(low_high[0]), float(low_high[1])


def is_colored(channel: Channel) -> bool:
    """Return whether a channel is displayed in colors, or inverted."""
    is_white = channel.color in ("", _WHITE)
    return channel.color_map is not None or channel.inverted or not is_white


def from_color_map(color_map: NDArray[np.uint16]) -> Channel:
    """Return the channel of a gray image with a color map of 16 bits, as in TIFF."""
    every = np.linspace(0, color_map.shape[1] - 1, 256).astype(int)
    return Channel(**_from_map(color_map[:, every] >> 8))


def is_ramp_of_one_color(channel: Channel) -> bool:
    """Return whether the color says all of a lookup table."""
    if channel.color_map is None:
        return True
    ramp = _to_map(replace(channel, color_map=None)).astype(int)
    return bool(np.abs(ramp - channel.color_map).max() <= 2)


def _from_map(color_map: NDArray[Any] | None) -> dict[str, Any]:
    """Return the color of a lookup table, and the table."""
    if color_map is None:
        return {}
    table = np.asarray(color_map, np.uint8)
    inverted = int(table[:, 0].sum()) > int(table[:, -1].sum())
    color = bytes(table[:, 0 if inverted else -1]).hex().upper()
    return {"color": color, "inverted": inverted, "color_map": table}


def _to_map(channel: Channel) -> NDArray[np.uint8]:
    if channel.color_map is not None:
        return channel.color_map
    ramp = np.arange(256)[::-1] if channel.inverted else np.arange(256)
    brightest = np.frombuffer(bytes.fromhex(channel.color or _WHITE), np.uint8)
    table: NDArray[np.uint8] = (brightest[:, np.newaxis] * ramp // 255).astype(np.uint8)
    return table


# --- OME-Zarr --------------------------------------------------------------


def read_omero(omero: Mapping[str, Any]) -> tuple[Channel, ...]:
    """Return the channels in the display settings of an OME-Zarr image."""
    return tuple(_from_omero(each) for each in omero.get("channels") or [])


def as_omero(
    channels: Sequence[Channel], windows: Sequence[tuple[float, float]]
) -> dict[str, Any]:
    """Return channels as display settings of an OME-Zarr image.

    Parameters
    ----------
    channels : sequence of Channel
        The channels.
    windows : sequence of tuple
        Displayed intensities of channels that have none; OME-Zarr requires them.
    """
    described = []
    for channel, measured in zip(channels, windows, strict=True):
        low, high = channel.window or measured
        window = {"start": low, "min": low, "end": high, "max": high}
        color = channel.color or _WHITE
        # Without a label, viewers number the channels.
        label = {"label": channel.name} if channel.name else {}
        shown = {"color": color, "window": window, "active": True}
        described.append(label | shown | {"inverted": channel.inverted})
    return {"channels": described}


def _from_omero(entry: Mapping[str, Any]) -> Channel:
    window = entry.get("window")
    known = None
    if isinstance(window, dict) and {"start", "end"} <= set(window):
        known = float(window["start"]), float(window["end"])
    return Channel(
        name=str(entry.get("label") or ""),
        color=_valid_color(str(entry.get("color") or "")),
        window=known,
        inverted=bool(entry.get("inverted")),
    )


# --- TIFF ------------------------------------------------------------------


def tiff_channels(
    tiff: tifffile.TiffFile, number: int
) -> tuple[tuple[Channel, ...], tuple[str, ...]]:
    """Return the channels of a series of a TIFF, and the labels of its planes."""
    if tiff.ome_metadata is not None:
        images = tifffile.xml2dict(tiff.ome_metadata).get("OME", {}).get("Image", {})
        images = images if isinstance(images, list) else [images]
        image = images[min(number, len(images) - 1)]
        return read_ome(image.get("Pixels", {})), ()
    if tiff.imagej_metadata is not None:
        return read_imagej(tiff.imagej_metadata)
    return (), ()
