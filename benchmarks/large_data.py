"""Lazy arrays, streaming and tiles: what they cost in time and memory.

``python benchmarks/large_data.py``. Each measurement of memory is a process of
its own. Needs Linux or macOS; ``--what layer`` also napari and a screen, real or
virtual.
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
from napari_denoise_ae.models.devices import choose_device
from napari_denoise_ae.noise.setting import NoiseSetting

if TYPE_CHECKING:
    from collections.abc import Callable

MODEL, SIGMA = "gray", 0.1

_MIB = 2**20
_MOVIE = (200, 8192, 8192)
_CHUNK = 1024


def main() -> None:
    """Run the measurements that were asked for, and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--what",
        nargs="+",
        choices=["lazy", "layer", "streaming", "tiles"],
        default=["lazy", "streaming", "tiles"],
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument(
        "--megapixels", type=int, nargs=2, default=[100, 400], help="for streaming"
    )
    parser.add_argument("--side", type=int, default=4096, help="for tiles")
    parser.add_argument("--repeats", type=int, default=3, help="for layer and tiles")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"device {choose_device(options.device)}, threads {options.threads}")
    for what in options.what:
        print()
        MEASURES[what](options)


# --- a lazy array ----------------------------------------------------------


def movie(read: list[tuple[int, ...]]) -> da.Array:
    """Return 13 GB that are made on the fly, and note which chunks are."""

    def make(block_info: dict) -> np.ndarray:
        place = block_info[None]["chunk-location"]
        read.append(place)
        rng = np.random.default_rng(place)
        return rng.integers(0, 256, block_info[None]["chunk-shape"], dtype=np.uint8)

    chunks = tuple(
        (side,) * (length // side)
        for length, side in zip(_MOVIE, (1, _CHUNK, _CHUNK), strict=True)
    )
    like = np.empty((0, 0, 0), np.uint8)
    return da.map_blocks(make, chunks=chunks, dtype=np.uint8, meta=like)


def measure_lazy(options: argparse.Namespace) -> None:
    """Time a lazy array of 13 GB, and a part and a plane of it."""
    read: list[tuple[int, ...]] = []
    source, model = movie(read), load_checkpoint(MODEL)
    start = time.perf_counter()
    lazy = denoise(source, model=model, axes="TYX", device=options.device)
    seconds = time.perf_counter() - start
    print(f"lazy {source.nbytes / 1e9:.0f} GB, {source.npartitions} chunks")
    print(f"returns after {seconds:.2f} s, {len(read)} chunks read")
    for y, x in ((0, 0), (1300, 300), (3000, 3000)):
        read.clear()
        start = time.perf_counter()
        lazy[100, y : y + 512, x : x + 512].compute()
        seconds = time.perf_counter() - start
        print(f"512 x 512 at {y}, {x}: {len(read)} chunks read, {seconds:.2f} s")
    before, peak, seconds = in_a_process(compute_plane, options.device, options.threads)
    above = (peak - before) / _MIB
    print(f"a plane: {seconds:.1f} s, peak {above:.0f} MiB above the imports")


def compute_plane(device: str, threads: int) -> float:
    """Compute a plane of the lazy array; return the seconds it took."""
    torch.set_num_threads(threads)
    lazy = denoise(movie([]), axes="TYX", device=device)
    start = time.perf_counter()
    lazy[7].compute()
    return time.perf_counter() - start


def measure_layer(options: argparse.Namespace) -> None:
    """Time the same in napari: from the button to the layer, and to its pixels."""
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
    # What the widget finds out by itself, torch loaded among it.
    wait(lambda: bool(widget.form.to_remove.found.text()))
    for _ in range(options.repeats):
        read.clear()
        if "movie [denoised]" in viewer.layers:
            viewer.layers.remove("movie [denoised]")
        viewer.layers.selection.active = source
        widget.run_button.click()
        there = wait(lambda: "movie [denoised]" in viewer.layers)
        n_read = len(read)
        filled = wait(partial(_is_filled, viewer.layers["movie [denoised]"]))
        print(
            f"layer after {there:.2f} s, {n_read} chunks read; what is seen of it "
            f"after {there + filled:.2f} s"
        )
    viewer.close()


def _is_filled(layer: Any) -> bool:
    """Tell whether all is there that is seen of a lazy layer."""
    filler = layer.data[0].__dict__["_filling"].filler
    return filler.is_idle and filler.kept_bytes > 0


# --- streaming -------------------------------------------------------------


def measure_streaming(options: argparse.Namespace) -> None:
    """Compare two sizes of OME-Zarr through the command."""
    peaks = []
    print("   Mpx  peak / MiB  above imports        s  arithmetic / s  ratio")
    for megapixels in options.megapixels:
        with tempfile.TemporaryDirectory() as folder:
            side = write_source(Path(folder, "in.zarr"), megapixels)
            given = (folder, options.device, options.threads)
            before, peak, seconds = in_a_process(stream, *given)
        *_, own = in_a_process(own_arithmetic, side, options.device, options.threads)
        peaks.append(peak)
        ratio = seconds / own
        print(
            f"{side**2 / 1e6:6.0f}  {peak / _MIB:10.0f}  "
            f"{(peak - before) / _MIB:13.0f}  {seconds:7.1f}  {own:14.1f}  {ratio:5.2f}"
        )
    print(
        f"peak memory of the larger over that of the smaller: {peaks[1] / peaks[0]:.2f}"
    )


def write_source(path: Path, megapixels: int) -> int:
    """Write a square image of noise, chunk by chunk; return its side."""
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
    """Run the command; return the seconds it took."""
    torch.set_num_threads(threads)
    paths = [str(Path(folder, name)) for name in ("in.zarr", "out.zarr")]
    clock = clock_of(device)
    start = clock()
    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        status = command(["denoise", *paths, "--model", MODEL, "--device", device])
    if status != 0:
        raise SystemExit(f"the command ended with {status}")
    return clock() - start


def own_arithmetic(side: int, device: str, threads: int) -> float:
    """Return the seconds of the network alone, on tiles with halos in memory."""
    torch.set_num_threads(threads)
    denoiser = Denoiser(load_checkpoint(MODEL), choose_device(device))
    tile = denoiser.tile_size
    side_read = tile + 2 * find_halo(denoiser.network)
    rng = np.random.default_rng(0)
    shape = (1, denoiser.network.in_channels, side_read, side_read)
    batch = rng.random(shape, dtype=np.float32)
    denoiser.run_network(batch, SIGMA)
    n_tiles = max(1, round(side**2 / tile**2))
    clock = clock_of(device)
    start = clock()
    for _ in range(n_tiles):
        denoiser.run_network(batch, SIGMA)
    # As many pixels as the image has.
    return (clock() - start) * side**2 / (n_tiles * tile**2)


def clock_of(device: str) -> Callable[[], float]:
    """Return what measures time: on a CPU its own seconds, whoever else is busy."""
    return time.process_time if device == "cpu" else time.perf_counter


# --- tiles -----------------------------------------------------------------


def measure_tiles(options: argparse.Namespace) -> None:
    """Compare an image in tiles with the same image at once."""
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
        f"{options.side} x {options.side}, tiles of {denoiser.tile_size}: tiled over "
        f"untiled {statistics.median(ratios):.2f} (median)"
    )


def time_once(image: np.ndarray, denoiser: Denoiser, tile_size: int) -> float:
    """Return the seconds that an image takes."""
    setting = NoiseSetting(sigma=SIGMA)
    run = Denoising(image, denoiser, setting=setting, tile_size=tile_size)
    start = time.perf_counter()
    for _ in run:
        pass
    return time.perf_counter() - start


# --- processes -------------------------------------------------------------


def in_a_process(function, *arguments: object) -> tuple[float, float, float]:
    """Run a function; return peak memory before and after it, and its result."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_measured, (function, arguments))


def _measured(function, arguments: tuple[object, ...]) -> tuple[float, float, float]:
    # A first small image imports and allocates what every other needs, too.
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


MEASURES = {
    "lazy": measure_lazy,
    "layer": measure_layer,
    "streaming": measure_streaming,
    "tiles": measure_tiles,
}

if __name__ == "__main__":
    main()
