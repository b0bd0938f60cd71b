"""What a trust report says of a noisy image, beside the truth, for `trust.py`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from noise_rows import blurred, camera, clipped, photographs, poisson, repeats, white
from scipy.stats import spearmanr

from napari_denoise_ae import assess, denoise
from napari_denoise_ae.evaluation.trust.maps import BLOCK, block_means
from napari_denoise_ae.evaluation.trust.report import TransferCurve, TrustReport
from napari_denoise_ae.evaluation.trust.rings import (
    FREQUENCIES,
    ring_sums,
    spectrum,
)
from napari_denoise_ae.evaluation.trust.transfer import cutoff

if TYPE_CHECKING:
    from collections.abc import Iterator

    from noise_rows import AddNoise, Scene
    from numpy.typing import NDArray

#: A model that does not fit: it takes no noise level and was trained at one.
MISFIT = "residual"
#: The noises, by name: white, photon counts, a camera with a pedestal, blurred.
NOISES: dict[str, AddNoise] = {
    **{f"gaussian {s}": partial(white, sigma=s) for s in (5, 10, 25, 50)},
    **{f"poisson {p}": partial(poisson, peak=p) for p in (2, 10, 100)},
    "camera 20": partial(camera, peak=20),
    "8 bits 25": partial(clipped, sigma=25),
    **{f"blurred {b}": partial(blurred, blur=b) for b in (0.45, 0.6, 1.0)},
}
#: Noises with which other strengths and the misfit are tried, as well.
VARIED = ("gaussian 10", "gaussian 25", "gaussian 50", "poisson 10", "poisson 100")
#: Noises whose level is also given.
GIVEN = tuple(name for name in NOISES if name.startswith("gaussian"))
SIDE = 256
#: Measured photon counts, and the PSNR to which the noise of their truth limits scores.
CAPS = {"hazelnut_thin10": 36.0, "seminal_thin3": 37.5}


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A report and the truth.

    Parameters
    ----------
    image : int
        Number of the image in its folder, from 0.
    noise, variant : str
        Names of the noise, and of how it was removed: ``"right"``, ``"given"``,
        ``"0.5"``, ``"2.5"`` or ``"misfit"``.
    report : TrustReport
        The report.
    psnr : float
        The true PSNR in dB.
    cutoff : float
        The true frequency at which half of the signal is kept; NaN if there is none.
    rank : float
        Rank correlation of the error map and the true error of blocks; NaN without map.
    """

    image: int
    noise: str
    variant: str
    report: TrustReport
    psnr: float
    cutoff: float
    rank: float


def trials_of(
    folders: list[Path],
    examples: Path | None,
    limit: int | None,
    *,
    include_all: bool = False,
) -> Iterator[Trial]:
    """Yield the trials of the photographs in folders, and of measured counts.

    Photographs with even numbers are only included on demand.
    """
    for number, name, scene in _scenes(folders, limit, step=1 if include_all else 2):
        for variant, options in _variants(name).items():
            yield _try(scene, number, name, variant, options)
    for prefix, cap in CAPS.items() if examples is not None else ():
        for number, scene in enumerate(repeats(Path(examples or "") / prefix)):
            for variant, options in _variants("poisson 10").items():
                yield _try(scene, number, prefix, variant, options, cap)


def _scenes(
    folders: list[Path], limit: int | None, *, step: int
) -> Iterator[tuple[int, str, Scene]]:
    for folder in folders:
        numbered = enumerate(photographs(folder, limit))
        for number, clean in islice(numbered, step - 1, None, step):
            for name, noise in NOISES.items():
                yield number, name, noise(_crop(clean), number)


def _variants(name: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {"right": {}}
    if name in GIVEN:
        found["given"] = {"sigma": float(name.split()[1]) / 255}
    if name in VARIED:
        found |= {
            strength: {"strength": float(strength)} for strength in ("0.5", "2.5")
        }
        found["misfit"] = {"model": MISFIT}
    return found


def _try(
    scene: Scene,
    number: int,
    noise: str,
    variant: str,
    options: dict[str, Any],
    cap: float = math.inf,
) -> Trial:
    chosen = {"device": "cpu", "dtype": "float32", **options}
    denoised = denoise(scene.noisy, **chosen)
    report = assess(scene.noisy, denoised, data_range=scene.data_range, **chosen)
    error = denoised - scene.clean
    width = scene.data_range[1] - scene.data_range[0]
    return Trial(
        number,
        noise,
        variant,
        report,
        _without_noise_of_truth(
            10 * math.log10(width**2 / float(np.square(error).mean())), cap
        ),
        _true_cutoff(_with_channels(denoised), _with_channels(scene.clean)),
        _rank(report, _with_channels(error)),
    )


def _without_noise_of_truth(psnr: float, cap: float) -> float:
    """Return the PSNR to a truth without noise, which would give a PSNR of `cap`."""
    error = 10 ** (-psnr / 10) - 10 ** (-cap / 10)
    return -10 * math.log10(error)


def _rank(report: TrustReport, error: NDArray[Any]) -> float:
    shown = report.windows[0].error
    if shown is None:
        return math.nan
    blocks = shown[::BLOCK, ::BLOCK]
    known = np.isfinite(blocks)
    true = block_means(np.square(error), np.ones(error.shape, dtype=bool))
    return float(spearmanr(blocks[known], true[known])[0])


def _true_cutoff(denoised: NDArray[Any], clean: NDArray[Any]) -> float:
    window = np.outer(*(np.hanning(n + 2)[1:-1] for n in clean.shape[:2]))[..., None]
    middle = denoised.mean(axis=(0, 1))
    result, truth = (spectrum((x - middle) * window) for x in (denoised, clean))
    kept = ring_sums(result, truth, clean.shape) / ring_sums(truth, truth, clean.shape)
    return cutoff(TransferCurve(FREQUENCIES, kept))


def _crop(image: NDArray[Any]) -> NDArray[Any]:
    """Return the middle of an image."""
    rows, columns = (
        slice(max((n - SIDE) // 2, 0), max((n - SIDE) // 2, 0) + SIDE)
        for n in image.shape[:2]
    )
    return image[rows, columns]


def _with_channels(image: NDArray[Any]) -> NDArray[np.float64]:
    values = np.asarray(image, np.float64)
    return values if values.ndim == 3 else values[..., np.newaxis]
