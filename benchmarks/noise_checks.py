"""The checks of `real_noise.py` beside its table."""

from __future__ import annotations

import statistics
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
from neighbors import split, squared_error
from noise_rows import blurred, noisy_scenes, photographs, poisson, white
from skimage.data import camera

from napari_denoise_ae import denoise, measure_noise

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from noise_rows import AddNoise
    from numpy.typing import NDArray

N_TIMINGS = 5
SIDE = 512
# Noises in which the reports of correlated noise are counted; only blurred noise is.
NOISES: dict[str, dict[float, AddNoise]] = {
    "white, sigma": {x: partial(white, sigma=x) for x in (5, 10, 15, 25, 50, 75)},
    "Poisson, peak": {x: partial(poisson, peak=x) for x in (1, 2, 5, 10, 20, 50, 100)},
    "blurred by": {x: partial(blurred, blur=x) for x in (0.4, 0.5, 0.6, 1.0, 1.5)},
}


def print_gains_of_frames(paths: list[Path]) -> None:
    """Print how much neighboring frames lower the error of series without truth.

    The noise of each frame is split into two independent parts, see `neighbors.py`.
    """
    choices: tuple[dict[str, Any], ...] = ({}, {"frames": 2})
    for path in paths:
        to_denoise, target, noise = split(tifffile.imread(path).astype(np.float64))
        single, averaged = (
            squared_error(
                denoise(to_denoise, axes="TYX", device="cpu", **choice), target
            )
            for choice in choices
        )
        gain = 10 * np.log10((single - noise) / (averaged - noise))
        print(f"{path.stem}, frames=2: {gain:+.2f} dB")


def print_alarms(folders: list[Path]) -> None:
    """Print how often correlated noise is reported, and in which noise."""
    for folder in folders:
        for title, noises in NOISES.items():
            counts = [
                f"{level}: "
                + count_alarms(each.noisy for each in noisy_scenes(folder, noise, None))
                for level, noise in noises.items()
            ]
            print(f"{folder.name}, {title} {', '.join(counts)}")
        print(f"{folder.name}, clean: {count_alarms(photographs(folder))}")


def count_alarms(images: Iterable[NDArray[Any]]) -> str:
    """Return in how many of some images correlated noise is reported."""
    reported = [bool(measure_noise(image).is_correlated) for image in images]
    return f"{sum(reported)} of {len(reported)}"


def print_cost() -> None:
    """Print the CPU time of one click relative to that with a known sigma."""
    clean = camera() / 255
    scenes = {
        "white": white(clean, 0, sigma=25),
        "Poisson": poisson(clean, 0, peak=20),
        "correlated": blurred(clean, 0, blur=1.0),
    }
    for name, scene in scenes.items():
        sigma = float(np.sqrt(squared_error(scene.noisy, scene.clean)))
        ratios = []
        for _ in range(N_TIMINGS):
            known = cpu_seconds(scene.noisy, sigma=sigma)
            ratios.append(cpu_seconds(scene.noisy) / known)
        print(f"{name} noise: {statistics.median(ratios):.2f}")


def cpu_seconds(image: NDArray[Any], **options: Any) -> float:
    """Return the CPU seconds of `denoise`."""
    start = time.process_time()
    denoise(image, device="cpu", **options)
    return time.process_time() - start
