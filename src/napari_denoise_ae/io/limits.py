"""Refuse files that claim far more pixels than they can hold, or private files.

A few bytes can claim an image that fills the memory or takes forever. Noise does not
compress, so an image that is worth denoising has a size in proportion to its pixels.

An image may refer to other files, whose content would end up in the result.
"""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

from ..errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import numpy as np

#: Environment variable that lifts the limits if its value is ``off``.
VARIABLE = "NAPARI_DENOISE_AE_SIZE_LIMIT"
# Bytes of pixels that do no harm, whatever the file holds.
_HARMLESS = 2**28
# Bytes of pixels for each byte of the file. A file of zeros has 1000 in PNG, and more
# in other formats; a scanned slide that is mostly empty, in JPEG, has at most 400.
_MOST_FOR_A_BYTE = 500
# Each plane and each chunk takes time and memory, even if it has a single pixel.
_COST_OF_PART = 256


def is_lifted() -> bool:
    """Return whether the user has lifted the limits."""
    return os.environ.get(VARIABLE, "").lower() == "off"


def how_to_lift() -> str:
    """Return the sentence that says how to read a file beyond the limits."""
    return f"If you trust it, set the environment variable {VARIABLE} to off."


def require_near(file: Path, image: Path, folder: Path) -> None:
    """Raise if an image refers to a file in another folder.

    Parameters
    ----------
    file : pathlib.Path
        The file that it refers to.
    image : pathlib.Path
        The image, for the error.
    folder : pathlib.Path
        Its folder, without symbolic links.

    Raises
    ------
    InvalidInputError
        If the file is neither in that folder nor in a folder in it, unless the user
        has lifted the limits.
    """
    if not is_lifted() and not file.resolve().is_relative_to(folder):
        raise InvalidInputError(
            f"Cannot read {image}: it refers to {file}, which is outside its folder. "
            f"{how_to_lift()}"
        )


def claimed_bytes(
    shape: Sequence[int], dtype: np.dtype[np.generic], chunks: Sequence[int] = ()
) -> int:
    """Return the size that an image claims in memory, or its cost if that is larger.

    Parameters
    ----------
    shape : sequence of int
        Its shape.
    dtype : numpy.dtype
        Data type of the pixels.
    chunks : sequence of int, optional
        Shape of its chunks, each of which is decoded as a whole.
    """
    n_parts = math.prod(shape[:-2])
    if chunks:
        pairs = zip(shape, chunks, strict=True)
        n_chunks = math.prod(-(-length // max(side, 1)) for length, side in pairs)
        n_parts = max(n_parts, n_chunks)
    n_pixels = max(math.prod(shape), math.prod(chunks))
    return max(n_pixels * dtype.itemsize, n_parts * _COST_OF_PART)


def require_plausible_size(path: Path, claimed: int, sizes: Iterable[int]) -> None:
    """Raise if files cannot hold as many pixels as they claim.

    Parameters
    ----------
    path : pathlib.Path
        The image, for the error.
    claimed : int
        What `claimed_bytes` returns.
    sizes : iterable of int
        Sizes of the files that hold the pixels, in bytes. Only as many are looked up
        as are needed.

    Raises
    ------
    InvalidInputError
        If the pixels would take more than 256 MiB and more than 500 times the size
        of the files, unless the user has lifted the limit.
    """
    if claimed <= _HARMLESS or is_lifted():
        return
    held = 0
    for size in sizes:
        held += size
        if claimed <= _MOST_FOR_A_BYTE * held:
            return
    raise InvalidInputError(
        f"Cannot read {path}: it claims {claimed / 1e9:,.1f} GB of pixels, but holds "
        f"{held:,} bytes. No image with noise is stored in so few. {how_to_lift()}"
    )
