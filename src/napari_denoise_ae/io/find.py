"""Find image files: in a folder, by a pattern or by name."""

from __future__ import annotations

import glob
import os
from pathlib import Path

from .source import is_image, is_zarr


def is_folder(path: Path) -> bool:
    """Return whether a path is a folder that is not itself an OME-Zarr image."""
    # Path.is_dir raises if the name is too long.
    return os.path.isdir(path) and not is_zarr(path)  # noqa: PTH112


def is_pattern(path: Path) -> bool:
    """Return whether a path is a pattern such as ``data/*.tif``, not a file."""
    return glob.has_magic(str(path)) and not os.path.exists(path)  # noqa: PTH110


def matching_images(pattern: Path) -> list[Path]:
    """Return the images whose paths match a pattern, sorted."""
    # Path.glob does not support absolute patterns.
    names = sorted(glob.glob(str(pattern)))  # noqa: PTH207
    return [path for path in map(Path, names) if is_image(path)]
