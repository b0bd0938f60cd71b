"""Match noisy and clean images."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from ...errors import DatasetError
from .collection import counted, listed
from .image import facts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .collection import ImageCollection
    from .image import TrainingImage

# Words by which the names of two images of a pair may differ.
_WORDS = (
    "noisy|noise|clean|low|high|source|target|input|gt|ground[-_ ]?truth|raw|"
    "reference|ref|denoised|snr"
)
_WORD = re.compile(rf"(?<![a-z0-9])(?:{_WORDS})(?![a-z0-9])", re.IGNORECASE)
_SEPARATORS = re.compile(r"[-_. ]+")


def match_pairs(
    noisy: ImageCollection, clean: ImageCollection
) -> tuple[ImageCollection, ImageCollection]:
    """Match noisy images with clean ones.

    Parameters
    ----------
    noisy, clean : ImageCollection
        The images. Files are matched by their names without the suffix, in which
        words such as ``noisy``, ``clean``, ``low`` or ``GT`` do not count: ``a_noisy``
        matches ``a_clean``. If the names do not match, two single files, or equal
        numbers of arrays, are matched by order.

    Returns
    -------
    noisy, clean : ImageCollection
        The pairs, in the order of `noisy`.

    Raises
    ------
    DatasetError
        If an image has no partner or several, or a pair differs in shape, axes or
        colors. The message names the images.
    """
    pairs = _match_names(noisy, clean)
    _require_same_shapes(pairs)
    return (
        replace(noisy, images=tuple(first for first, _ in pairs)),
        replace(clean, images=tuple(second for _, second in pairs)),
    )


def _match_names(
    noisy: ImageCollection, clean: ImageCollection
) -> list[tuple[TrainingImage, TrainingImage]]:
    """Match images by their stems or, if these differ, by their common parts."""
    for key in (_stem, _common_part):
        first, second = _by_key(noisy, key), _by_key(clean, key)
        if first.keys() == second.keys():
            return [(image, second[name]) for name, image in first.items()]
    has_files = any(image.path for image in (*noisy.images, *clean.images))
    if len(noisy) == len(clean) and (len(noisy) == 1 or not has_files):
        return list(zip(noisy.images, clean.images, strict=True))
    alone = [image.name for name, image in first.items() if name not in second]
    alone += [image.name for name, image in second.items() if name not in first]
    raise DatasetError(
        f"{counted(len(alone), 'image')} of {noisy.name} and {clean.name} "
        f"{'has' if len(alone) == 1 else 'have'} no partner: "
        f"{listed(alone)}. The two images of a pair need the same name, or names such "
        "as a_noisy.tif and a_clean.tif."
    )


def _by_key(
    images: ImageCollection, key: Callable[[TrainingImage], str]
) -> dict[str, TrainingImage]:
    found: dict[str, TrainingImage] = {}
    for image in images.images:
        name = key(image)
        if name in found:
            raise DatasetError(
                f"{found[name].name} and {image.name} of {images.name} would have the "
                "same partner. Rename one of them, or leave it out."
            )
        found[name] = image
    return found


def _stem(image: TrainingImage) -> str:
    """Return the name of an image in lower case, that of a file without its suffix."""
    if image.path is None:
        return image.name.lower()
    return PurePath(image.name).stem.lower().removesuffix(".ome")


def _common_part(image: TrainingImage) -> str:
    """Return a name without the words that say which side of a pair it is."""
    return _SEPARATORS.sub("_", _WORD.sub("", _stem(image))).strip("_")


def _require_same_shapes(
    pairs: Sequence[tuple[TrainingImage, TrainingImage]],
) -> None:
    different = [
        f"{facts_of(noisy)} and {facts_of(clean)}"
        for noisy, clean in pairs
        if (noisy.axes, noisy.planes.shape) != (clean.axes, clean.planes.shape)
    ]
    if different:
        raise DatasetError(
            "The two images of a pair must have the same shape, axes and number of "
            f"colors: {listed(different)}."
        )
