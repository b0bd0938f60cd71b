"""Compare quality and cost of the models gray and rgb with other denoisers.

``python benchmarks/peers.py --images DIR`` adds unclipped Gaussian noise to the images
of a folder and prints a table: the mean PSNR for each sigma, and CPU seconds per
megapixel on one thread. More about the cost of the built-in model follows. The script
needs Linux or macOS, to measure memory.

Two methods are optional: OpenCV's non-local means (``pip install
opencv-python-headless``), and BM3D (``pip install bm3d``, and ``--bm3d``). BM3D is very
slow, and its license allows only non-commercial use.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from denoising_cost import THREAD_VARIABLES, cost_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from napari_denoise_ae.evaluation.pairs import Pair

    #: Function of an image, float32 of shape (Y, X) or (Y, X, 3), its sigma, and the
    #: parameter of the method in the same unit; returns the denoised image.
    Function = Callable[[NDArray[np.float32], float, float], NDArray[Any]]

REFERENCE = "NLM"
BUILT_IN = "built-in, known sigma"
SEED = 0
# Number of images on which parameters are chosen.
N_FITTED = 4
SIDE, LARGE_SIDE = 512, 2048
N_STARTS = 3


@dataclass(frozen=True)
class Method:
    """A denoiser.

    Parameters
    ----------
    function : callable
        See `Function`.
    factors : tuple of float
        Values to try for its parameter, as multiples of sigma. For each sigma, the
        one with the highest PSNR on the first images is used.
    """

    function: Function
    factors: tuple[float, ...] = (1.0,)


# --- the methods -----------------------------------------------------------


def built_in(image: NDArray[np.float32], _: float, sigma: float) -> NDArray[Any]:
    """Apply the built-in model for the image's colors, with a known sigma."""
    from napari_denoise_ae import denoise

    return denoise(image, sigma=sigma, device="cpu", precision="float32")


def built_in_blind(image: NDArray[np.float32], _: float, __: float) -> NDArray[Any]:
    """Apply the built-in model for the image's colors, with an estimated sigma."""
    from napari_denoise_ae import denoise

    return denoise(image, device="cpu", precision="float32")


def wavelet(image: NDArray[np.float32], _: float, sigma: float) -> NDArray[Any]:
    """Apply BayesShrink, to color images in YCbCr, as scikit-image recommends."""
    from skimage.restoration import denoise_wavelet

    color = {"channel_axis": -1, "convert2ycbcr": True} if image.ndim == 3 else {}
    return denoise_wavelet(
        image, sigma=sigma, method="BayesShrink", rescale_sigma=True, **color
    )


def total_variation(
    image: NDArray[np.float32], _: float, weight: float
) -> NDArray[Any]:
    """Minimize the total variation (Chambolle 2004)."""
    from skimage.restoration import denoise_tv_chambolle

    return denoise_tv_chambolle(image, weight=weight, channel_axis=_colors(image))


def non_local_means(image: NDArray[np.float32], sigma: float, h: float) -> NDArray[Any]:
    """Apply scikit-image's non-local means in its fast mode."""
    from skimage.restoration import denoise_nl_means

    return denoise_nl_means(
        image,
        patch_size=5,
        patch_distance=6,
        fast_mode=True,
        h=h,
        sigma=sigma,
        channel_axis=_colors(image),
    )


def opencv(image: NDArray[np.float32], _: float, h: float) -> NDArray[Any]:
    """Apply OpenCV's non-local means in 8 bits: patches of 7, windows of 21 pixels."""
    import cv2

    as_bytes = np.rint(255 * np.clip(image, 0.0, 1.0)).astype(np.uint8)
    if image.ndim == 2:
        denoised = cv2.fastNlMeansDenoising(as_bytes, None, 255 * h, 7, 21)
    else:
        # OpenCV expects the order blue, green, red, and a second h for the colors.
        h_luminance = h_color = 255 * h
        bgr = np.ascontiguousarray(as_bytes[..., ::-1])
        denoised = cv2.fastNlMeansDenoisingColored(
            bgr, None, h_luminance, h_color, 7, 21
        )[..., ::-1]
    return denoised / np.float32(255)


def bm3d(image: NDArray[np.float32], _: float, sigma: float) -> NDArray[Any]:
    """Apply BM3D, the implementation of its authors, with the default profile."""
    from bm3d import bm3d as gray
    from bm3d import bm3d_rgb

    return (gray if image.ndim == 2 else bm3d_rgb)(image, sigma)


def _colors(image: NDArray[Any]) -> int | None:
    return -1 if image.ndim == 3 else None


METHODS: dict[str, Method] = {
    "noisy": Method(lambda image, _, __: image),
    BUILT_IN: Method(built_in),
    "built-in, blind": Method(built_in_blind),
    "wavelet": Method(wavelet),
    "total variation": Method(total_variation, (0.5, 0.7, 1.0, 1.4)),
    REFERENCE: Method(non_local_means, (0.8,)),
    "NLM, best h": Method(non_local_means, (0.4, 0.6, 0.8, 1.0)),
    "OpenCV NLM": Method(opencv, (0.6, 0.8, 1.0, 1.2, 1.5)),
    "BM3D": Method(bm3d),
}
# Modules of optional packages, by method.
EXTRA_MODULES = {"OpenCV NLM": "cv2", "BM3D": "bm3d"}


# --- quality ---------------------------------------------------------------


def read_images(folder: Path, limit: int | None) -> list[NDArray[Any]]:
    """Read the images of a folder, which must be all gray or all in color."""
    from napari_denoise_ae.evaluation.pairs import find_clean_images, read_clean_image

    images = [
        read_clean_image(path).pixels for path in find_clean_images(folder)[:limit]
    ]
    if len({image.ndim for image in images}) > 1:
        raise SystemExit(f"{folder} contains gray and color images: use only one kind.")
    return images


def mean_psnr(method: Method, factor: float, sigma: float, pairs: list[Pair]) -> float:
    """Return the mean PSNR of the results, clipped to [0, 1], with data range 1."""
    from napari_denoise_ae import psnr

    psnrs = []
    for pair in pairs:
        noisy = np.squeeze(pair.input_range.normalize(pair.noisy)).astype(np.float32)
        clean = np.squeeze(pair.data_range.normalize(pair.clean))
        denoised = np.clip(method.function(noisy, sigma, factor * sigma), 0.0, 1.0)
        psnrs.append(psnr(clean, denoised.astype(np.float64), data_range=1.0))
    return statistics.fmean(psnrs)


def best_factor(method: Method, sigma: float, pairs: list[Pair]) -> float:
    """Return the factor with the highest PSNR on the first images."""
    if len(method.factors) == 1:
        return method.factors[0]
    first = pairs[:N_FITTED]
    return max(method.factors, key=lambda x: mean_psnr(method, x, sigma, first))


# --- cost ------------------------------------------------------------------


def make_image(side: int, channels: int, sigma: float) -> NDArray[np.float32]:
    """Return a noisy photograph, (side, side) or (side, side, 3)."""
    from skimage import data

    photograph = data.camera() if channels == 1 else data.astronaut()
    image = (photograph / np.float32(255)).astype(np.float32)
    n_tiles = -(-side // len(image))
    repeats = (n_tiles, n_tiles, 1)[: image.ndim]
    image = np.ascontiguousarray(np.tile(image, repeats)[:side, :side])
    noise = np.random.default_rng(SEED).standard_normal(image.shape, dtype=np.float32)
    return image + np.float32(sigma) * noise


def time_methods(
    factors: dict[str, float], channels: int, sigma: float, repeats: int
) -> dict[str, float]:
    """Return the median CPU seconds per megapixel of each method.

    The methods take turns.
    """
    image = make_image(SIDE, channels, sigma)
    seconds = defaultdict(list)
    for name, factor in factors.items():
        METHODS[name].function(image[:64, :64].copy(), sigma, factor * sigma)
    for _ in range(repeats):
        for name, factor in factors.items():
            start = time.process_time()
            METHODS[name].function(image, sigma, factor * sigma)
            seconds[name].append(time.process_time() - start)
    megapixels = SIDE**2 / 1e6
    return {name: statistics.median(s) / megapixels for name, s in seconds.items()}


def cost_of_built_in(side: int, channels: int, sigma: float) -> dict[str, float]:
    """Return the cost of the built-in model, see `denoising_cost.cost_of`."""
    image = make_image(side, channels, sigma)
    return cost_of(lambda image: built_in(image, sigma, sigma), image)


# A separate program, not a function of this script, so that it can time the imports.
FIRST_CALL = """
import json, time
times = [time.perf_counter()]
import numpy
from napari_denoise_ae import denoise, load_checkpoint
times.append(time.perf_counter())
model = load_checkpoint({model!r})
times.append(time.perf_counter())
shape = ({side}, {side}, 3)[:{dimensions}]
image = numpy.random.default_rng(0).random(shape, dtype="float32")
times.append(time.perf_counter())
denoise(image, model=model, sigma=0.1, device="cpu", precision="float32")
times.append(time.perf_counter())
print(json.dumps([times[1] - times[0], times[2] - times[1], times[4] - times[3]]))
"""


def first_call(channels: int) -> list[float]:
    """Return the seconds of imports, loading and the first call in a new process."""
    code = FIRST_CALL.format(
        model={1: "gray", 3: "rgb"}[channels], side=SIDE, dimensions=2 + (channels > 1)
    )
    parts: list[float] = _run([sys.executable, "-c", code], threads=1)
    return parts


def in_process(function: str, *, threads: int, **arguments: object) -> Any:
    """Call a function of this script in a new process with a number of threads."""
    task = json.dumps({"function": function, "threads": threads, **arguments})
    return _run([sys.executable, __file__, "--task", task], threads)


def _run(command: list[str], threads: int) -> Any:
    environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads))
    done = subprocess.run(  # noqa: S603  (this very script)
        command, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(done.stdout)


def _do(task: dict[str, Any]) -> None:
    """Call the function named by `in_process` and print its result as JSON."""
    _set_threads(task.pop("threads"))
    tasks = {each.__name__: each for each in (time_methods, cost_of_built_in)}
    print(json.dumps(tasks[task.pop("function")](**task)))


def _set_threads(threads: int) -> None:
    # OpenCV ignores the environment variables.
    import torch

    torch.set_num_threads(threads)
    if find_spec("cv2") is not None:
        import cv2

        cv2.setNumThreads(threads)


# --- the tables ------------------------------------------------------------


def compare(options: argparse.Namespace) -> None:
    """Score and time the methods, and print the table."""
    from napari_denoise_ae.evaluation.pairs import noisy_pairs

    images = read_images(options.images, options.limit)
    channels = 3 if images[0].ndim == 3 else 1
    kind = "gray" if channels == 1 else "color"
    print(f"images   {len(images)}, {kind}, from {options.images.name}")
    print("noise    Gaussian, unclipped, sigma relative to 255")
    print(f"with     {_versions(options.methods)}", flush=True)
    decibels: dict[str, list[float]] = defaultdict(list)
    factors: dict[str, list[float]] = defaultdict(list)
    for of_255 in options.sigmas:
        sigma = of_255 / 255
        pairs = noisy_pairs(images, f"gaussian:{sigma},unclipped", seed=SEED)
        for name in options.methods:
            factor = best_factor(METHODS[name], sigma, pairs)
            factors[name].append(factor)
            decibels[name].append(mean_psnr(METHODS[name], factor, sigma, pairs))
    middle = len(options.sigmas) // 2
    seconds = in_process(
        "time_methods",
        threads=1,
        factors={n: f[middle] for n, f in factors.items() if n != "noisy"},
        channels=channels,
        sigma=options.sigmas[middle] / 255,
        repeats=options.repeats,
    )
    _print_table(options.sigmas, decibels, seconds)
    _print_factors(factors)
    _print_costs(channels, options.sigmas[middle] / 255, options.repeats)


def _versions(methods: Iterable[str]) -> str:
    import torch

    packages = ["torch", "scikit-image"]
    packages += ["bm3d"] if "BM3D" in methods else []
    names = [f"{name} {version(name)}" for name in packages]
    if "OpenCV NLM" in methods:
        import cv2

        names.append(f"OpenCV {cv2.__version__}")
    return ", ".join([*names, torch.backends.cpu.get_cpu_capability()])


def _print_table(
    sigmas: list[float], decibels: dict[str, list[float]], seconds: dict[str, float]
) -> None:
    headings = "".join(f"{f'sigma {sigma:g}':>10}" for sigma in sigmas)
    print(f"\n{'mean PSNR / dB':<22}{headings}{'CPU s/Mpx':>11}{'time / NLM':>12}")
    for name, psnrs in decibels.items():
        line = f"{name:<22}" + "".join(f"{value:>10.2f}" for value in psnrs)
        if name in seconds:
            line += f"{seconds[name]:>11.2f}"
            if REFERENCE in seconds:
                line += f"{seconds[name] / seconds[REFERENCE]:>12.2f}"
        print(line)


def _print_factors(factors: dict[str, list[float]]) -> None:
    print("\nchosen parameters, as multiples of sigma")
    for name, chosen in factors.items():
        if METHODS[name].factors != (1.0,):
            print(f"{name:<22}" + "".join(f"{factor:>10g}" for factor in chosen))


def _print_costs(channels: int, sigma: float, repeats: int) -> None:
    print(f"\nbuilt-in model {'gray' if channels == 1 else 'rgb'}")
    given = {"channels": channels, "sigma": sigma}
    seconds: dict[int, list[float]] = defaultdict(list)
    for _ in range(repeats):
        for n in (1, 2):
            cost = in_process("cost_of_built_in", threads=n, side=SIDE, **given)
            seconds[n].append(cost["seconds"])
    for n, runs in seconds.items():
        print(f"threads {n}: {statistics.median(runs):.2f} s/Mpx, wall-clock")
    for side in (SIDE, LARGE_SIDE):
        cost = in_process("cost_of_built_in", threads=1, side=side, **given)
        megabytes = cost["megabytes"] * side**2 / 1e6
        print(f"{side} x {side}: peak {megabytes:.0f} MB above the memory before")
    starts = zip(*(first_call(channels) for _ in range(N_STARTS)), strict=True)
    imports, load, call = (statistics.median(part) for part in starts)
    print(
        f"first call: imports {imports:.2f} s, loading {load:.2f} s, "
        f"{SIDE} x {SIDE} {call:.2f} s"
    )


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--images", type=Path, metavar="DIR", help="folder of clean images"
    )
    parser.add_argument(
        "--sigmas",
        type=float,
        nargs="+",
        default=[15, 25, 50],
        help="noise levels relative to 255 (default: 15 25 50)",
    )
    parser.add_argument("--limit", type=int, help="use only the first LIMIT images")
    parser.add_argument(
        "--repeats", type=int, default=5, help="runs of each timing (default: 5)"
    )
    parser.add_argument(
        "--methods",
        nargs="+",
        choices=METHODS,
        help="methods to compare (default: all but BM3D)",
    )
    parser.add_argument(
        "--bm3d", action="store_true", help="include BM3D, which is very slow"
    )
    parser.add_argument("--task", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task is not None:
        _do(options.task)
        return
    if options.images is None:
        parser.error("--images DIR is required")
    options.methods = _available(options.methods, options.bm3d)
    compare(options)


def _available(methods: list[str] | None, with_bm3d: bool) -> list[str]:
    """Return the requested methods whose modules are installed."""
    requested = methods or [name for name in METHODS if with_bm3d or name != "BM3D"]
    available = []
    for name in requested:
        module = EXTRA_MODULES.get(name)
        if module is not None and find_spec(module) is None:
            print(f"Skipping {name}: the module {module} is not installed.")
        else:
            available.append(name)
    return available


if __name__ == "__main__":
    main()
