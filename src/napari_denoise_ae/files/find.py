"""Find the image files of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import InvalidInputError
from ..io.find import (
    images_in_tree,
    is_folder,
    is_pattern,
    list_images,
    matching_images,
)
from ..io.source import readable_suffixes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def is_batch(inputs: Sequence[Path]) -> bool:
    """Return whether inputs are several files, a folder of images or a pattern."""
    only = inputs[0]
    return len(inputs) > 1 or is_folder(only) or is_pattern(only)


def find_files(
    inputs: Sequence[Path], output: Path, *, recursive: bool = False
) -> list[Path]:
    """Return the image files that the inputs refer to.

    Parameters
    ----------
    inputs : sequence of pathlib.Path
        Files, folders of images, or patterns such as ``data/*.tif``.
    output : pathlib.Path
        Folder for the results. Images in it that match a pattern are skipped unless
        no other images match.
    recursive : bool
        Whether to search the subfolders of folders, too.

    Raises
    ------
    InvalidInputError
        If there are no images, or `recursive` is True and no input is a folder.
    """
    if recursive and not any(map(is_folder, inputs)):
        raise InvalidInputError(
            "--recursive has no effect without a folder among the inputs. Omit it."
        )
    files: list[Path] = []
    for path in inputs:
        if is_pattern(path):
            files += _matches(path, output)
        elif is_folder(path):
            files += images_in_tree(path, output) if recursive else list_images(path)
        else:
            files.append(path)
    if not files:
        given = ", ".join(str(path) for path in inputs)
        expected = ", ".join(readable_suffixes())
        raise InvalidInputError(f"There are no images at {given}: expected {expected}.")
    return files


def _matches(pattern: Path, output: Path) -> list[Path]:
    """Return the images that match a pattern, without earlier results."""
    images = matching_images(pattern)
    results = output.resolve()
    sources = [path for path in images if results not in path.resolve().parents]
    # If nothing else matches, the user gave the input folder as output by mistake.
    return sources or images
