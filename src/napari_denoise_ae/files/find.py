"""Find the image files of a batch."""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InvalidInputError
from ..io.source import READERS, is_image, is_zarr, list_images

if TYPE_CHECKING:
    from collections.abc import Sequence


def is_batch(inputs: Sequence[Path]) -> bool:
    """Return whether inputs are several files, a folder of images or a pattern."""
    only = inputs[0]
    return len(inputs) > 1 or _is_folder(only) or _is_pattern(only)


def find_files(inputs: Sequence[Path], output: Path) -> list[Path]:
    """Return the image files that the inputs refer to.

    Parameters
    ----------
    inputs : sequence of pathlib.Path
        Files, folders of images, or patterns such as ``data/*.tif``.
    output : pathlib.Path
        Folder for the results. Images in it that match a pattern are skipped unless
        no other images match.

    Raises
    ------
    InvalidInputError
        If there are no images.
    """
    files: list[Path] = []
    for path in inputs:
        if _is_pattern(path):
            files += _matches(path, output)
        elif _is_folder(path):
            files += list_images(path)
        else:
            files.append(path)
    if not files:
        given = ", ".join(str(path) for path in inputs)
        raise InvalidInputError(
            f"There are no images at {given}: expected {', '.join(sorted(READERS))}."
        )
    return files


def _matches(pattern: Path, output: Path) -> list[Path]:
    """Return the images that match a pattern, without earlier results."""
    # Path.glob does not support absolute patterns.
    names = sorted(glob.glob(str(pattern)))  # noqa: PTH207
    images = [path for path in map(Path, names) if is_image(path)]
    results = output.resolve()
    sources = [path for path in images if results not in path.resolve().parents]
    # If nothing else matches, the user gave the input folder as output by mistake.
    return sources or images


def _is_folder(path: Path) -> bool:
    # Path.is_dir raises if the name is too long.
    return os.path.isdir(path) and not is_zarr(path)  # noqa: PTH112


def _is_pattern(path: Path) -> bool:
    return glob.has_magic(str(path)) and not os.path.exists(path)  # noqa: PTH110
