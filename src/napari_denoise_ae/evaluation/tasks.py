"""Sources of images to score methods on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from ..denoising.array import Denoising
from ..denoising.options import DenoiseOptions
from ..errors import InvalidInputError
from ..image.axes import count_colors
from ..io.cifar10 import load_test_images
from ..io.source import open_image
from ..models.config import N_CIFAR10_TEST
from ..noise.setting import NoiseSetting, setting_of
from ..noise.spec import parse_noise
from .fitting import fitting_denoiser
from .pairs import (
    find_clean_images,
    noisy_pairs,
    plane_axes,
    read_clean_image,
    real_pairs,
)
from .test_set import count_test_images

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from .fitting import ScoredModel
    from .pairs import Pair

#: Number of images to compare models on if no limit is given.
COMPARED_IMAGES = 1000
# Used if no checkpoint records the noise that its model was trained for.
_FALLBACK_NOISE = "gaussian:0.5"


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """Noisy and clean images, and how they were made.

    Parameters
    ----------
    pairs : list of Pair
        Noisy and clean images.
    noise : str
        Noise that was added, or ``"real"``.
    origin : str
        Description of the number and source of the images, for display.
    setting : NoiseSetting
        Noise settings for models that take a noise level, relative to the
        images' intensity range.
    notes : tuple of str
        What a user should know of how the images were read.
    """

    pairs: list[Pair]
    noise: str
    origin: str
    setting: NoiseSetting
    notes: tuple[str, ...] = ()


class ImageSource(Protocol):
    """A source of images to score methods on."""

    def count_colors(self) -> set[int]:
        """Return the numbers of colors of the images, for the model ``auto``."""
        ...

    def make_task(self, models: Mapping[str, ScoredModel]) -> Task:
        """Select images for some models, and add noise to clean images.

        Parameters
        ----------
        models : mapping
            Models by name.

        Returns
        -------
        Task
            Noisy and clean images.

        Raises
        ------
        InvalidInputError, DatasetError
            If the images, the noise, or the limit is invalid.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _CleanImages:
    """Clean images to which noise is added.

    Parameters
    ----------
    noise : str, optional
        Noise to add. None means the noise that the models were trained for.
    limit : int, optional
        Number of images, from the first on.
    max_images : int, optional
        Maximum number of images if `limit` is None. None means all.
    seed : int
        Random seed of the noise, 0 or more.
    measured : bool
        Whether models that take a noise level measure it in each image, as
        `denoise` does by default. False passes on the level of the noise that is
        added, where it is known.
    """

    noise: str | None = None
    limit: int | None = None
    max_images: int | None = None
    seed: int = 0
    measured: bool = False

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise InvalidInputError(
                f"seed must be an integer of at least 0, got {self.seed}."
            )
        if self.noise is not None:
            # Scores show the canonical notation.
            object.__setattr__(self, "noise", str(parse_noise(self.noise)))

    def _noisy_pairs(
        self,
        images: Sequence[NDArray[Any]],
        noise: str,
        models: Mapping[str, ScoredModel],
    ) -> list[Pair]:
        pairs = noisy_pairs(images, noise, seed=self.seed, limit=self._most_images)
        _require_compatible(pairs, models)
        return pairs

    @property
    def _most_images(self) -> int | None:
        return self.max_images if self.limit is None else self.limit

    def _setting(self, noise: str) -> NoiseSetting:
        return NoiseSetting() if self.measured else setting_of(parse_noise(noise))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cifar10Images(_CleanImages):
    """Test images of CIFAR-10 that none of the models was trained on.

    The other parameters are those of `_CleanImages`.

    Parameters
    ----------
    folder : path
        Folder that contains ``cifar-10-batches-py``.
    """

    folder: str | Path

    def count_colors(self) -> set[int]:
        """Return the number of colors: 3."""
        return {3}

    def make_task(self, models: Mapping[str, ScoredModel]) -> Task:
        """Load images that none of the models was trained on, and add noise."""
        noise = self.noise or _noise_of_training(models)
        counts = {name: count_test_images(m.checkpoint) for name, m in models.items()}
        smallest = min(counts, key=counts.__getitem__)
        images = load_test_images(self.folder, n_test=counts[smallest]).images
        if self.limit is not None and self.limit > len(images):
            reason = "there are no more test images"
            if len(images) == counts[smallest] < N_CIFAR10_TEST:
                reason = f"the model {smallest!r} was trained on the others"
            raise InvalidInputError(
                f"limit must be at most {len(images):,} for the test images of "
                f"CIFAR-10, since {reason}; got {self.limit}."
            )
        pairs = self._noisy_pairs(list(images), noise, models)
        origin = _describe_origin(len(pairs), len(images), models)
        return Task(pairs, noise, origin, self._setting(noise))


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderImages(_CleanImages):
    """Clean images in a folder.

    The other parameters are those of `_CleanImages`.

    Parameters
    ----------
    folder : pathlib.Path
        Folder that contains the images.
    """

    folder: Path

    def count_colors(self) -> set[int]:
        """Return the numbers of colors of the images, without reading pixels."""
        paths = find_clean_images(self.folder)[: self._most_images]
        stored = [open_image(path) for path in paths]
        return {count_colors(image.shape, image.axes) for image in stored}

    def make_task(self, models: Mapping[str, ScoredModel]) -> Task:
        """Read the images and add noise."""
        noise = self.noise or _noise_of_training(models)
        paths = find_clean_images(self.folder)
        files = [read_clean_image(path) for path in paths]
        images = [file.pixels for file in files]
        pairs = self._noisy_pairs(images, noise, models)
        which = "all" if len(pairs) == len(images) else f"the first of {len(images):,}"
        origin = f"{len(pairs):,}, {which} in {self.folder}"
        used = zip(paths, files[: len(pairs)], strict=False)
        notes = tuple(f"{path}: {note}" for path, file in used for note in file.notes)
        return Task(pairs, noise, origin, self._setting(noise), notes)


@dataclass(frozen=True, slots=True, eq=False)
class ImagePair:
    """A real noisy image, or a stack of repeats, and its reference.

    Parameters
    ----------
    noisy, reference, data_range
        See `real_pairs`.
    setting : NoiseSetting
        Noise settings for models that take a noise level.
    notes : tuple of str
        See `Task`.
    """

    noisy: NDArray[Any]
    reference: NDArray[Any]
    data_range: tuple[float, float] | None = None
    setting: NoiseSetting = field(default_factory=NoiseSetting)
    notes: tuple[str, ...] = ()

    def count_colors(self) -> set[int]:
        """Return the number of colors of the reference."""
        return {count_colors(self.reference.shape, None)}

    def make_task(self, models: Mapping[str, ScoredModel]) -> Task:
        """Pair the noisy images with the reference."""
        pairs = real_pairs(self.noisy, self.reference, self.data_range)
        _require_compatible(pairs, models)
        origin = f"{len(pairs):,} with a reference"
        return Task(pairs, "real", origin, self.setting, self.notes)


def _noise_of_training(models: Mapping[str, ScoredModel]) -> str:
    """Return the noise that all models were trained for."""
    records = {name: m.checkpoint.record for name, m in models.items()}
    own = {name: r.config.noise for name, r in records.items() if r is not None}
    if len(set(own.values())) > 1:
        listed = ", ".join(f"{name}: {text}" for name, text in own.items())
        raise InvalidInputError(
            f"The models were trained for different noise ({listed}). Specify the "
            "noise to compare them on."
        )
    return next(iter(own.values()), _FALLBACK_NOISE)


def _describe_origin(
    n: int, n_available: int, models: Mapping[str, ScoredModel]
) -> str:
    """Describe the number of test images, and why the others are not used."""
    unknown = [name for name, m in models.items() if m.checkpoint.record is None]
    known = [name for name in models if name not in unknown]
    which = "all" if n == n_available else f"the first of {n_available:,}"
    text = f"{n:,}, {which} test images of CIFAR-10"
    if len(known) > 1:
        text += " that none of the models was trained on"
    elif known:
        text += f" that {known[0]} was not trained on"
    if unknown:
        text += f"; the training data of {' and '.join(unknown)} is unknown"
    return text


def _require_compatible(
    pairs: Sequence[Pair], models: Mapping[str, ScoredModel]
) -> None:
    """Raise before scoring if a model does not take the channels of the images."""
    examples = {pair.noisy.shape[-1]: pair.noisy for pair in pairs}
    for model in models.values():
        for n_colors, image in examples.items():
            denoiser = fitting_denoiser(model, n_colors)
            Denoising(image, denoiser, DenoiseOptions(axes=plane_axes(image)))
