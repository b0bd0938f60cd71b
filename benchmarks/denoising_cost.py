"""Compare time and peak memory per megapixel with scikit-image's denoisers.

Each measurement runs in its own process, so that its peak memory is that of one
method. The methods take turns, so that other load slows all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Method = Callable[[NDArray[np.float32]], NDArray[Any]]

SIGMA = 0.5
REFERENCE = "non-local means"
# Environment variables that set the number of threads.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def conv() -> Method:
    """Return the built-in model `conv`, already loaded."""
    from napari_denoise_ae import denoise, load_checkpoint

    checkpoint = load_checkpoint("conv")
    return lambda image: denoise(
        image, model=checkpoint, intensity_range=(0.0, 1.0), device="cpu"
    )


def non_local_means() -> Method:
    """Return non-local means in its fast mode."""
    from skimage.restoration import denoise_nl_means

    return lambda image: denoise_nl_means(
        image,
        patch_size=5,
        patch_distance=6,
        fast_mode=True,
        h=0.8 * SIGMA,
        sigma=SIGMA,
        channel_axis=-1,
    )


def total_variation() -> Method:
    """Return total variation (Chambolle 2004)."""
    from skimage.restoration import denoise_tv_chambolle

    return lambda image: denoise_tv_chambolle(image, weight=SIGMA, channel_axis=-1)


def wavelet() -> Method:
    """Return wavelet shrinkage (VisuShrink)."""
    from skimage.restoration import denoise_wavelet

    return lambda image: denoise_wavelet(
        image, sigma=SIGMA, method="VisuShrink", mode="soft", channel_axis=-1
    )


METHODS: dict[str, Callable[[], Method]] = {
    "conv": conv,
    "non-local means": non_local_means,
    "total variation": total_variation,
    "wavelet": wavelet,
}


def make_image(side: int) -> NDArray[np.float32]:
    """Return a noisy photograph of shape (side, side, 3), in [0, 1].

    It is computed in place, because temporary arrays would raise the peak and hide
    the memory that a method needs later.
    """
    from skimage.data import astronaut

    photograph = astronaut()
    image = np.random.default_rng(0).standard_normal((side, side, 3), dtype=np.float32)
    image *= SIGMA
    step = len(photograph)
    for y in range(0, side, step):
        for x in range(0, side, step):
            block = image[y : y + step, x : x + step]
            block += photograph[: block.shape[0], : block.shape[1]] / np.float32(255)
    return np.clip(image, 0.0, 1.0, out=image)


def measure(method: str, side: int) -> dict[str, float]:
    """Measure one method in this process.

    Parameters
    ----------
    method : str
        A key of `METHODS`.
    side : int
        Number of rows and columns of the image.

    Returns
    -------
    dict
        See `cost_of`.
    """
    return cost_of(METHODS[method](), make_image(side))


def cost_of(denoise: Method, image: NDArray[np.float32]) -> dict[str, float]:
    """Return the cost of denoising an image in this process.

    Parameters
    ----------
    denoise : callable
        The method.
    image : numpy.ndarray
        The image, (Y, X) or (Y, X, 3).

    Returns
    -------
    dict
        ``"seconds"``, wall-clock, and ``"megabytes"``, the peak above the memory
        in use before; both per megapixel.
    """
    denoise(image[:64, :64].copy())  # warm up: the first call imports and allocates
    megapixels = image.shape[0] * image.shape[1] / 1e6
    reset_peak()
    before = peak_megabytes()
    start = time.perf_counter()
    denoise(image)
    seconds = time.perf_counter() - start
    return {
        "seconds": seconds / megapixels,
        "megabytes": (peak_megabytes() - before) / megapixels,
    }


def peak_megabytes() -> float:
    """Return the peak memory of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def reset_peak() -> None:
    """Reset the peak memory to the memory in use, on Linux only."""
    if sys.platform == "linux":
        Path("/proc/self/clear_refs").write_text("5")


def measure_in_process(method: str, side: int, threads: int) -> dict[str, float]:
    """Call `measure` in a new process with a number of threads."""
    environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads))
    command = [sys.executable, __file__, "--only", method, "--sizes", str(side)]
    done = subprocess.run(  # noqa: S603  (this very script)
        command, env=environment, check=True, capture_output=True, text=True
    )
    result: dict[str, float] = json.loads(done.stdout)
    return result


def compare(sizes: list[int], repeats: int, threads: int) -> None:
    """Measure each method on each size and print the medians."""
    print(f"threads {threads}, repeats {repeats}, RGB, float32\n")
    print(
        f"{'size':<13}{'method':<17}{'s/Mpx':>8}{'MB/Mpx':>8}"
        f"{'time / NLM':>12}{'memory / NLM':>14}"
    )
    for side in sizes:
        runs: dict[str, list[dict[str, float]]] = defaultdict(list)
        for _ in range(repeats):
            for method in METHODS:
                runs[method].append(measure_in_process(method, side, threads))
        medians = {method: _medians(results) for method, results in runs.items()}
        seconds, megabytes = medians[REFERENCE]
        for method, (time_cost, memory_cost) in medians.items():
            print(
                f"{f'{side} x {side}':<13}{method:<17}{time_cost:>8.2f}"
                f"{memory_cost:>8.0f}{time_cost / seconds:>12.2f}"
                f"{memory_cost / megabytes:>14.2f}",
                flush=True,
            )


def _medians(results: list[dict[str, float]]) -> tuple[float, float]:
    seconds = statistics.median(result["seconds"] for result in results)
    return seconds, statistics.median(result["megabytes"] for result in results)


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--sizes",
        type=int,
        nargs="+",
        default=[512, 2048],
        help="rows and columns of the images (default: 512 2048)",
    )
    parser.add_argument(
        "--repeats", type=int, default=3, help="runs of each method (default: 3)"
    )
    parser.add_argument(
        "--threads", type=int, default=1, help="threads of each method (default: 1)"
    )
    parser.add_argument(
        "--only",
        choices=METHODS,
        help="measure one method in this process and print JSON",
    )
    arguments = parser.parse_args()
    if arguments.only is None:
        compare(arguments.sizes, arguments.repeats, arguments.threads)
    else:
        print(json.dumps(measure(arguments.only, arguments.sizes[0])))


if __name__ == "__main__":
    main()
