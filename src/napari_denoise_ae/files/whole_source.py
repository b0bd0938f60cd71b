"""Read the selected region of an image that is denoised in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..denoising.frames import N_PASSES, find_frames_halo
from ..denoising.halo import find_halo, read_around
from ..image.checks import require_image
from .planes import select

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ..image.tiling import Region
    from ..io.source import Volume
    from ..models.networks.base import DenoisingNetwork


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class WholeSource:
    """The selected region of an image, with its halo.

    Parameters
    ----------
    volume : Volume
        The image.
    pixels : numpy.ndarray
        The region and its halo, with the axes of the image.
    keep : tuple of slice
        Indices of the region in `pixels`, one slice per axis.
    selection : tuple of slice
        Indices of the region in the image.
    """

    volume: Volume
    pixels: NDArray[Any]
    keep: tuple[slice, ...]
    selection: tuple[slice, ...]

    @property
    def axes(self) -> str:
        """Axes of the image."""
        return self.volume.axes

    @property
    def selected(self) -> NDArray[Any]:
        """Pixels of the region, without the halo."""
        return self.crop(self.pixels)

    @property
    def region(self) -> Region:
        """Rows and columns of the region in `pixels`."""
        return self.keep[self.axes.index("Y")], self.keep[self.axes.index("X")]

    def crop(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Crop the halo of an array with the shape of `pixels`."""
        return pixels[self.keep]


def read_source(
    volume: Volume,
    selected: Mapping[str, tuple[int, int]],
    network: DenoisingNetwork,
    *,
    frames: int = 0,
) -> WholeSource:
    """Read the selected region of an image and its halo.

    Parameters
    ----------
    volume : Volume
        The image.
    selected : mapping
        First index and the index after the last, by axis letter, see `select`.
    network : DenoisingNetwork
        The network, which determines the halo.
    frames : int
        See `denoise`.

    Raises
    ------
    InvalidInputError
        If the image has no such region, or cannot be read or denoised.
    """
    selection = select(volume, selected)
    halo, stride = find_halo(network), network.stride
    if frames:
        halo = N_PASSES * find_frames_halo(network)
    read, keep = [], []
    for letter in volume.axes:
        with_halo = without_halo = slice(None)
        if letter in "YX":
            with_halo, without_halo = read_around(
                selection[letter], volume.lengths[letter], halo=halo, stride=stride
            )
        elif letter != "S":
            with_halo = slice(*selection[letter])
        read.append(with_halo)
        keep.append(without_halo)
    source = WholeSource(
        volume=volume,
        pixels=volume.read_part(tuple(read)),
        keep=tuple(keep),
        selection=tuple(
            slice(*selection.get(letter, (None,))) for letter in volume.axes
        ),
    )
    require_image(source.selected)
    return source
