"""Reading and writing napari layers; only ever in the main thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari.layers import Image
    from napari.viewer import Viewer
    from numpy.typing import NDArray

#: Where a layer that the plugin made says so, and how, in its metadata.
METADATA_KEY = "napari-denoise-ae"

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
# Colours have none of these; napari refuses them.
_GREY_ONLY = ("colormap", "contrast_limits", "gamma")

# Letters for the axes before Y and X: planes are denoised one by one, so it
# does not matter here which of them is time and which is depth.
_LEADING = "TZC"


def is_output(layer: Any) -> bool:
    """Tell whether the plugin made a layer."""
    return METADATA_KEY in layer.metadata


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
    if not 0 <= n_leading <= len(_LEADING):
        raise InvalidInputError(
            f"The layer {layer.name!r} has {layer.ndim} dimensions; 2 to "
            f"{len(_LEADING) + 2} can be denoised."
        )
    return _LEADING[:n_leading] + ("YXS" if layer.rgb else "YX")


def current_plane(viewer: Viewer, layer: Image) -> tuple[int, ...]:
    """Return the index of the plane of a layer that the viewer shows."""
    point = layer.world_to_data(viewer.dims.point[-layer.ndim :])
    shape = layer.data.shape[: layer.ndim - 2]
    return tuple(
        int(np.clip(round(position), 0, length - 1))
        for position, length in zip(point, shape, strict=False)
    )


def visible_region(layer: Image) -> tuple[slice, slice]:
    """Return the rows and columns of a layer that the canvas shows."""
    (top, left), (bottom, right) = layer.corner_pixels[:, -2:]
    return slice(int(top), int(bottom) + 1), slice(int(left), int(right) + 1)


def shown_side_on(viewer: Viewer) -> str:
    """Say why the plane Y-X is not what the viewer shows; empty if it is."""
    if viewer.dims.ndisplay == 3:
        return "off in 3D display: it shows one plane"
    if tuple(viewer.dims.displayed) != tuple(range(viewer.dims.ndim))[-2:]:
        return "off while the axes are transposed: it shows the plane Y-X"
    return ""


class OutputLayers:
    """The layers that the plugin made in a viewer, found by their source and role.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer.
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._layers: dict[tuple[Any, str], Image] = {}

    def get(self, source: Image, role: str) -> Image | None:
        """Return a layer, unless the user has removed it."""
        layer = self._layers.get((source.unique_id, role))
        return layer if layer in self._viewer.layers else None

    def remove(self, source: Image, role: str) -> None:
        """Remove a layer, if it is there."""
        if (layer := self.get(source, role)) is not None:
            self._viewer.layers.remove(layer)

    def show(
        self,
        source: Image,
        role: str,
        data: NDArray[Any],
        provenance: Mapping[str, Any],
        **changes: Any,
    ) -> Image:
        """Add a layer, or update it in place.

        Parameters
        ----------
        source : napari.layers.Image
            The layer that it was made from.
        role : str
            What it is: ``"noisy"``, ``"denoised"``, ``"residual"`` or
            ``"preview"``; stands behind the source's name.
        data : numpy.ndarray
            Its pixels.
        provenance : mapping
            How it was made; goes into its metadata.
        **changes
            What it does not take over from its source.

        Returns
        -------
        napari.layers.Image
            The layer.
        """
        metadata = {METADATA_KEY: {"role": role, **provenance}}
        layer = self.get(source, role)
        if layer is not None and layer.data.ndim == data.ndim:
            layer.data = data
            layer.metadata = metadata
            if "translate" in changes:
                layer.translate = changes["translate"]
            return layer
        self.remove(source, role)
        options = {key: getattr(source, key) for key in _KEPT}
        options |= {"name": f"{source.name} [{role}]", "metadata": metadata}
        options |= changes
        if source.rgb:
            options = {k: v for k, v in options.items() if k not in _GREY_ONLY}
        chosen = self._viewer.layers.selection.active
        added: Image = self._viewer.add_image(data, **options)
        if role == "preview":
            # What the user had chosen stays chosen.
            self._viewer.layers.selection.active = chosen
        self._layers[source.unique_id, role] = added
        return added


def translate_of_part(source: Image, first: tuple[int, ...]) -> NDArray[Any]:
    """Return the `translate` of a layer that begins at a pixel of its source."""
    origin = np.zeros(source.ndim)
    moved = np.subtract(source.data_to_world(first), source.data_to_world(origin))
    # The affine comes after translate: undo it.
    physical: NDArray[Any] = np.linalg.solve(source.affine.linear_matrix, moved)
    physical += np.asarray(source.translate)
    return physical


def residual(
    source: Image, noisy: NDArray[Any], denoised: NDArray[Any]
) -> tuple[NDArray[Any], dict[str, Any]]:
    """Return what was removed, and how its layer differs from its source.

    Grey layers have it signed, around 0. Colours can only be shown from 0 to 1:
    there nothing removed is the middle grey.
    """
    signed = noisy.dtype
    if not np.issubdtype(signed, np.floating):
        signed = np.result_type(signed, np.int8)
    removed: NDArray[Any] = noisy.astype(signed) - denoised.astype(signed)
    largest = float(np.nanmax(np.abs(removed))) or 1.0
    if source.rgb:
        return (0.5 + removed[..., :3] / (2 * largest)).astype(np.float32), {}
    return removed, {"contrast_limits": (-largest, largest), "colormap": "gray"}
