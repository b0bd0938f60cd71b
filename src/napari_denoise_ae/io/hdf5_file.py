"""Open data sets in HDF5 files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError, MissingDependencyError
from ..image.axes import axes_of_names
from .compression import DEFLATE, NONE, OTHER
from .hdf5_links import find_object
from .hdf5_virtual import is_open_ended, open_pixels
from .location import split_hdf5
from .stored import StoredImage, require_file

if TYPE_CHECKING:
    from pathlib import Path

    import h5py

_MOST_LISTED = 8
# Spacing along the last three axes in micrometers, as Fiji and ilastik write it.
_SPACING = "element_size_um"


def open_hdf5(path: Path) -> StoredImage:
    """Open a data set, ``file.h5:/path``, or the only image in a file, ``file.h5``.

    Its axes are the labels of its dimensions, such as ``t``, ``y`` and ``x``. Links and
    virtual data sets may refer to other HDF5 files in the folder of the file.

    Raises
    ------
    InvalidInputError
        If there is no such data set, several could be meant, or it is not safe to read
        it, see `open_pixels`.
    MissingDependencyError
        If h5py is not installed.
    """
    file, inside = split_hdf5(path)
    require_file(file)
    try:
        import h5py
    except ImportError as error:
        raise MissingDependencyError(
            f"Cannot read {file}: HDF5 needs the package h5py. Install it with: pip "
            "install 'napari-denoise-ae[hdf5]'"
        ) from error
    # A data set keeps its file open.
    content = h5py.File(file, "r")
    folder = file.resolve().parent
    if inside:
        dataset = find_object(content, inside, folder)
    else:
        dataset = _only_image(content, file)
    if not isinstance(dataset, h5py.Dataset):
        raise InvalidInputError(
            f"Cannot read {path}: there is no data set {inside!r}. {_describe(content)}"
        )
    pixels = open_pixels(dataset, folder)
    axes = axes_of_names(dimension.label for dimension in dataset.dims)
    scale = _spacing(dataset, axes)
    # That of the parts of a virtual data set is unknown.
    kept = {None: OTHER if dataset.is_virtual else NONE, "gzip": DEFLATE}
    return StoredImage(
        array=pixels,
        axes=axes,
        chunks=dataset.chunks,
        scale=scale,
        units=dict.fromkeys(scale, "micrometer"),
        compression=kept.get(dataset.compression, OTHER),
    )


def _only_image(content: h5py.File, file: Path) -> h5py.Dataset:
    images = _images(content)
    if len(images) != 1:
        raise InvalidInputError(
            f"Cannot tell which data set of {file} is the image. {_describe(content)} "
            f"Name one, such as {file}:{images[0].name if images else '/data'}."
        )
    return images[0]


def _images(content: h5py.File) -> list[h5py.Dataset]:
    """Return the data sets of numbers that have at least two dimensions."""
    import h5py

    found: list[h5py.Dataset] = []

    def visit(_: str, node: Any) -> None:
        if not isinstance(node, h5py.Dataset) or is_open_ended(node):
            return
        if len(node.shape or ()) >= 2 and node.dtype.kind in "iuf":
            found.append(node)

    content.visititems(visit)
    return found


def _describe(content: h5py.File) -> str:
    images = _images(content)
    listed = [
        f"{image.name} ({' x '.join(map(str, image.shape))} {image.dtype})"
        for image in images[:_MOST_LISTED]
    ]
    if not listed:
        return "The file holds no images."
    more = "" if len(images) <= _MOST_LISTED else " and more"
    return f"The file holds {', '.join(listed)}{more}."


def _spacing(dataset: h5py.Dataset, axes: str | None) -> dict[str, float]:
    sizes = np.ravel(dataset.attrs.get(_SPACING, ()))
    if axes is None or sizes.size != 3 or sizes.dtype.kind not in "iuf":
        return {}
    by_axis = zip("ZYX", sizes.tolist(), strict=True)
    return {letter: size for letter, size in by_axis if letter in axes and size > 0}
