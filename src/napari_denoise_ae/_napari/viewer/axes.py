"""The axes of a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import InvalidInputError
from .layers import lazy_levels
from .plan import describe_plan, describe_result, find_axes

if TYPE_CHECKING:
    from napari.layers import Image

    from .plan import Axes


def describe_layer(layer: Image | None) -> str:
    """Return one line about a layer: shape, dtype, RGB or not."""
    if layer is None:
        return "no image layer"
    shape = " x ".join(str(length) for length in layer.data.shape)
    colors = ("", ", RGB", ", RGBA")[max(layer.data.shape[-1] - 2, 0) * layer.rgb]
    levels = f", multiscale, {len(layer.data)} levels" if layer.multiscale else ""
    return f"{shape}, {layer.data.dtype}{colors}{levels}"


def layer_axes(layer: Image) -> str:
    """Return the axes of a layer's data; see `read_axes`."""
    return read_axes(layer).letters


def read_axes(layer: Image) -> Axes:
    """Return the axes of a layer's data, and which of them it does not name.

    Raises
    ------
    InvalidInputError
        If the layer has axes that cannot be denoised.
    """
    return find_axes(layer.axis_labels, layer.name, rgb=layer.rgb)


def plan_of(
    layer: Image | None, *, takes_noise_level: bool, range_of: str = "stack"
) -> str:
    """Say what denoising will do with a layer; see `describe_plan`."""
    if layer is None:
        return ""
    try:
        axes = read_axes(layer)
    except InvalidInputError as error:
        return str(error)
    own = "a noise level" if takes_noise_level else "an intensity range"
    plan = describe_plan(axes, layer.data.shape, own, range_of)
    levels = lazy_levels(layer)
    result = describe_result(axes, layer.data.shape, len(levels))
    return f"{plan} The result: {layer.data.dtype}, {result}."
