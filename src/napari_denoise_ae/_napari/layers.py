"""Reading and writing napari layers; only ever in the main thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import InvalidInputError

if TYPE_CHECKING:
    from napari.layers import Image
    from numpy.typing import NDArray

# What a result takes over from its source: where it lies and how it is shown.
_KEPT = (
    "affine",
    "axis_labels",
    "blending",
    "colormap",
    "contrast_limits",
    "gamma",
    "interpolation2d",
    "interpolation3d",
    "opacity",
    "projection_mode",
    "rendering",
    "rgb",
    "rotate",
    "scale",
    "shear",
    "translate",
    "units",
)

# Letters for the axes before Y and X: planes are denoised one by one, so it
# does not matter here which of them is time and which is depth.
_LEADING = "TZC"


def layer_axes(layer: Image) -> str:
    """Return the axes of a layer's data.

    Raises
    ------
    InvalidInputError
        If the layer has more dimensions than can be denoised, or is a pyramid.
    """
    if layer.multiscale:
        raise InvalidInputError(
            f"The layer {layer.name!r} is multiscale, which cannot be denoised yet. "
            "Add one of its levels as a layer of its own."
        )
    n_leading = layer.ndim - 2
    if n_leading > len(_LEADING):
        raise InvalidInputError(
            f"The layer {layer.name!r} has {layer.ndim} dimensions; at most "
            f"{len(_LEADING) + 2} can be denoised."
        )
    return _LEADING[:n_leading] + ("YXS" if layer.rgb else "YX")


def add_denoised_layer(viewer: Any, source: Image, denoised: NDArray[Any]) -> Image:
    """Add a result to the viewer, placed and shown as its source is."""
    options = {key: getattr(source, key) for key in _KEPT}
    if source.rgb:
        # Colours have neither; napari refuses them.
        for key in ("colormap", "contrast_limits", "gamma"):
            options.pop(key)
    added: Image = viewer.add_image(
        denoised, name=f"{source.name} [denoised]", **options
    )
    return added
