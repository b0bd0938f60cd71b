"""Measure the time and memory that lazy arrays, streaming and tiles take.

Memory is measured in a new process each time, on Linux or macOS. ``--what layer``
also needs napari and a screen, real or virtual.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np
import torch
import zarr

from napari_denoise_ae import denoise, load_checkpoint
from napari_denoise_ae.cli.main import main as command
from napari_denoise_ae.denoising.array import Denoising
from napari_denoise_ae.denoising.denoiser import Denoiser
from napari_denoise_ae.denoising.halo import find_halo
from napari_denoise_ae.denoising.options import DenoiseOptions
from napari_denoise_ae.models.devices import choose_device

if TYPE_CHECKING:
    from collections.abc import Callable

MODEL, SIGMA = "gray", 0.1

_MIB = 2**20
_MOVIE = (200, 8192, 8192)
_CHUNK = 1024


def main() -> None:
    """Run and print the selected measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--what",
        nargs="+",
        choices=["lazy", "layer", "streaming", "tiles"],
        default=["lazy", "streaming", "tiles"],
        help="measurements to run (default: lazy streaming tiles)",
    )
    parser.add_argument(
        "--device", default="cpu", help="auto, cpu, cuda or mps (default: cpu)"
    )
    parser.add_argument(
        "--threads",
        type=int,
        default=torch.get_num_threads(),
        help="threads of torch (default: those that torch chooses)",
    )
    parser.add_argument(
        "--megapixels",
        type=int,
        nargs=2,
        default=[100, 400],
        help="streaming: sizes of the two images (default: 100 400)",
    )
    parser.add_argument(
        "--side",
        type=int,
        default=4096,
        help="tiles: rows and columns of the image (default: 4096)",
    )
    parser.add_argument(
        "--repeats", type=int, default=3, help="layer, tiles: runs (default: 3)"
    )
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"device {choose_device(options.device)}, threads {options.threads}")
    for name in options.what:
        print()
        MEASUREMENTS[name](options)


# --- lazy arrays -----------------------------------------------------------


def movie(read: list[tuple[int, ...]]) -> da.Array:
    """Return a lazy array of 13 GB that is generated on the fly.

    Parameters
    ----------
    read : list
        Receives the position of each chunk that is computed.
    """

    def make(block_info: dict) -> np.ndarray:
        position = block_info[None]["chunk-location"]
        read.append(position)
        rng = np.random.default_rng(position)
        return rng.integers(0, 256, block_info[None]["chunk-shape"], dtype=np.uint8)

    chunks = tuple(
        (side,) * (length // side)
        for length, side in zip(_MOVIE, (1, _CHUNK, _CHUNK), strict=True)
    )
    like = np.empty((0, 0, 0), np.uint8)
    return da.map_blocks(make, chunks=chunks, dtype=np.uint8, meta=like)


def measure_lazy(options: argparse.Namespace) -> None:
    """Time `denoise` on a lazy array, and the computation of regions and a plane."""
    read: list[tuple[int, ...]] = []
    source, model = movie(read), load_checkpoint(MODEL)
    start = time.perf_counter()
    lazy = denoise(source, model=model, axes="TYX", device=options.device)
    seconds = time.perf_counter() - start
    print(f"lazy array of {source.nbytes / 1e9:.0f} GB, {source.npartitions} chunks")
    print(f"denoise returned after {seconds:.2f} s, {len(read)} chunks read")
    for y, x in ((0, 0), (1300, 300), (3000, 3000)):
        read.clear()
        start = time.perf_counter()
        lazy[100, y : y + 512, x : x + 512].compute()
        seconds = time.perf_counter() - start
        print(f"512 x 512 at {y}, {x}: {len(read)} chunks read, {seconds:.2f} s")
    before, peak, seconds = in_process(compute_plane, options.device, options.threads)
    above = (peak - before) / _MIB
    print(f"one plane: {seconds:.1f} s, peak {above:.0f} MiB above the imports")


def compute_plane(device: str, threads: int) -> float:
    """Compute one plane of the lazy array and return the seconds it takes."""
    torch.set_num_threads(threads)
    lazy = denoise(movie([]), axes="TYX", device=device)
    start = time.perf_counter()
    lazy[7].compute()
    return time.perf_counter() - start


def measure_layer(options: argparse.Namespace) -> None:
    """Time napari from pressing the button to the layer, and to its visible pixels."""
    import napari
    from qtpy.QtWidgets import QApplication

    def wait(until: Callable[[], bool]) -> float:
        start = time.perf_counter()
        while not until():
            QApplication.processEvents()
            time.sleep(0.001)
        return time.perf_counter() - start

    read: list[tuple[int, ...]] = []
    viewer = napari.Viewer()
    source = viewer.add_image(movie(read), name="movie", contrast_limits=(0, 255))
    _, widget = viewer.window.add_plugin_dock_widget("napari-denoise-ae", "Denoise")
    widget.form.device.value = options.device
    # Wait until torch is loaded and the noise estimate is shown.
    wait(lambda: bool(widget.form.to_remove.estimate_note.text()))
    for _ in range(options.repeats):
        read.clear()
        if "movie [denoised]" in viewer.layers:
            viewer.layers.remove("movie [denoised]")
        viewer.layers.selection.active = source
        widget.run_button.click()
        added = wait(lambda: "movie [denoised]" in viewer.layers)
        n_read = len(read)
        filled = wait(partial(_is_filled, viewer.layers["movie [denoised]"]))
        print(
            f"layer after {added:.2f} s, {n_read} chunks read; visible pixels "
            f"after {added + filled:.2f} s"
        )
    viewer.close()


def _is_filled(layer: Any) -> bool:
    """Return whether all visible pixels of a lazy layer have been computed."""
    filler = layer.data[0].__dict__["_filling"].filler
    return filler.is_idle and filler.kept_bytes > 0


# --- streaming -------------------------------------------------------------


def measure_streaming(options: argparse.Namespace) -> None:
    """Compare two sizes of OME-Zarr denoised by the command."""
    peaks = []
    print("   Mpx  peak / MiB  above imports  time / s  network / s  ratio")
    for megapixels in options.megapixels:
        with tempfile.TemporaryDirectory() as folder:
            side = write_source(Path(folder, "in.zarr"), megapixels)
            given = (folder, options.device, options.threads)
            before, peak, seconds = in_process(stream, *given)
        *_, alone = in_process(run_network, side, options.device, options.threads)
        peaks.append(peak)
        print(
            f"{side**2 / 1e6:6.0f}  {peak / _MIB:10.0f}  "
            f"{(peak - before) / _MIB:13.0f}  {seconds:8.1f}  {alone:11.1f}  "
            f"{seconds / alone:5.2f}"
        )
    print(f"peak memory, larger / smaller image: {peaks[1] / peaks[0]:.2f}")


def write_source(path: Path, megapixels: int) -> int:
    """Write a square image of noise, chunk by chunk, and return its side."""
    side = round((megapixels * 1e6) ** 0.5)
    stored = zarr.create_array(
        path, shape=(side, side), chunks=(_CHUNK, _CHUNK), dtype="uint8"
    )
    rng = np.random.default_rng(0)
    for y in range(0, side, _CHUNK):
        rows = min(_CHUNK, side - y)
        stored[y : y + rows] = rng.integers(0, 256, (rows, side), dtype=np.uint8)
    return side


def stream(folder: str, device: str, threads: int) -> float:
    """Run the command and return the seconds it takes."""
    torch.set_num_threads(threads)
    paths = [str(Path(folder, name)) for name in ("in.zarr", "out.zarr")]
    clock = clock_for(device)
    start = clock()
    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        status = command(["denoise", *paths, "--model", MODEL, "--device", device])
    if status != 0:
        raise SystemExit(f"The command failed with exit status {status}.")
    return clock() - start


def run_network(side: int, device: str, threads: int) -> float:
    """Return the seconds of the network alone, on tiles with halos in memory."""
    torch.set_num_threads(threads)
    denoiser = Denoiser(load_checkpoint(MODEL), choose_device(device))
    tile = denoiser.tile_size
    side_read = tile + 2 * find_halo(denoiser.network)
    rng = np.random.default_rng(0)
    shape = (1, denoiser.network.in_channels, side_read, side_read)
    batch = torch.from_numpy(rng.random(shape, dtype=np.float32))
    denoiser.run_network(batch, SIGMA).cpu()
    n_tiles = max(1, round(side**2 / tile**2))
    clock = clock_for(device)
    start = clock()
    for _ in range(n_tiles):
        denoiser.run_network(batch, SIGMA).cpu()
    # Scale to the number of pixels of the image.
    return (clock() - start) * side**2 / (n_tiles * tile**2)


def clock_for(device: str) -> Callable[[], float]:
    """Return the clock for a device: CPU seconds on a CPU, else wall-clock seconds."""
    return time.process_time if device == "cpu" else time.perf_counter


# --- tiles -----------------------------------------------------------------


def measure_tiles(options: argparse.Namespace) -> None:
    """Compare the time for an image in tiles with that for the image as a whole."""
    image = np.random.default_rng(0).random((options.side,) * 2).astype(np.float32)
    denoiser = Denoiser(load_checkpoint(MODEL), choose_device(options.device))
    sizes = {"tiled": denoiser.tile_size, "untiled": options.side}
    ratios = []
    for _ in range(options.repeats):
        seconds = {
            name: time_once(image, denoiser, size) for name, size in sizes.items()
        }
        ratios.append(seconds["tiled"] / seconds["untiled"])
        print("  ".join(f"{name} {value:.2f} s" for name, value in seconds.items()))
    print(
        f"{options.side} x {options.side}, tiles of {denoiser.tile_size}: "
        f"tiled / untiled {statistics.median(ratios):.2f} (median)"
    )


def time_once(image: np.ndarray, denoiser: Denoiser, tile_size: int) -> float:
    """Return the seconds that denoising an image takes."""
    options = DenoiseOptions(sigma=SIGMA, tile_size=tile_size)
    run = Denoising(image, denoiser, options)
    start = time.perf_counter()
    for _ in run:
        pass
    return time.perf_counter() - start


# --- processes -------------------------------------------------------------


def in_process(function, *arguments: object) -> tuple[float, float, float]:
    """Call a function in a new process.

    Returns
    -------
    before, peak : float
        Peak memory before and after the call, in bytes.
    result : float
        The result of the call.
    """
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_measured, (function, arguments))


def _measured(function, arguments: tuple[object, ...]) -> tuple[float, float, float]:
    # Warm up: a first small image imports and allocates what every image needs.
    with tempfile.TemporaryDirectory() as folder:
        stored = zarr.create_array(
            Path(folder, "in.zarr"), shape=(64, 64), chunks=(64, 64), dtype="uint8"
        )
        stored[:] = np.arange(4096).reshape(64, 64) % 251
        stream(folder, "cpu", 1)
    before = _peak()
    seconds = function(*arguments)
    return before, _peak(), seconds


def _peak() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


MEASUREMENTS = {
    "lazy": measure_lazy,
    "layer": measure_layer,
    "streaming": measure_streaming,
    "tiles": measure_tiles,
}

if __name__ == "__main__":
    main()
