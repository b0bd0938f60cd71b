"""Identify images by checksums, and notice when their files change."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import DatasetError
from ...io.location import file_of, is_remote
from .collection import counted
from .image import facts_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...image.tiling import Region
    from .collection import ImageCollection
    from .image import TrainingImage

_N_WINDOWS = 16
_WINDOW = 64
# Entries of a folder that are looked at before every epoch: within 20 ms.
_MOST_FOLDERS, _MOST_FILES = 2000, 500
# Fractions of the R2 sequence, which covers a plane evenly.
_STEP_Y, _STEP_X = 0.7548776662466927, 0.5698402909980532


def checksum(image: TrainingImage) -> str:
    """Return a checksum of an image that is cheap even if the image is large.

    Parameters
    ----------
    image : TrainingImage
        The image.

    Returns
    -------
    str
        SHA-256 of its shape, dtype, axes and the pixels of at most 16 windows of
        64 x 64 pixels at fixed positions, as hexadecimal digits. Padding does not
        change it, and byte order does not either.

    Raises
    ------
    DatasetError
        If the file is missing or damaged.
    """
    if image.sha256:
        return image.sha256
    planes = image.planes
    digest = hashlib.sha256(
        f"{planes.axes} {planes.shape} {planes.dtype.name}".encode()
    )
    for plane, region in _windows(image):
        pixels = image.read_stored(plane, region)
        little = pixels.astype(pixels.dtype.newbyteorder("<"), copy=False)
        digest.update(little.tobytes())
    return digest.hexdigest()


def describe(images: ImageCollection) -> tuple[str, str, tuple[str, ...]]:
    """Describe the images of a training run for its record.

    Parameters
    ----------
    images : ImageCollection
        The images.

    Returns
    -------
    name : str
        The name of the collection and its number of images.
    sha256 : str
        SHA-256 of the names and the checksums of all images.
    facts : tuple of str
        For each image its name, shape, axes, dtype and checksum.
    """
    facts = tuple(_facts(image) for image in images.images)
    number = counted(len(images), "image")
    digest = hashlib.sha256("\n".join(facts).encode())
    name = images.name if images.name == number else f"{images.name} ({number})"
    return name, digest.hexdigest(), facts


class ChangeWatch:
    """Notices when a file changes while it is trained on.

    In a folder of many files, such as a Zarr, all folders in it and an even sample of
    its files are watched. Zarr replaces chunks by new files, which changes the time of
    their folder, so a single changed chunk is noticed, too.

    Parameters
    ----------
    images : ImageCollection
        The images. Arrays are not watched.
    """

    def __init__(self, images: ImageCollection) -> None:
        paths = {image.path for image in images.images if image.path is not None}
        self._signatures = {
            each: (path, _signature(each)) for path in paths for each in _watched(path)
        }

    def check(self) -> None:
        """Compare sizes and times of modification with those at the start.

        Raises
        ------
        DatasetError
            If a file has changed or is missing. The message names it.
        """
        for each, (path, before) in self._signatures.items():
            if _signature(each) != before:
                raise DatasetError(
                    f"{path} has changed since training started. Only earlier "
                    "epochs are kept. Start again to train all epochs on the same "
                    "pixels."
                )


def _watched(path: Path) -> list[Path]:
    """Return a file, or what is watched in a folder and the folder itself."""
    if is_remote(path):
        return []
    path = file_of(path)
    folders, files = [], [path]
    if path.is_dir():
        files = []
        for folder, _, names in os.walk(path):
            folders.append(Path(folder))
            files += [Path(folder, name) for name in names]
    return _evenly(folders, _MOST_FOLDERS) + _evenly(files, _MOST_FILES)


def _evenly(paths: list[Path], most: int) -> list[Path]:
    step = max(len(paths) / most, 1.0)
    return [paths[int(number * step)] for number in range(min(len(paths), most))]


def _signature(path: Path) -> tuple[int, int]:
    """Return the size and the time of the last change of a file or a folder."""
    try:
        found = path.stat()
    except OSError as error:
        raise DatasetError(
            f"Cannot read {path} any more: {error.strerror}. Training needs it until "
            "its end; only earlier epochs are kept."
        ) from error
    return found.st_size, found.st_mtime_ns


def _facts(image: TrainingImage) -> str:
    return f"{facts_of(image)}, {image.dtype.name}, SHA-256 {checksum(image)}"


def _windows(image: TrainingImage) -> Iterator[tuple[tuple[int, ...], Region]]:
    """Yield planes and regions, spread evenly over the stack and the planes."""
    rows, columns = image.planes.shape[-3:-1]
    if image.n_planes == 1 and max(rows, columns) <= _WINDOW:
        yield image.plane_at(0), (slice(0, rows), slice(0, columns))
        return
    for number in range(_N_WINDOWS):
        plane = image.plane_at(number * image.n_planes // _N_WINDOWS)
        y = int((number * _STEP_Y % 1.0) * max(rows - _WINDOW + 1, 1))
        x = int((number * _STEP_X % 1.0) * max(columns - _WINDOW + 1, 1))
        yield (
            plane,
            (
                slice(y, min(y + _WINDOW, rows)),
                slice(x, min(x + _WINDOW, columns)),
            ),
        )
