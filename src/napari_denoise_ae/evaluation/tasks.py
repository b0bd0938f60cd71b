"""Models and classical denoisers, scored on images that none of the models has seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..denoising.array import Denoising
from ..errors import InvalidInputError
from ..io.cifar10 import load_test_images
from ..models.config import N_CIFAR10_TEST
from ..noise.setting import NoiseSetting, setting_of
from ..noise.spec import parse_noise
from .pairs import noisy_pairs, plane_axes, read_clean_images, real_pairs
from .test_set import count_test_images

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ..denoising.denoiser import Denoiser
    from .pairs import Pair

#: Images that models are compared on where no limit is given.
COMPARED_IMAGES = 1000
# Where no model says what it was trained for.
_FALLBACK_NOISE = "gaussian:0.5"


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What methods are scored on.

    Parameters
    ----------
    pairs : list of Pair
        Noisy images and their truth.
    noise : str
        The noise that was added, or ``"real"``.
    origin : str
        How many images these are and where they are from, for a user to read.
    setting : NoiseSetting
        What models that take a noise level are told, relative to the images'
        intensity range.
    """

    pairs: list[Pair]
    noise: str
    origin: str
    setting: NoiseSetting


def cifar10_task(
    folder: str | Path,
    models: Mapping[str, Denoiser],
    *,
    noise: str | None = None,
    limit: int | None = None,
    most: int | None = None,
    seed: int = 0,
) -> Task:
    """Take test images of CIFAR-10 that none of the models was trained on.

    Parameters
    ----------
    folder : path
        The folder that holds ``cifar-10-batches-py``.
    models : mapping
        The models by name.
    noise : str, optional
        Noise to add, see `compare_models`.
    limit : int, optional
        Take the first `limit` images.
    most : int, optional
        Take no more than these if no limit is given.
    seed : int
        Decides the noise.

    Raises
    ------
    InvalidInputError, DatasetError
        If the noise, the limit or the data cannot be used.
    """
    noise = _choose_noise(models, noise)
    counts = {name: count_test_images(m.checkpoint) for name, m in models.items()}
    strictest = min(counts, key=counts.__getitem__)
    images = load_test_images(folder, n_test=counts[strictest]).images
    if limit is not None and limit > len(images):
        reason = "there are no more test images"
        if len(images) == counts[strictest] < N_CIFAR10_TEST:
            reason = f"the model {strictest!r} was trained on the others"
        raise InvalidInputError(
            f"limit must be at most {len(images):,} for the test images of CIFAR-10, "
            f"since {reason}; got {limit}."
        )
    pairs = noisy_pairs(
        list(images), noise, seed=seed, limit=most if limit is None else limit
    )
    _require_fitting(pairs, models)
    origin = _describe_origin(len(pairs), len(images), models)
    return Task(pairs, noise, origin, setting_of(parse_noise(noise)))


def folder_task(
    folder: Path,
    models: Mapping[str, Denoiser],
    *,
    noise: str | None = None,
    limit: int | None = None,
    most: int | None = None,
    seed: int = 0,
) -> Task:
    """Take the clean images of a folder; see `cifar10_task`."""
    noise = _choose_noise(models, noise)
    images = read_clean_images(folder)
    pairs = noisy_pairs(
        images, noise, seed=seed, limit=most if limit is None else limit
    )
    _require_fitting(pairs, models)
    which = "all" if len(pairs) == len(images) else f"the first of {len(images):,}"
    origin = f"{len(pairs):,}, {which} in {folder}"
    return Task(pairs, noise, origin, setting_of(parse_noise(noise)))


def pair_task(
    noisy: NDArray[Any],
    reference: NDArray[Any],
    models: Mapping[str, Denoiser],
    data_range: tuple[float, float] | None,
    setting: NoiseSetting | None = None,
) -> Task:
    """Take a real noisy image, or repeats of it, and its reference."""
    pairs = real_pairs(noisy, reference, data_range)
    _require_fitting(pairs, models)
    origin = f"{len(pairs):,} with a reference"
    return Task(pairs, "real", origin, setting or NoiseSetting())


def _choose_noise(models: Mapping[str, Denoiser], noise: str | None) -> str:
    """Return the noise to add, as it is written in full."""
    if noise is not None:
        return str(parse_noise(noise))
    records = {name: m.checkpoint.record for name, m in models.items()}
    own = {name: r.config.noise for name, r in records.items() if r is not None}
    if len(set(own.values())) > 1:
        listed = ", ".join(f"{name}: {text}" for name, text in own.items())
        raise InvalidInputError(
            f"The models were trained for different noise ({listed}). Say by noise "
            "which one to compare them with."
        )
    return next(iter(own.values()), _FALLBACK_NOISE)


def _describe_origin(n: int, n_held_out: int, models: Mapping[str, Denoiser]) -> str:
    """Say how many test images are taken, and why not others."""
    unknown = [name for name, m in models.items() if m.checkpoint.record is None]
    known = [name for name in models if name not in unknown]
    which = "all" if n == n_held_out else f"the first of {n_held_out:,}"
    text = f"{n:,}, {which} test images of CIFAR-10"
    if len(known) > 1:
        text += " that none of the models was trained on"
    elif known:
        text += f" that {known[0]} was not trained on"
    if unknown:
        text += f"; what {' and '.join(unknown)} was trained on is unknown"
    return text


def _require_fitting(pairs: Sequence[Pair], models: Mapping[str, Denoiser]) -> None:
    """Find out before the work whether all models take images of these channels."""
    examples = {pair.noisy.shape[-1]: pair.noisy for pair in pairs}
    for denoiser in models.values():
        for image in examples.values():
            Denoising(image, denoiser, axes=plane_axes(image))
