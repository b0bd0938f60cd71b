"""Measure what reading patches costs while a network trains on them.

The first part trains on a folder of images, and on the same images held in memory, with
the same positions, noise, and network. The two take turns, one epoch each, so that
other load slows both; on a CPU, seconds are CPU seconds. The first epoch decodes the
files; later ones find them in the reader's cache, unless there are more than it keeps
(--images 1500). The second part trains on a large
Zarr and reports the peak memory.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
import zarr
from scipy.ndimage import gaussian_filter

from napari_denoise_ae.io.images import ImageFile, write_image
from napari_denoise_ae.models.devices import choose_device
from napari_denoise_ae.models.networks.registry import build_network, outline_network
from napari_denoise_ae.models.presets import preset_config
from napari_denoise_ae.training.images.layout import lay_out_patches
from napari_denoise_ae.training.images.open import open_images
from napari_denoise_ae.training.images.patches import PatchReader
from napari_denoise_ae.training.sources.clean import CleanPatchSource
from napari_denoise_ae.training.sources.patches import PatchPlan
from napari_denoise_ae.training.step import TrainingStep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_denoise_ae.models.config import TrainingConfig
    from napari_denoise_ae.training.images.collection import ImageCollection

SIDE = 512
FORMATS = ("png", "jpg", "tif")
_CHUNK = 512
_MIB = 2**20


# --- a folder of images ------------------------------------------------------


def measure_folders(options: argparse.Namespace) -> None:
    """Compare folders of images with the same images in memory."""
    print(f"{options.images} images of {SIDE} x {SIDE} RGB, preset {options.preset}")
    print("format   open / s   epoch   folder / s   memory / s   ratio", flush=True)
    for suffix in options.formats:
        with tempfile.TemporaryDirectory() as name:
            compare(Path(name), suffix, options)


def compare(folder: Path, suffix: str, options: argparse.Namespace) -> None:
    """Train on a folder and on the same images in memory, in turn."""
    write_folder(folder, suffix, options.images)
    start = time.perf_counter()
    stored = open_images(folder)
    seconds = time.perf_counter() - start
    whole = (slice(0, SIDE), slice(0, SIDE))
    held = open_images([image.read((), whole) for image in stored.images])
    config = preset_config(options.preset, **settings(options))
    sides = [epochs(images, config, options.device) for images in (stored, held)]
    for epoch in range(1, options.repeats + 1):
        a, b = (next(side) for side in sides)
        print(
            f"{suffix:>6}{seconds:>11.2f}{epoch:>8}{a:>13.2f}{b:>13.2f}{b / a:>8.2f}",
            flush=True,
        )
    folder_costs, memory_costs = (read_costs(each, config) for each in (stored, held))
    print(
        f"{suffix:>6}   reading alone, CPU ms a patch: {folder_costs[0]:.3f} from the "
        f"folder in the first epoch, {folder_costs[1]:.3f} later, "
        f"{memory_costs[1]:.3f} from memory",
        flush=True,
    )


def settings(options: argparse.Namespace) -> dict[str, object]:
    """Return the settings that replace those of the preset."""
    return {
        "batch_size": options.batch_size,
        "batches_per_epoch": options.batches,
        "patch_size": options.patch_size,
        "augmentation": "symmetries",
        "network_options": {"in_channels": 3},
    }


def write_folder(folder: Path, suffix: str, n_images: int) -> None:
    """Write images of smooth shapes with a fine texture."""
    rng = np.random.default_rng(0)
    shapes = gaussian_filter(rng.standard_normal((SIDE, SIDE, 3)), (9, 9, 0)) * 900
    for number in range(n_images):
        texture = 4 * rng.standard_normal((SIDE, SIDE, 3))
        moved = np.roll(shapes, (37 * number, 53 * number), (0, 1))
        image = np.clip(128 + moved + texture, 0, 255).astype(np.uint8)
        write_image(folder / f"{number:04}.{suffix}", ImageFile(image, "YXS"))


def epochs(
    images: ImageCollection, config: TrainingConfig, device: str
) -> Iterator[float]:
    """Train, and yield the seconds of each epoch's batches."""
    chosen = choose_device(device).device
    torch.manual_seed(0)
    network = build_network(config.network, config.network_options).to(chosen)
    step = TrainingStep(network, config, chosen)
    source = CleanPatchSource(images, config, chosen)
    clock = time.process_time if chosen.type == "cpu" else time.perf_counter
    for epoch in count(1):
        start = clock()
        for batch in source.batches(epoch):
            loss = step.train(batch)
        float(loss)  # waits for the device
        yield clock() - start


def read_costs(images: ImageCollection, config: TrainingConfig) -> list[float]:
    """Return the CPU milliseconds of a patch in the first and the second epoch."""
    reader, found = PatchReader(images), []
    for epoch in (1, 2):
        batches = list(plan(images, config, epoch))
        start = time.process_time()
        n_patches = sum(len(patches) for patches in reader.prefetch(batches))
        found.append(1e3 * (time.process_time() - start) / n_patches)
    return found


def plan(images: ImageCollection, config: TrainingConfig, epoch: int) -> Iterator[list]:
    """Yield the positions of 100 batches of an epoch, as training draws them."""
    network = outline_network(config.network, config.network_options)
    chosen = replace(config, batches_per_epoch=100)
    layout = lay_out_patches(images, chosen, network)
    return PatchPlan(layout, chosen, torch.device("cpu")).batches(epoch)


# --- a large image -----------------------------------------------------------


def measure_zarr(options: argparse.Namespace) -> None:
    """Train on an OME-Zarr image that is larger than memory."""
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        path = Path(name, "large.zarr")
        shape = write_zarr(path, options.gigabytes)
        print(f"Zarr of {options.gigabytes} GB, {shape}, uint16, chunks of {_CHUNK}")
        before, peak, _ = in_process(train_on_zarr, path, options)
    print(f"peak {peak / _MIB:.0f} MiB, {(peak - before) / _MIB:.0f} above the imports")


def write_zarr(path: Path, gigabytes: int) -> tuple[int, ...]:
    """Write a stack of planes whose chunks are links to a few files."""
    n_chunks = max(round((gigabytes * 1e9 / 2 / _CHUNK**2 / 20) ** 0.5), 1)
    shape = (20, n_chunks * _CHUNK, n_chunks * _CHUNK)
    stored = zarr.create_array(
        path, shape=shape, chunks=(1, _CHUNK, _CHUNK), dtype="uint16"
    )
    rng = np.random.default_rng(0)
    for plane in range(shape[0]):
        values = rng.poisson(300, (_CHUNK, _CHUNK))
        stored[plane, :_CHUNK, :_CHUNK] = values.astype(np.uint16)
        first = path / "c" / str(plane) / "0" / "0"
        for y in range(n_chunks):
            (first.parents[1] / str(y)).mkdir(exist_ok=True)
            for x in range(n_chunks):
                if (y, x) != (0, 0):
                    os.link(first, first.parents[1] / str(y) / str(x))
    return shape


def train_on_zarr(path: Path, options: argparse.Namespace) -> float:
    """Train, and return the seconds that it takes."""
    changes = {"network_options": {"in_channels": 1}, "batches_per_epoch": 32}
    config = preset_config(options.preset, **settings(options) | changes)
    start = time.perf_counter()
    images = open_images(path, axes="ZYX")
    with closing(epochs(images, config, options.device)) as steps:
        for epoch in range(1, options.repeats + 1):
            next(steps)
            print(f"epoch {epoch} done after {time.perf_counter() - start:.0f} s")
    return time.perf_counter() - start


def in_process(
    function: Callable[..., float], *arguments: object
) -> tuple[float, float, float]:
    """Call a function in a new process; return memory before, peak, and result."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_measured, (function, arguments))


def _measured(
    function: Callable[..., float], arguments: tuple[object, ...]
) -> tuple[float, float, float]:
    before = _peak()
    result = function(*arguments)
    return before, _peak(), result


def _peak() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


MEASUREMENTS = {"folders": measure_folders, "zarr": measure_zarr}


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--what", choices=MEASUREMENTS, help="one part (default: both)")
    parser.add_argument("--preset", default="conv", help="network (default: conv)")
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=FORMATS)
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument(
        "--batches", type=int, default=0, help="in an epoch (default: cover all pixels)"
    )
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--patch-size", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=2, help="number of epochs")
    parser.add_argument("--gigabytes", type=int, default=20)
    parser.add_argument("--folder", type=Path, help="where the Zarr is written")
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    for name, measure in MEASUREMENTS.items():
        if options.what in (None, name):
            measure(options)


if __name__ == "__main__":
    main()
