"""Compare one click with other denoisers, for each kind of noise.

``python benchmarks/real_noise.py --examples DIR --gray DIR --color DIR`` prints the
mean PSNR of ``denoise(image)`` on photon counts and on photographs with added noise:
white, clipped, growing with the intensity, or correlated. ``--images DIR`` adds your
own clean photographs, and ``--peers`` the methods of other packages. Checks follow: the
gain from neighboring frames, how often correlated noise is reported, and the time that
measuring the noise takes.
"""

from __future__ import annotations

import argparse
import statistics
import warnings
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from neighbors import squared_error
from noise_checks import (
    SIDE,
    print_alarms,
    print_cost,
    print_gains_of_frames,
)
from noise_rows import (
    BLURRED,
    CLIPPED,
    COUNTS,
    N_FEW,
    WHITE,
    Row,
    Scene,
    demo_row,
    example_rows,
    photograph_rows,
)
from peers import EXTRA_MODULES, Method, bm3d, non_local_means, opencv, total_variation
from skimage.filters import gaussian

from napari_denoise_ae import denoise
from napari_denoise_ae.errors import DenoiseAEWarning
from napari_denoise_ae.noise.anscombe import anscombe, inverse_anscombe
from napari_denoise_ae.noise.curve import fit_noise_curve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

# Number of images on which the parameters of the peers are chosen.
N_FITTED = 4


def gaussian_filter(
    image: NDArray[np.float32], sigma: float, parameter: float
) -> NDArray[Any]:
    """Apply a Gaussian filter; its width in pixels is the factor."""
    channel_axis = -1 if image.ndim == 3 else None
    filtered: NDArray[Any] = gaussian(
        image, parameter / sigma, channel_axis=channel_axis
    )
    return filtered


# The factors are wider than in peers.py: correlated noise requires more smoothing.
PEERS = {
    "Gaussian": Method(gaussian_filter, (0.5, 0.7, 1.0, 1.4, 2.0, 2.8)),
    "TV": Method(total_variation, (0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0)),
    "NLM": Method(non_local_means, (0.4, 0.6, 0.8, 1.0, 1.4, 2.0)),
    "OpenCV NLM": Method(opencv, (0.6, 0.8, 1.0, 1.2, 1.5, 2.0)),
    "BM3D": Method(bm3d, (1.0, 1.5, 2.0)),
}


# --- the table ---------------------------------------------------------------


def print_table(rows: list[Row], peers: list[str]) -> None:
    """Print the mean PSNR of each row as soon as it is known."""
    columns = ["noisy", "one click", *peers]
    print(f"{'mean PSNR / dB':<44}" + "".join(f"{name:>11}" for name in columns))
    for row in rows:
        scenes = list(row.scenes())
        values = [mean_psnr(scenes, lambda noisy: noisy), one_click(row, scenes)]
        if not row.is_stack:
            values += [best_psnr(PEERS[name], row, scenes) for name in peers]
        print(f"{row.name:<44}" + "".join(f"{value:>11.2f}" for value in values))


def mean_psnr(
    scenes: Iterable[Scene], method: Callable[[NDArray[Any]], NDArray[Any]]
) -> float:
    """Return the mean PSNR of a method of noisy images."""
    return statistics.fmean(scene.psnr(method(scene.noisy)) for scene in scenes)


def one_click(row: Row, scenes: list[Scene]) -> float:
    """Return the mean PSNR of `denoise` with the options of a row."""
    return mean_psnr(
        scenes,
        lambda noisy: denoise(noisy, device="cpu", precision="float32", **row.options),
    )


# --- the peers ---------------------------------------------------------------


def best_psnr(peer: Method, row: Row, scenes: list[Scene]) -> float:
    """Return the mean PSNR of a peer with the best parameter on the first images."""

    def score(factor: float, scored: list[Scene]) -> float:
        return statistics.fmean(
            scene.psnr(apply_peer(peer, factor, scene, row.noise_grows))
            for scene in scored
        )

    best = max(peer.factors, key=lambda factor: score(factor, scenes[:N_FITTED]))
    return score(best, scenes)


def apply_peer(
    peer: Method, factor: float, scene: Scene, noise_grows: bool
) -> NDArray[Any]:
    """Denoise with a peer that is told the true noise level.

    Noise that grows with the intensity is stabilized before.
    """
    noisy, clean = scene.noisy.astype(np.float64), scene.clean
    if noise_grows:
        window = noisy if noisy.ndim == 3 else noisy[..., np.newaxis]
        curve = fit_noise_curve([window]).curve
        noisy, clean = anscombe(noisy, curve), anscombe(clean, curve)
    # OpenCV requires values from 0 to 1.
    low, width = noisy.min(), np.ptp(noisy)
    sigma = float(np.sqrt(squared_error(noisy, clean)) / width)
    unit = ((noisy - low) / width).astype(np.float32)
    denoised = low + width * peer.function(unit, sigma, factor * sigma)
    return inverse_anscombe(denoised, curve) if noise_grows else denoised


def available(with_bm3d: bool) -> list[str]:
    """Return the peers whose packages are installed."""
    names = []
    for name in PEERS:
        module = EXTRA_MODULES.get(name)
        if name == "BM3D" and not with_bm3d:
            continue
        if module is not None and find_spec(module) is None:
            print(f"Skipping {name}: the module {module} is not installed.")
        else:
            names.append(name)
    return names


# --- the choice of rows ------------------------------------------------------


def all_rows(options: argparse.Namespace) -> list[Row]:
    """Return the rows of the table."""
    rows: list[Row] = []
    if options.examples is not None:
        rows += example_rows(options.examples)
    if options.gray is not None:
        rows += photograph_rows(options.gray, COUNTS | BLURRED, limit=N_FEW)
        rows += photograph_rows(options.gray, WHITE | CLIPPED)
    if options.color is not None:
        rows += photograph_rows(options.color, WHITE)
    rows.append(demo_row())
    for folder in options.images:
        rows += photograph_rows(folder, COUNTS | BLURRED | WHITE | CLIPPED)
    return rows


def all_checks(options: argparse.Namespace) -> dict[str, Callable[[], None]]:
    """Return the checks that follow the table, by their headings."""
    checks: dict[str, Callable[[], None]] = {}
    if options.examples is not None:
        checks["neighboring frames of the lysosome series"] = partial(
            print_gains_of_frames, sorted(options.examples.glob("lysosome_*_TYX_*.tif"))
        )
    folders = [options.gray, options.color, *options.images]
    checks["images with an alarm: correlated noise"] = partial(
        print_alarms, [folder for folder in folders if folder is not None]
    )
    checks[f"CPU time of one click / known sigma, {SIDE} x {SIDE}"] = print_cost
    return checks


def main() -> None:
    """Parse the arguments and print the table and the checks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    folders = {
        "examples": "folder of photon counts, see benchmarks/README.md",
        "gray": "folder of clean gray photographs, such as Set12",
        "color": "folder of clean color photographs, such as McMaster18",
    }
    for name, text in folders.items():
        parser.add_argument(f"--{name}", type=Path, metavar="DIR", help=text)
    parser.add_argument(
        "--images",
        type=Path,
        nargs="+",
        default=[],
        metavar="DIR",
        help="folders of your own clean photographs",
    )
    parser.add_argument(
        "--rows",
        nargs="+",
        metavar="WORD",
        default=[""],
        help="only rows and checks whose names contain one of these words",
    )
    parser.add_argument(
        "--peers", action="store_true", help="include the denoisers of other packages"
    )
    parser.add_argument(
        "--bm3d", action="store_true", help="include BM3D, which is very slow"
    )
    options = parser.parse_args()
    warnings.simplefilter("ignore", DenoiseAEWarning)

    def is_chosen(name: str) -> bool:
        return any(word in name for word in options.rows)

    peers = available(options.bm3d) if options.peers or options.bm3d else []
    rows = [row for row in all_rows(options) if is_chosen(row.name)]
    if rows:
        print_table(rows, peers)
    for heading, check in all_checks(options).items():
        if is_chosen(heading):
            print(f"\n{heading}")
            check()


if __name__ == "__main__":
    main()
