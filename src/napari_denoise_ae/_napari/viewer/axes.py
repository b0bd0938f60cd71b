"""Read the axes of a layer and describe what denoising will do."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ...denoising.frames import frame_axis
from ...denoising.options import AS_INPUT, DenoiseOptions
from ...errors import InvalidInputError
from .guess_axes import Axes, describe_guess, find_axes
from .layers import lazy_levels
from .plan import describe_plan, describe_result

if TYPE_CHECKING:
    from napari.layers import Image

# The axes that the user has chosen for a layer, with its axis labels at that time.
_CHOSEN: WeakKeyDictionary[Image, tuple[tuple[str, ...], str]] = WeakKeyDictionary()


def describe_layer(layer: Image | None) -> str:
    """Describe the shape, dtype, colors and levels of a layer in one line."""
    if layer is None:
        return "no image layer"
    shape = " x ".join(str(length) for length in layer.data.shape)
    colors = ("", ", RGB", ", RGBA")[max(layer.data.shape[-1] - 2, 0) * layer.rgb]
    levels = f", multiscale, {len(layer.data)} levels" if layer.multiscale else ""
    return f"{shape}, {layer.data.dtype}{colors}{levels}"


def layer_axes(layer: Image) -> str:
    """Return the axes of a layer's data; see `read_axes`."""
    return read_axes(layer).letters


def has_frames(layer: Image | None) -> bool:
    """Return whether a layer has an axis along which frames are neighbors."""
    try:
        return layer is not None and bool(frame_axis(layer_axes(layer)))
    except InvalidInputError:
        return False


def read_axes(layer: Image) -> Axes:
    """Return the axes of a layer's data, and which of them are guessed.

    Raises
    ------
    InvalidInputError
        If the layer has axes that cannot be denoised.
    """
    labels, chosen = _CHOSEN.get(layer, ((), ""))
    if chosen and labels == layer.axis_labels:
        return Axes(chosen)
    return find_axes(
        layer.axis_labels,
        layer.name,
        rgb=layer.rgb,
        shape=layer.data.shape,
        units=layer.units,
        metadata=layer.metadata,
    )


def choose_axes(layer: Image, letters: str) -> None:
    """Set the axes of a layer, until its axis labels change.

    Parameters
    ----------
    layer : napari.layers.Image
        The layer, which does not change.
    letters : str
        One of `possible_axes`.
    """
    _CHOSEN[layer] = (layer.axis_labels, letters)


def axes_note(layer: Image | None) -> str:
    """Return which axes of a layer are guessed, or why it cannot be denoised."""
    if layer is None:
        return ""
    try:
        return describe_guess(read_axes(layer), layer.data.shape)
    except InvalidInputError as error:
        return str(error)


def plan_of(
    layer: Image | None,
    *,
    takes_noise_level: bool,
    range_of: str = "stack",
    dtype: str = AS_INPUT,
) -> str:
    """Describe what denoising will do with a layer; see `describe_plan`.

    Empty if the layer cannot be denoised.
    """
    if layer is None:
        return ""
    try:
        axes = read_axes(layer)
    except InvalidInputError:
        return ""
    measured = "noise level" if takes_noise_level else "intensity range"
    plan = describe_plan(axes, layer.data.shape, measured, range_of)
    levels = lazy_levels(layer)
    result = describe_result(axes, layer.data.shape, len(levels))
    result_dtype = DenoiseOptions(dtype=dtype).result_dtype(layer.data.dtype)
    return f"{plan} The result: {result_dtype}, {result}."
