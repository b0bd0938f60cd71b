"""What it would gain to average the frames or planes next to each other.

``python benchmarks/neighbors.py STACK.tif --reference CLEAN.tif`` scores each frame of
repeats of one field. ``python benchmarks/neighbors.py STACK.tif`` scores frames
of which no clean ones exist: each noisy frame y is split into y + z / 2 and y - 2 z,
where z is drawn with the noise's own variance, so that the noise of the two is
independent [1]_. The first is denoised and compared with the second, and the noise of
the second is subtracted from the error.

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
# How many frames before and after one are averaged with it.
REACHES = (0, 1, 2)
# The share of z that is added to what is denoised; what is compared with gets the
# rest, and the more of the noise.
SHARE = 0.5


def main() -> None:
    """Print the scores of one stack."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stack", type=Path, help="TIFF of frames, (T, Y, X)")
    parser.add_argument("--reference", type=Path, help="clean image of all frames")
    options = parser.parse_args()
    stack = tifffile.imread(options.stack).astype(np.float64)
    if options.reference is not None:
        clean = tifffile.imread(options.reference).astype(np.float64)
        noisy, wanted, floor = stack, np.broadcast_to(clean, stack.shape), 0.0
    else:
        noisy, wanted, floor = split(stack)
    # The same frames for all: those that have all their neighbors.
    most = min(max(REACHES), (len(stack) - 1) // 2)
    inner = slice(most, len(stack) - most)
    single = denoise_counts(noisy)
    data_range = float(np.ptp(np.percentile(single, (0.1, 99.9))))
    print(f"{len(wanted[inner])} of {len(stack)} frames, PSNR / dB")
    print("frames averaged  before denoising   after denoising")
    for reach in (reach for reach in REACHES if reach <= most):
        before = denoise_counts(average(noisy, reach)[inner])
        after = average(single, reach)[inner]
        figures = [
            10.0 * np.log10(data_range**2 / (error(result, wanted[inner]) - floor))
            for result in (before, after)
        ]
        print(f"{2 * reach + 1:>15}{figures[0]:>18.2f}{figures[1]:>18.2f}")


def error(result: NDArray[Any], wanted: NDArray[Any]) -> float:
    """Return the mean squared error."""
    return float(np.mean((result - wanted) ** 2))


def denoise_counts(stack: NDArray[Any]) -> NDArray[Any]:
    """Denoise frames one by one, as photon counts."""
    return denoise(stack, noise_type="poisson-gaussian", axes="TYX", device="cpu")


def average(stack: NDArray[Any], reach: int) -> NDArray[Any]:
    """Return the mean of each frame and its neighbors; of fewer at the ends."""
    windows = (stack[max(t - reach, 0) : t + reach + 1] for t in range(len(stack)))
    return np.stack([window.mean(axis=0) for window in windows])


def split(stack: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], float]:
    """Return two stacks of the same frames, with noise of their own.

    The third is the mean squared noise of the second.
    """
    curve = fit_noise_curve(list(stack[..., np.newaxis])).curve
    variance = curve.variance(denoise_counts(stack))
    z = np.sqrt(variance) * np.random.default_rng(SEED).standard_normal(stack.shape)
    floor = float(variance.mean()) * (1.0 + SHARE**-2)
    return stack + SHARE * z, stack - z / SHARE, floor


if __name__ == "__main__":
    main()
