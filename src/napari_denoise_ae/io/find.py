"""Find image files: in a folder, by a pattern or by name."""

from __future__ import annotations

import glob
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DenoiseAEWarning
from .folders import raise_error, refuse_unreadable
from .location import file_of, is_remote
from .source import ARRAYS, is_image, is_zarr

if TYPE_CHECKING:
    from collections.abc import Iterable


def is_folder(path: Path) -> bool:
    """Return whether a path is a folder that is not itself an OME-Zarr image."""
    # Path.is_dir raises if the name is too long.
    return os.path.isdir(path) and not is_zarr(path)  # noqa: PTH112


def is_pattern(path: Path) -> bool:
    """Return whether a path is a pattern such as ``data/*.tif``, not a file."""
    if is_remote(path) or not glob.has_magic(str(path)):
        return False
    return not os.path.exists(file_of(path))  # noqa: PTH110


def matching_images(pattern: Path) -> list[Path]:
    """Return the images whose paths match a pattern, sorted, without hidden files."""
    # Path.glob does not support absolute patterns.
    names = sorted(glob.glob(str(pattern)))  # noqa: PTH207
    return [path for path in map(Path, names) if is_image(path) and not is_hidden(path)]


def list_images(folder: Path) -> list[Path]:
    """Return the images in a folder, see `images_among`.

    Raises
    ------
    InvalidInputError
        If the folder cannot be read.
    """
    with refuse_unreadable(folder):
        return images_among(folder.iterdir(), folder)


def images_among(paths: Iterable[Path], folder: Path) -> list[Path]:
    """Return the images among what a folder contains, sorted by name.

    Hidden files are skipped. So are .npy and HDF5 files, because they may hold
    anything, such as masks or the weights of a network.

    Warns
    -----
    DenoiseAEWarning
        If there are such files.
    """
    images = sorted(path for path in paths if is_image(path) and not is_hidden(path))
    others = [path for path in images if path.suffix.lower() in ARRAYS]
    if others:
        more = f" and {len(others) - 1} more" if others[1:] else ""
        warnings.warn(
            f"Skipped {others[0].name}{more} in {folder}: .npy and HDF5 files may "
            "hold other data. To use them, name them, or pass a pattern such as "
            f"'{folder / ('*' + others[0].suffix)}'.",
            DenoiseAEWarning,
            stacklevel=2,
        )
    return [path for path in images if path not in set(others)]


def is_hidden(path: Path) -> bool:
    """Return whether a file or folder is hidden, and so no image of a user.

    On foreign file systems macOS writes ``._a.tif``, which is not an image, next to
    ``a.tif``.
    """
    return path.name.startswith(".")


def images_in_tree(folder: Path, besides: Path) -> list[Path]:
    """Return the images in a folder and in its subfolders, sorted.

    Hidden folders are skipped, and links to folders are not followed. An OME-Zarr
    folder is an image; what is inside it is not searched. See `images_among` for the
    files.

    Parameters
    ----------
    folder : pathlib.Path
        The folder.
    besides : pathlib.Path
        A folder to skip.

    Raises
    ------
    InvalidInputError
        If one of the folders cannot be read.
    """
    with refuse_unreadable(folder):
        return _images_in_tree(folder, besides.resolve())


def _images_in_tree(folder: Path, skipped: Path) -> list[Path]:
    found: list[Path] = []
    for name, folders, files in os.walk(folder, onerror=raise_error):
        here = Path(name)
        inside = [here / each for each in folders if not is_hidden(here / each)]
        found += [path for path in inside if is_image(path)]
        found += [here / each for each in files if is_image(here / each)]
        folders[:] = [
            path.name
            for path in inside
            if not is_zarr(path) and path.resolve() != skipped
        ]
    return images_among(found, folder)
