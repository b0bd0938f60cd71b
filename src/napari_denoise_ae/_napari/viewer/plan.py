"""Describe in words what denoising will do with a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...image.tiling import LARGEST_PLANE
from .guess_axes import PLANE_NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .guess_axes import Axes


def describe_plan(
    axes: Axes, shape: Sequence[int], measured: str, range_of: str = "stack"
) -> str:
    """Describe which images are denoised.

    Parameters
    ----------
    axes : Axes
        The axes.
    shape : sequence of int
        The length of each axis.
    measured : str
        The property measured for each channel or image, such as "noise level".
    range_of : str
        ``"stack"`` or ``"image"``; see `denoise`.

    Returns
    -------
    str
        For example "50 frames x 2 channels, each 512 x 512 image denoised
        separately."
    """
    n_stacked = axes.n_stacked
    height, width = shape[n_stacked : n_stacked + 2]
    image = f"{height} x {width} {'color ' * ('S' in axes.letters)}image"
    if n_stacked == 0:
        return f"One {image}."
    counts = " x ".join(
        f"{length} {PLANE_NAMES[letter][length != 1]}"
        for letter, length in zip(axes.letters, shape[:n_stacked], strict=False)
    )
    sentences = [f"{counts}, each {image} denoised separately."]
    if range_of == "image" or "C" in axes.letters:
        unit = "image" if range_of == "image" else "channel"
        sentences.append(f"Each {unit} has its own {measured}.")
    return " ".join(sentences)


def describe_result(axes: Axes, shape: Sequence[int], n_levels: int) -> str:
    """Describe how the result of a layer is stored.

    Parameters
    ----------
    axes, shape
        See `describe_plan`.
    n_levels : int
        Number of levels of a lazy layer; 0 for a layer in memory.
    """
    if n_levels == 0:
        return "in memory"
    lazy = "lazy, computed where you look"
    if n_levels > 1:
        return f"{lazy}; {n_levels} levels, denoised separately"
    if max(shape[axes.n_stacked : axes.n_stacked + 2]) > LARGEST_PLANE:
        return f"{lazy}; a pyramid, because its images are large"
    return lazy
