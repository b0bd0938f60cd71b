"""Read the part of an image that is denoised in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
    """The pixels that are selected, and those around them that the network sees.

    Parameters
    ----------
    volume : Volume
        The image.
    pixels : numpy.ndarray
        All that was read.
    within : tuple of slice
        Where the selected pixels lie in `pixels`.
    part : tuple of slice
        Where they lie in the image.
    """

    volume: Volume
    pixels: NDArray[Any]
    within: tuple[slice, ...]
    part: tuple[slice, ...]

    @property
    def axes(self) -> str:
        """The axes of the image."""
        return self.volume.axes

    @property
    def selected(self) -> NDArray[Any]:
        """The pixels that are selected."""
        return self.cut(self.pixels)

    @property
    def region(self) -> Region:
        """Their rows and columns in `pixels`."""
        return self.within[self.axes.index("Y")], self.within[self.axes.index("X")]

    def cut(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Cut the selected pixels out of an array of the shape that was read."""
        return pixels[self.within]


def read_source(
    volume: Volume,
    selected: Mapping[str, tuple[int, int]],
    network: DenoisingNetwork,
) -> WholeSource:
    """Read what is selected and its surroundings.

    Raises
    ------
    InvalidInputError
        If the image has no such part, or cannot be read or denoised.
    """
    selection = select(volume, selected)
    halo, stride = find_halo(network), network.stride
    read, within = [], []
    for letter in volume.axes:
        around = within_it = slice(None)
        if letter in "YX":
            around, within_it = read_around(
                selection[letter], volume.lengths[letter], halo=halo, stride=stride
            )
        elif letter != "S":
            around = slice(*selection[letter])
        read.append(around)
        within.append(within_it)
    source = WholeSource(
        volume=volume,
        pixels=volume.read_part(tuple(read)),
        within=tuple(within),
        part=tuple(slice(*selection.get(letter, (None,))) for letter in volume.axes),
    )
    require_image(source.selected)
    return source
