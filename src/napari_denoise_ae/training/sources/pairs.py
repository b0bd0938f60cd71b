"""Train on pairs of a noisy and a clean image."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from ...image.ranges import group_planes
from ...noise.windows import read_noise_windows
from ..images.checksum import ChangeWatch, describe
from ..images.pairs import match_pairs
from ..images.patches import PatchReader
from .measured_patches import MeasuredPatchSource

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from numpy.typing import NDArray

    from ...image.planes import Planes
    from ...models.config import TrainingConfig
    from ..images.collection import ImageCollection
    from ..images.positions import Position

# The intensities of a pair are compared in the means of blocks of this side.
_BLOCK = 8
# Weaker correlated means do not show how the intensities of a pair are related.
_LEAST_CORRELATION = 0.5
# Up to this fraction, slope and offset of a line are taken for those of noise.
_TOLERANCE = 0.05
_NOTE = (
    "The clean images have other intensities than the noisy ones, and are mapped to "
    "theirs by a line."
)


class PairSource(MeasuredPatchSource):
    """Noisy images, each compared with a clean image of the same scene [1]_.

    Clean images may have another exposure: a line maps their intensities to those of
    the noisy ones.

    Parameters
    ----------
    images : sequence of ImageCollection
        The noisy images and the clean ones, see `match_pairs`.
    config, device
        See `MeasuredPatchSource`.

    Raises
    ------
    DatasetError
        See `match_pairs`.

    References
    ----------
    .. [1] Weigert et al., Content-aware image restoration: pushing the limits of
       fluorescence microscopy, 2018, :doi:`10.1038/s41592-018-0216-7`.
    """

    has_truth = True

    def __init__(
        self,
        images: Sequence[ImageCollection],
        config: TrainingConfig,
        device: torch.device,
    ) -> None:
        noisy, clean = match_pairs(*images)
        super().__init__(noisy, config, device)
        # Leaves out the same images, and pads the others in the same way.
        self._clean = clean.at_least(self._plan.side)
        self._clean_reader = PatchReader(self._clean)
        self._watch = ChangeWatch(self._clean)
        pairs = zip(self._plan.images.images, self._clean.images, strict=True)
        self._lines = [find_lines(one.planes, other.planes) for one, other in pairs]
        name, sha256, facts = describe(self._clean)
        self.name = f"{self.name} and {name}"
        self.sha256 = hashlib.sha256(f"{self.sha256}{sha256}".encode()).hexdigest()
        self.images = (*self.images, *facts)
        if any(line != Line() for lines in self._lines for line in lines):
            self.notes = (*self.notes, _NOTE)

    def require_unchanged(self) -> None:
        """Raise if a file has changed since the start of the run."""
        super().require_unchanged()
        self._watch.check()

    def _read_target(
        self, position: Position, noisy: NDArray[Any]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        del noisy
        clean = self._clean_reader.read(position).astype(np.float64)
        planes = self._clean.images[position.image].planes
        number = group_planes(planes, "stack").number_of(position.plane)
        line = self._lines[position.image][number]
        return line.slope * clean + line.offset, ~np.isnan(clean)


@dataclass(frozen=True, slots=True)
class Line:
    """Maps the intensities of a clean image to those of a noisy one."""

    slope: float = 1.0
    offset: float = 0.0


def find_lines(noisy: Planes, clean: Planes) -> list[Line]:
    """Find how the intensities of a pair are related.

    Parameters
    ----------
    noisy, clean : Planes
        The images, of the same shape.

    Returns
    -------
    list of Line
        For each channel, the least-squares line through the means of blocks. The
        intensities are unchanged if they are about the same, or not clearly related.
    """
    groups = group_planes(noisy, "stack")
    windows = (read_noise_windows(planes, groups) for planes in (clean, noisy))
    return [
        _fit(*(_means(chain.from_iterable(group)) for group in pair))
        for pair in zip(*windows, strict=True)
    ]


def _means(windows: Any) -> NDArray[np.float64]:
    """Return the means of blocks of windows, (Y, X, channels), as one array."""
    found = []
    for window in windows:
        values = np.asarray(window, dtype=np.float64)
        rows, columns = (length // _BLOCK for length in values.shape[:2])
        whole = values[: rows * _BLOCK, : columns * _BLOCK]
        blocks = whole.reshape(rows, _BLOCK, columns, _BLOCK, -1)
        found.append(blocks.mean(axis=(1, 3)).ravel())
    return np.concatenate(found)


def _fit(clean: NDArray[np.float64], noisy: NDArray[np.float64]) -> Line:
    known = np.isfinite(clean) & np.isfinite(noisy)
    clean, noisy = clean[known], noisy[known]
    if clean.size < 2 or np.ptp(clean) == 0 or np.ptp(noisy) == 0:
        return Line()
    if np.corrcoef(clean, noisy)[0, 1] < _LEAST_CORRELATION:
        return Line()
    slope = float(np.cov(clean, noisy)[0, 1] / clean.var(ddof=1))
    offset = float(noisy.mean() - slope * clean.mean())
    same_mean = abs(noisy.mean() - clean.mean()) < _TOLERANCE * 4.0 * noisy.std()
    return (
        Line() if abs(slope - 1.0) < _TOLERANCE and same_mean else Line(slope, offset)
    )
