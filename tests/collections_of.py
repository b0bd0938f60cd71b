"""Collections of training images for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from napari_denoise_ae.io.images import ImageFile, write_image
from napari_denoise_ae.training.images.open import open_images

if TYPE_CHECKING:
    from pathlib import Path

    from napari_denoise_ae.training.images.collection import ImageCollection
    from napari_denoise_ae.training.images.positions import Position
    from napari_denoise_ae.training.images.split import Part


def arrays(*shapes: tuple[int, ...], axes: str | None = None) -> ImageCollection:
    """Return images whose pixels all have different values."""
    return open_images([numbered(shape) for shape in shapes], axes=axes)


def numbered(shape: tuple[int, ...]) -> np.ndarray:
    """Return an array whose elements are numbered, uint32."""
    return np.arange(np.prod(shape), dtype=np.uint32).reshape(shape)


def write(path: Path, image: np.ndarray, **options: Any) -> Path:
    """Write an image as the suffix says."""
    if path.suffix == ".tif":
        tifffile.imwrite(path, image, photometric="minisblack", **options)
    else:
        write_image(path, ImageFile(image, "YXS"[: image.ndim]))
    return path


def lies_in(position: Position, part: Part) -> bool:
    """Return whether all pixels of a patch belong to a part."""
    return position.image == part.image and all(
        outer.start <= inner.start < inner.stop <= outer.stop
        for inner, outer in zip(position.region, part.region, strict=True)
    )
