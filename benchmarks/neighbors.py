"""Measure what averaging each frame of a stack with its neighbors would gain.

``python benchmarks/neighbors.py STACK.tif --reference CLEAN.tif`` scores repeated
frames of one field of view against a clean image.

``python benchmarks/neighbors.py STACK.tif`` needs no clean image. Each noisy frame y is
split into y + z / 2 and y - 2 z, where z is random with the variance of the noise, so
that the noise of the two parts is independent [1]_. The first part is denoised and
compared with the second, and the noise variance of the second is subtracted from the
mean squared error.

.. [1] Pang et al., Recorrupted-to-recorrupted: unsupervised deep learning for image
   denoising, 2021, doi:10.1109/CVPR46437.2021.00208.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from napari_denoise_ae import denoise
from napari_denoise_ae.noise.curve import fit_noise_curve

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEED = 0
# How many frames before and after each frame are averaged with it.
REACHES = (0, 1, 2)
# Factor of z in the denoised part. A smaller one leaves less noise in that part and
# more in the other.
SPLIT = 0.5


def main() -> None:
    """Print the scores of one stack."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stack", type=Path, help="TIFF of frames, (T, Y, X)")
    parser.add_argument("--reference", type=Path, help="clean image for all frames")
    options = parser.parse_args()
    stack = tifffile.imread(options.stack).astype(np.float64)
    if options.reference is not None:
        clean = tifffile.imread(options.reference).astype(np.float64)
        noisy, target, noise = stack, np.broadcast_to(clean, stack.shape), 0.0
    else:
        noisy, target, noise = split(stack)
    # Score only frames that have all neighbors, so that all rows use the same frames.
    longest = min(max(REACHES), (len(stack) - 1) // 2)
    inner = slice(longest, len(stack) - longest)
    single = denoise_counts(noisy)
    data_range = float(np.ptp(np.percentile(single, (0.1, 99.9))))
    print(f"{len(target[inner])} of {len(stack)} frames, PSNR / dB")
    print("frames averaged  before denoising   after denoising")
    for reach in (reach for reach in REACHES if reach <= longest):
        before = denoise_counts(average(noisy, reach)[inner])
        after = average(single, reach)[inner]
        psnrs = [
            10.0 * np.log10(data_range**2 / (squared_error(x, target[inner]) - noise))
            for x in (before, after)
        ]
        print(f"{2 * reach + 1:>15}{psnrs[0]:>18.2f}{psnrs[1]:>18.2f}")


def squared_error(result: NDArray[Any], target: NDArray[Any]) -> float:
    """Return the mean squared error."""
    return float(np.mean((result - target) ** 2))


def denoise_counts(stack: NDArray[Any]) -> NDArray[Any]:
    """Denoise photon counts frame by frame."""
    return denoise(
        stack,
        noise_type="poisson-gaussian",
        axes="TYX",
        device="cpu",
        precision="float32",
    )


def average(stack: NDArray[Any], reach: int) -> NDArray[Any]:
    """Average each frame with its neighbors, of which there are fewer at the ends."""
    windows = (stack[max(t - reach, 0) : t + reach + 1] for t in range(len(stack)))
    return np.stack([window.mean(axis=0) for window in windows])


def split(stack: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], float]:
    """Split a noisy stack into two stacks with independent noise.

    Parameters
    ----------
    stack : numpy.ndarray
        (T, Y, X), float64.

    Returns
    -------
    to_denoise, target : numpy.ndarray
        The two stacks, the same shape and dtype.
    noise : float
        Mean noise variance of `target`.
    """
    curve = fit_noise_curve(list(stack[..., np.newaxis])).curve
    variance = curve.variance(denoise_counts(stack))
    z = np.sqrt(variance) * np.random.default_rng(SEED).standard_normal(stack.shape)
    noise = float(variance.mean()) * (1.0 + SPLIT**-2)
    return stack + SPLIT * z, stack - z / SPLIT, noise


if __name__ == "__main__":
    main()
