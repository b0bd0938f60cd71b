"""Train on repeats of a scene: noisy images compared with other noisy ones."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import DatasetError
from ...noise.outliers import remove_outliers
from ...noise.windows import noise_windows
from ..images.checksum import ChangeWatch, checksum, describe
from ..images.positions import Position
from ..images.repeats import MOST_OTHERS, KeptOut, as_repeats, lay_out_repeats
from ..motion import require_static, same_image_message
from .measured_patches import MeasuredPatchSource
from .patches import FEW_VALIDATION_PIXELS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch
    from numpy.typing import NDArray

    from ...models.config import TrainingConfig
    from ...models.networks.base import DenoisingNetwork
    from ..images.collection import ImageCollection
    from ..images.image import TrainingImage
    from ..images.layout import PatchLayout
    from .measured_patches import TrainingPatch

# Motion is looked for in at most so many frames of at most so many stacks.
_MOST_CHECKED, _MOST_STACKS = 8, 3
# Copies of frames are looked for in at most so many frames of a stack.
_MOST_COPIES = 64


class RepeatSource(MeasuredPatchSource):
    """Repeats of a scene, each compared with the mean of others (Noise2Noise).

    A network that is trained with noisy targets learns their mean, the clean image,
    because it cannot predict their noise [1]_. The mean of several targets has less
    noise, and needs fewer batches.

    Some patches of single frames are kept out of the targets of a single stack, see
    `KeptOut`. For validation, another frame is denoised there and compared with them:
    the loss rises as soon as the network learns the noise of its targets, which is not
    that of those patches.

    Parameters
    ----------
    images : ImageCollection
        Stacks whose frames along T are repeats, or images of one scene.
    config, device
        See `MeasuredPatchSource`.

    Raises
    ------
    DatasetError
        See `as_repeats`, and if something moves between repeats or two are the same.

    References
    ----------
    .. [1] Lehtinen et al., Noise2Noise: learning image restoration without clean
       data, ICML 2018, arXiv:1803.04189.
    """

    _planes_per_patch = 1 + MOST_OTHERS
    _validation_pixels = FEW_VALIDATION_PIXELS

    def __init__(
        self, images: ImageCollection, config: TrainingConfig, device: torch.device
    ) -> None:
        repeats = as_repeats(images)
        super().__init__(repeats, config, device)
        self._kept_out = KeptOut(self._positions_to_keep(repeats))
        self._watch = ChangeWatch(images)
        if repeats is not images:
            # Files that are repeats of one scene are named one by one.
            self.name, self.sha256, self.images = describe(images)
        _require_different(self._plan.images)
        for number, image in enumerate(self._plan.images.images):
            self._require_different_frames(number, image)
            self._require_static(number, image)

    def require_unchanged(self) -> None:
        """Raise if a file has changed since the start of the run."""
        super().require_unchanged()
        self._watch.check()

    def _lay_out(
        self, images: ImageCollection, network: DenoisingNetwork
    ) -> PatchLayout:
        return lay_out_repeats(images, self._config, network)

    def _read_target(
        self, position: Position, noisy: NDArray[Any]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the mean of other frames, and where it is known."""
        total = np.zeros(noisy.shape)
        n_known = np.zeros((*noisy.shape[:-1], 1))
        for other in self._others(position):
            pixels = self._reader.read(other)
            unknown = self._reader.find_unknown(other, pixels)
            unknown |= self._kept_out.mask(other)
            known = ~unknown[..., np.newaxis]
            total += np.where(known, pixels, 0.0)
            n_known += known
        mean = total / np.maximum(n_known, 1.0)
        return mean, np.broadcast_to(n_known > 0, mean.shape)

    @cached_property
    def _validation(self) -> list[TrainingPatch]:
        """Patches of the frames after those that are kept out."""
        kept = self._kept_out.positions
        if not kept:
            positions = self._plan.validation(self._validation_pixels)
            return [self._read(position) for position in positions]
        return [self._read_kept(position) for position in kept]

    def _positions_to_keep(self, repeats: ImageCollection) -> list[Position]:
        """Choose patches to keep out; of several stacks, whole ones are kept out."""
        if len(repeats) > 1:
            return []
        n_pixels = min(self._plan.layout.n_val_pixels, self._validation_pixels)
        chosen = self._plan.validation(n_pixels)
        return [self._usable(position) for position in chosen]

    def _read_kept(self, kept: Position) -> TrainingPatch:
        """Read the next frame, to be compared with a patch that is kept out."""
        position = next(self._others(kept))
        target = self._reader.read(kept)
        known = ~self._reader.find_unknown(kept, target)[..., np.newaxis]
        return self._prepare(
            position,
            self._reader.read(position),
            target.astype(np.float64),
            np.broadcast_to(known, target.shape),
        )

    def _others(self, position: Position) -> Iterator[Position]:
        """Yield the same place in the next frames, after the last in the first."""
        image = self._plan.images.images[position.image]
        t = image.axes.index("T")
        n_frames = image.stack_shape[t]
        for step in range(1, min(n_frames - 1, MOST_OTHERS) + 1):
            yield _in_frame(position, t, (position.plane[t] + step) % n_frames)

    def _require_different_frames(self, number: int, image: TrainingImage) -> None:
        """Raise if one of many frames is a copy of another."""
        t = image.axes.index("T")
        region = noise_windows(image.plane_shape)[0]
        place = Position(number, (0,) * len(image.stack_shape), region)
        seen: dict[bytes, int] = {}
        for frame in _evenly(list(range(image.stack_shape[t])), _MOST_COPIES):
            pixels = self._reader.read(_in_frame(place, t, frame))
            if not np.ptp(np.nan_to_num(pixels)):
                # Nothing is there.
                continue
            other = seen.setdefault(hashlib.sha256(pixels.tobytes()).digest(), frame)
            if other != frame:
                names = [f"T={each} of {image.name}" for each in (other, frame)]
                raise DatasetError(same_image_message(*names))

    def _require_static(self, number: int, image: TrainingImage) -> None:
        """Raise if frames of a stack differ by more, or less, than their noise."""
        t = image.axes.index("T")
        frames = _evenly(list(range(image.stack_shape[t])), _MOST_CHECKED)
        others = [length for axis, length in enumerate(image.stack_shape) if axis != t]
        for index in _evenly(list(np.ndindex(*others)), _MOST_STACKS):
            plane = (*index[:t], 0, *index[t:])
            for region in noise_windows(image.plane_shape):
                self._compare(Position(number, plane, region), t, frames)

    def _compare(self, place: Position, t: int, frames: list[int]) -> None:
        """Compare frames at one place, each with the next, and the first and last."""
        noise = self._measured.noise_of(place)
        places = [_in_frame(place, t, frame) for frame in frames]
        windows = [
            remove_outliers([self._reader.read(each)], noise.no_data)[0]
            for each in places
        ]
        name = self._plan.images.images[place.image].name
        names = [f"T={frame} of {name}" for frame in frames]
        # Slow drift adds up between the first and the last.
        for one, other in sorted({*pairwise(range(len(frames))), (0, len(frames) - 1)}):
            color = windows[one].shape[-1] // 2
            first, second = (windows[each][..., color] for each in (one, other))
            require_static(first, second, noise, (names[one], names[other]))


def _require_different(images: ImageCollection) -> None:
    """Raise if two stacks are copies: one would be validated on the other."""
    seen: dict[str, str] = {}
    for image in images.images if len(images) > 1 else ():
        other = seen.setdefault(checksum(image), image.name)
        if other != image.name:
            raise DatasetError(same_image_message(other, image.name))


def _in_frame(position: Position, t: int, frame: int) -> Position:
    """Return a position in another frame."""
    plane = (*position.plane[:t], frame, *position.plane[t + 1 :])
    return replace(position, plane=plane)


def _evenly(items: list[Any], most: int) -> list[Any]:
    """Return at most so many items, spread evenly, with the first and the last."""
    chosen = np.linspace(0, len(items) - 1, min(len(items), most)).astype(int)
    return [items[number] for number in chosen]
