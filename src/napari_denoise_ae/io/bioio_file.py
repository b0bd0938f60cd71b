"""Open microscopes' own formats through bioio, an optional package."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError, MissingDependencyError, one_line
from ..image.axes import axes_of_names
from .channels import Channel
from .compression import OTHER
from .limits import claimed_bytes, require_plausible_size
from .stored import StoredImage, require_file

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

    from dask.array import Array
    from numpy.typing import NDArray

_EXTRA = "pip install 'napari-denoise-ae[bioio]'"
_EXTRA_AND = f"Install it with: {_EXTRA}"
_BIO_FORMATS = (
    "bioio_bioformats",
    f"{_EXTRA_AND} bioio-bioformats. It runs Bio-Formats, which needs Java and has the "
    "license GPL 2",
)
#: For each suffix, lower case: bioio's plug-in, and what a user is told without it. The
#: extra installs only readers with permissive licenses.
PLUGINS = {
    ".lif": ("bioio_lif", _EXTRA_AND),
    ".nd2": ("bioio_nd2", _EXTRA_AND),
    ".czi": (
        "bioio_czi",
        f"{_EXTRA_AND} bioio-czi. Its license is the GPL 3, which binds those who "
        "distribute it",
    ),
    **dict.fromkeys((".dv", ".r3d"), ("bioio_dv", f"{_EXTRA_AND} bioio-dv")),
    ".sldy": ("bioio_sldy", f"{_EXTRA_AND} bioio-sldy"),
    # Only the formats of light microscopes, among the many of Bio-Formats.
    **dict.fromkeys(
        (".ics", ".ims", ".lof", ".mvd2", ".oib", ".oif", ".oir", ".sld"), _BIO_FORMATS
    ),
    **dict.fromkeys((".vsi", ".xlef", ".zvi"), _BIO_FORMATS),
}
# Other formats may keep their pixels in files beside the one that is opened.
_IN_ONE_FILE = {".czi", ".dv", ".lif", ".nd2", ".r3d"}
_MOST_LISTED = 8
# Number of characters of a plug-in's error that are shown.
_LONGEST_REASON = 200


def open_bioio(path: Path, series: int | None = None) -> StoredImage:
    """Open a scene of a file.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    series : int, optional
        Number of the scene, from 0. None means the largest.

    Raises
    ------
    InvalidInputError
        If the file cannot be read, or has no such scene.
    MissingDependencyError
        If bioio or its plug-in for the format is not installed.
    """
    require_file(path)
    open_image, reader = _require_bioio(path)
    try:
        image = open_image(path, reader=reader)
        note = _choose_scene(image, path, series)
        pixels = image.xarray_dask_data
        if path.suffix.lower() in _IN_ONE_FILE:
            claimed = claimed_bytes(pixels.shape, np.dtype(pixels.data.dtype))
            require_plausible_size(path, claimed, [path.stat().st_size])
        return _stored(image, pixels, path, note)
    except InvalidInputError:
        raise
    # Each plug-in has errors of its own.
    except Exception as error:
        raise _unreadable(path, error) from error


@dataclass(frozen=True, slots=True, eq=False)
class _LazyPixels:
    """A dask array, computed in this thread on indexing."""

    array: Array
    path: Path

    @property
    def shape(self) -> tuple[int, ...]:
        """Axis lengths."""
        return tuple(self.array.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the pixels."""
        dtype: np.dtype[Any] = np.dtype(self.array.dtype)
        return dtype

    def __getitem__(self, index: Any) -> NDArray[Any]:
        try:
            return np.asarray(self.array[index].compute(scheduler="synchronous"))
        except Exception as error:
            raise _unreadable(self.path, error) from error


def _unreadable(path: Path, error: Exception) -> InvalidInputError:
    """Return the error for a file that a plug-in rejects."""
    plugin = _package_of(path)
    reason = one_line(error, _LONGEST_REASON).rstrip(".") or type(error).__name__
    return InvalidInputError(
        f"Cannot read {path} with {plugin}: {reason}. The file is damaged, or "
        f"{plugin} does not read images of this kind."
    )


def _package_of(path: Path) -> str:
    """Return the name of the package that reads files of this suffix."""
    return PLUGINS[path.suffix.lower()][0].replace("_", "-")


def _require_bioio(path: Path) -> tuple[Any, Any]:
    """Return bioio's class of images and its reader for files of this name."""
    plugin, advice = PLUGINS[path.suffix.lower()]
    try:
        return import_module("bioio").BioImage, import_module(plugin).Reader
    except ImportError as error:
        raise MissingDependencyError(
            f"Cannot read {path}: {path.suffix[1:].upper()} needs bioio and the "
            f"package {_package_of(path)}. {advice}."
        ) from error


def _choose_scene(image: Any, path: Path, series: int | None) -> str:
    """Set the scene to read; return a note on the choice, if there was one."""
    scenes = tuple(image.scenes)
    shapes = []
    for number in range(len(scenes)):
        image.set_scene(number)
        shapes.append(tuple(image.shape))
    listed = ", ".join(
        f"{number} ({name}, {' x '.join(map(str, shape))})"
        for number, (name, shape) in enumerate(zip(scenes, shapes, strict=True))
        if number < _MOST_LISTED
    )
    more = " and more" if len(scenes) > _MOST_LISTED else ""
    held = f"{len(scenes)} scenes: {listed}{more}"
    if series is not None and not 0 <= series < len(scenes):
        raise InvalidInputError(f"{path} has no series {series}: it holds {held}.")
    largest = max(range(len(scenes)), key=lambda number: math.prod(shapes[number]))
    image.set_scene(largest if series is None else series)
    if series is not None or len(scenes) == 1:
        return ""
    return (
        f"The file holds {held}. Only scene {largest}, the largest, is read; choose "
        "another one with --series."
    )


def _stored(image: Any, pixels: Any, path: Path, note: str) -> StoredImage:
    """Return the chosen scene, without axes of length 1 but Y and X."""
    axes = axes_of_names(pixels.dims)
    if axes is None:
        raise ValueError(f"its axes are {', '.join(map(str, pixels.dims))}")
    kept = [
        number
        for number, (letter, length) in enumerate(zip(axes, pixels.shape, strict=True))
        if letter in "YXS" or length > 1
    ]
    index = tuple(slice(None) if n in kept else 0 for n in range(len(axes)))
    array = pixels.data[index]
    names = [str(name) for name in image.channel_names or ()]
    scale, units = _spacing(image)
    return StoredImage(
        array=_LazyPixels(array, path),
        axes="".join(axes[number] for number in kept),
        chunks=tuple(max(sides) for sides in array.chunks),
        scale=scale,
        units=units,
        channels=tuple(Channel(name=name) for name in names) if "S" not in axes else (),
        compression=OTHER,
        notes=(note,) if note else (),
    )


def _spacing(image: Any) -> tuple[dict[str, float], dict[str, str]]:
    """Return the pixel sizes, in micrometers, and the time step, in seconds."""
    sizes = image.physical_pixel_sizes
    found = {letter: getattr(sizes, letter, None) for letter in "ZYX"}
    step: timedelta | None = image.time_interval
    found["T"] = None if step is None else step.total_seconds()
    scale = {letter: float(size) for letter, size in found.items() if size}
    units = {letter: "second" if letter == "T" else "micrometer" for letter in scale}
    return scale, units
