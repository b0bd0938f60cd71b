"""Open data sets in HDF5 files."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError, MissingDependencyError
from ..image.axes import axes_of_names
from .compression import DEFLATE, NONE, OTHER
from .hdf5_chunks import limit_chunks
from .limits import claimed_bytes, require_plausible_size
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

    Its axes are the labels of its dimensions, such as ``t``, ``y`` and ``x``.

    Raises
    ------
    InvalidInputError
        If there is no such data set, or several could be meant.
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
    dataset = content.get(inside) if inside else _only_image(content, file)
    if not isinstance(dataset, h5py.Dataset):
        raise InvalidInputError(
            f"Cannot read {path}: there is no data set {inside!r}. {_describe(content)}"
        )
    _require_filters(dataset, path)
    claimed = claimed_bytes(dataset.shape, dataset.dtype, dataset.chunks or ())
    require_plausible_size(path, claimed, [file.stat().st_size])
    axes = axes_of_names(dimension.label for dimension in dataset.dims)
    scale = _spacing(dataset, axes)
    kept = {None: NONE, "gzip": DEFLATE}
    return StoredImage(
        array=limit_chunks(dataset),
        axes=axes,
        chunks=dataset.chunks,
        scale=scale,
        units=dict.fromkeys(scale, "micrometer"),
        compression=kept.get(dataset.compression, OTHER),
    )


def _require_filters(dataset: h5py.Dataset, path: Path) -> None:
    """Raise if a data set has a compression that h5py does not bring along."""
    from h5py import h5z

    with suppress(ImportError):
        # Adds its compressions to those of h5py.
        import_module("hdf5plugin")
    settings = dataset.id.get_create_plist()
    for number in range(settings.get_nfilters()):
        code, _, _, name = settings.get_filter(number)
        if not h5z.filter_avail(code):
            called = name.decode(errors="replace") or f"number {code}"
            raise MissingDependencyError(
                f"Cannot read {path}: h5py lacks its compression, {called}. Install "
                "it with: pip install hdf5plugin"
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
        is_array = isinstance(node, h5py.Dataset) and len(node.shape or ()) >= 2
        if is_array and node.dtype.kind in "iuf":
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
