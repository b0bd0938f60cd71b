"""Writer of image layers as OME-Zarr, chunk by chunk."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QProgressDialog

from ...errors import InvalidInputError, OutputError
from ...io.ome_metadata import ORDER, OmeMetadata
from ...io.zarr_target import ZarrTarget
from ..shared.responsive import call_responsive, is_gui_thread
from .guess_axes import find_axes
from .outputs import METADATA_KEY
from .parts import PART

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    Chunk = tuple[int, tuple[int, ...], NDArray[Any]]

# Time before a dialog appears, in milliseconds.
_MINIMUM_DURATION = 300
_COLORS = (("red", "FF0000"), ("green", "00FF00"), ("blue", "0000FF"))


def write_ome_zarr(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write an image layer as OME-Zarr 0.5.

    Lazy layers are computed and written one chunk after another, so they may be
    larger than memory. A dialog shows the progress. The levels of a pyramid are kept
    if each has half the rows and columns of the one before. Rotation and shear are not
    stored.

    Parameters
    ----------
    path : str
        The folder to write.
    data : array, or sequence of arrays
        The pixels; for a multiscale layer, its levels.
    attributes : dict
        The attributes of the layer.

    Returns
    -------
    list of str
        The folder; empty if the user has canceled, and nothing was left.

    Raises
    ------
    OutputError
        If the folder exists or cannot be written.
    InvalidInputError
        If the axes of the layer cannot be stored.
    """
    folder = Path(path)
    if folder.exists():
        raise OutputError(f"Cannot write {folder}: it exists. Choose another name.")
    levels = _halved(list(data)) if attributes.get("multiscale") else [data]
    letters = _letters(attributes, levels[0].shape)
    axes = "".join(letter for letter in ORDER if letter in letters)
    # The position in the layer of each axis of the file.
    order = [letters.index(letter) for letter in axes]
    shapes = tuple(tuple(level.shape[axis] for axis in order) for level in levels)
    target = ZarrTarget(
        path=folder,
        shapes=shapes,
        chunks=tuple(
            min(PART, length) if letter in "YX" else 1
            for letter, length in zip(axes, shapes[0], strict=True)
        ),
        dtype=str(levels[0].dtype),
        metadata=_metadata(attributes, letters, axes, shapes[0]),
        settings={"layer": str(attributes["name"])},
        description="written by napari-denoise-ae",
    )
    try:
        target.begin({}, overwrite=False)
        is_complete = _write(target, _chunks(target, levels, order))
        if is_complete:
            target.finish()
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if not is_complete:
        shutil.rmtree(folder, ignore_errors=True)
    return [path] if is_complete else []


def _write(target: ZarrTarget, chunks: Iterator[Chunk]) -> bool:
    """Write all chunks in a thread; return False if the user has canceled it."""
    done, is_canceled = 0, False

    def write() -> None:
        nonlocal done
        for level, number, pixels in chunks:
            if is_canceled:
                return
            target.write(level, number, pixels)
            done += 1

    if not is_gui_thread():
        write()
        return True
    dialog = QProgressDialog(
        f"Writing {target.path.name}",
        "Cancel",
        0,
        target.total,
        QApplication.activeWindow(),
    )
    dialog.setMinimumDuration(_MINIMUM_DURATION)
    dialog.setAutoReset(False)
    # The window is redrawn meanwhile, but only the dialog takes input.
    dialog.setWindowModality(Qt.WindowModality.ApplicationModal)

    def watch() -> None:
        nonlocal is_canceled
        is_canceled = dialog.wasCanceled()
        if not is_canceled:
            dialog.setValue(done)

    call_responsive(write, watch=watch, takes_input=True)
    dialog.close()
    dialog.deleteLater()
    return done == target.total


def _chunks(
    target: ZarrTarget, levels: Sequence[Any], order: Sequence[int]
) -> Iterator[Chunk]:
    """Yield the level, the number and the pixels of each chunk."""
    for level, array in enumerate(levels):
        for chunk in target.numbers(level):
            index = [slice(None)] * len(order)
            for axis, number, side in zip(order, chunk, target.chunks, strict=True):
                index[axis] = slice(number * side, (number + 1) * side)
            yield level, chunk, np.asarray(array[tuple(index)]).transpose(order)


def _letters(attributes: Mapping[str, Any], shape: Sequence[int]) -> str:
    """Return the axes of a layer as OME-Zarr names them: colors are channels."""
    # A result has the axes with which it was denoised.
    known = attributes["metadata"].get(METADATA_KEY, {}).get("axes", "")
    axes = (
        known
        if len(known) == len(shape)
        else find_axes(
            attributes["axis_labels"],
            attributes["name"],
            rgb=bool(attributes.get("rgb")),
            shape=shape,
            units=attributes["units"],
            metadata=attributes["metadata"],
        ).letters
    )
    letters = axes.replace("S", "C")
    if len(set(letters)) < len(letters):
        raise InvalidInputError(
            f"The layer {attributes['name']!r} has channels and colors. OME-Zarr can "
            "store one of them: split the channels."
        )
    return letters


def _halved(levels: Sequence[Any]) -> list[Any]:
    """Return the first levels, up to one that is not half as large as the last."""
    full = np.asarray(levels[0].shape)
    kept = [levels[0]]
    for level in levels[1:]:
        factors = np.round(full / level.shape)
        is_halved = set(factors.tolist()) <= {1.0, 2.0 ** len(kept)}
        if not is_halved or factors.max() == 1:
            break
        kept.append(level)
    return kept


def _metadata(
    attributes: Mapping[str, Any], letters: str, axes: str, shape: Sequence[int]
) -> OmeMetadata:
    # Colors have neither scale nor unit.
    known = letters[:-1] if attributes.get("rgb") else letters
    units = {
        letter: str(unit)
        for letter, unit in zip(known, attributes["units"], strict=True)
        if str(unit) != "pixel"
    }
    return OmeMetadata(
        axes=axes,
        scale=dict(zip(known, map(float, attributes["scale"]), strict=True)),
        origin=dict(zip(known, map(float, attributes["translate"]), strict=True)),
        units=units,
        omero=_display(attributes, shape[axes.index("C")] if "C" in axes else 1),
    )


def _display(attributes: Mapping[str, Any], n_channels: int) -> dict[str, Any]:
    """Return names, colors and contrast limits of the channels."""
    name = str(attributes["name"])
    if attributes.get("rgb"):
        named, limits = _COLORS[:n_channels], (0.0, 255.0)
    else:
        numbers = range(n_channels)
        labels = (
            [f"{name} {number}" for number in numbers] if n_channels > 1 else [name]
        )
        named = tuple((label, "FFFFFF") for label in labels)
        limits = tuple(attributes["contrast_limits"])
    low, high = map(float, limits)
    window = {"start": low, "end": high, "min": low, "max": high}
    channels = [
        {"label": label, "color": color, "window": window, "active": True}
        for label, color in named
    ]
    return {"channels": channels} if len(channels) == n_channels else {}
