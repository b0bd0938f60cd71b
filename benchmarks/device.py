"""Measure how much of the speed of a device denoising and training reach.

Denoising is compared with the network alone on a tensor that lies on the device, and
training with a plain loop that draws patches and noise on the device.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np
import torch
import zarr

from napari_denoise_ae import load_checkpoint
from napari_denoise_ae.denoising import loaded_model
from napari_denoise_ae.denoising.array import Denoising
from napari_denoise_ae.denoising.denoiser import Denoiser
from napari_denoise_ae.denoising.options import PRECISIONS, DenoiseOptions
from napari_denoise_ae.files.job import FileJob
from napari_denoise_ae.files.route import FileDenoising
from napari_denoise_ae.io.cifar10 import ImageSet
from napari_denoise_ae.models.devices import choose_device, has_fast_bfloat16
from napari_denoise_ae.models.networks.registry import build_network
from napari_denoise_ae.models.presets import preset_config
from napari_denoise_ae.training.job import TrainingJob
from napari_denoise_ae.training.results import BatchResult
from napari_denoise_ae.training.run import TrainingRun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from napari_denoise_ae.models.checkpoint import Checkpoint
    from napari_denoise_ae.models.devices import DeviceChoice

MODEL, SIGMA = "gray", 1000.0
SMALL_SIDE, CHUNK, PATCH, BATCH = 512, 1024, 128, 32
_MIB = 2**20


def main() -> None:
    """Measure each device."""
    parser = argparse.ArgumentParser(description=__doc__)
    found = ["cuda"] if torch.cuda.is_available() else []
    parser.add_argument(
        "--devices",
        nargs="+",
        default=["cpu", *found],
        help="cpu, cuda, cuda:N or mps (default: cpu, and cuda if there is one)",
    )
    parser.add_argument(
        "--side",
        type=int,
        help="rows and columns of the large image (default: 8192, on a CPU 1024)",
    )
    parser.add_argument(
        "--planes",
        type=int,
        help="planes of 512 x 512 in the stack (default: 64, on a CPU 4)",
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=1.0,
        help="time for each measurement, at least two runs (default: 1)",
    )
    parser.add_argument(
        "--threads", type=int, help="threads of a CPU (default: torch's)"
    )
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    warnings.simplefilter("ignore")
    for name in arguments.devices:
        measure_device(choose_device(name), arguments)


def measure_device(device: DeviceChoice, arguments: argparse.Namespace) -> None:
    """Print what a device reaches."""
    is_cpu = device.device.type == "cpu"
    side = arguments.side or (1024 if is_cpu else 8192)
    n_planes = arguments.planes or (4 if is_cpu else 64)
    name = torch.cuda.get_device_name() if device.device.type == "cuda" else str(device)
    print(f"\n{name}, torch {torch.__version__}, {torch.get_num_threads()} threads")
    seconds = arguments.seconds
    measure_copies(device, seconds)
    print(f"\n{'denoise':34}{'Mpx/s':>8}{'network':>9}{'share':>7}{'peak MiB':>10}")
    large = make_image((side, side), "float32")
    stack = make_image((n_planes, SMALL_SIDE, SMALL_SIDE), "uint16")
    for precision in PRECISIONS:
        alone = network_speed(device, precision, seconds)
        show_denoised(large, "YX", device, precision, alone, seconds)
        show_denoised(stack, "TYX", device, precision, alone, seconds)
        measure_stream(large.astype(np.uint16), device, precision, alone)
    measure_rest(large, device, seconds)
    print(f"\n{'train':34}{'steps/s':>8}{'Mpx/s':>9}{'peak MiB':>10}")
    measure_training(device, seconds)


def measure_copies(device: DeviceChoice, seconds: float) -> None:
    """Print the speed of copies from and to pinned memory."""
    if device.device.type != "cuda":
        return
    there = torch.empty(64 * _MIB, dtype=torch.uint8, device=device.device)
    here = torch.empty(64 * _MIB, dtype=torch.uint8, pin_memory=True)
    for name, target, source in (("up", there, here), ("down", here, there)):
        best = best_time(lambda t=target, s=source: t.copy_(s), device, seconds)
        print(f"copies {name:5}{here.nbytes / best / 1e9:6.1f} GB/s")


def network_speed(device: DeviceChoice, precision: str, seconds: float) -> float:
    """Return the pixels per second of the network on a tensor of the size of a tile."""
    denoiser = Denoiser(load_checkpoint(MODEL), device, precision)
    side = denoiser.tile_size
    batch = torch.rand(1, 1, side, side, device=device.device)
    noise = (0.1, 0.0, 0.0)
    best = best_time(lambda: denoiser.run_network(batch, noise), device, seconds)
    return side**2 / best


def show_denoised(
    image: NDArray[Any],
    axes: str,
    device: DeviceChoice,
    precision: str,
    alone: float,
    seconds: float,
) -> None:
    """Print the speed of `denoise`, from array to array."""
    model = load_checkpoint(MODEL)
    reset_peak(device)
    best = best_time(
        lambda: denoise_array(image, axes, model, device, precision), device, seconds
    )
    shape = " x ".join(map(str, image.shape))
    label = f"{shape} {image.dtype}, {precision}"
    show_row(label, image.size / best, alone, device)


def denoise_array(
    image: NDArray[Any],
    axes: str,
    model: Checkpoint,
    device: DeviceChoice,
    precision: str,
) -> NDArray[Any]:
    """Denoise an array, including the start of a run."""
    options = DenoiseOptions(axes=axes, sigma=SIGMA)
    run = Denoising(image, Denoiser(model, device, precision), options)
    for _ in run:
        pass
    return run.result


def measure_stream(
    image: NDArray[np.uint16], device: DeviceChoice, precision: str, alone: float
) -> None:
    """Print the speed of streaming an uncompressed Zarr array from the page cache."""
    options = DenoiseOptions(
        sigma=SIGMA, device=str(device.device), axes="YX", precision=precision
    )
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.zarr"), Path(folder, "out.zarr")
        zarr.create_array(source, data=image, chunks=(CHUNK, CHUNK), compressors=None)
        job = FileJob(input=source, output=target, model=MODEL, options=options)
        reset_peak(device)
        clock = clock_of(device)
        start = clock()
        for _ in FileDenoising(job):
            pass
        seconds = clock() - start
    label = f"streamed, chunks of {CHUNK}, {precision}"
    show_row(label, image.size / seconds, alone, device)


def measure_rest(image: NDArray[Any], device: DeviceChoice, seconds: float) -> None:
    """Print what denoising costs outside the network, which is replaced."""
    model = load_checkpoint(MODEL)
    with mock.patch.object(
        loaded_model, "run_network", lambda network, x: x[:, : network.in_channels]
    ):
        best = best_time(
            lambda: denoise_array(image, "YX", model, device, "fast"), device, seconds
        )
    print(f"{'without the network':34}{best / image.size * 1e9:8.1f} ns a pixel")


def measure_training(device: DeviceChoice, seconds: float) -> None:
    """Print the speed of the presets, of patches, and of a plain loop."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (6400, 32, 32, 3), dtype=np.uint8)
    for preset in ("conv", "residual", "gray"):
        config = preset_config(preset)
        reset_peak(device)
        rate = steps_per_second(
            {"data": ImageSet("benchmark", images), "preset": preset}, device, seconds
        )
        label = f"{preset}, {config.batch_size} images of 32 x 32"
        show_training(label, rate, config.batch_size * 32**2, device)
    large = list(rng.integers(0, 256, (8, 1024, 1024), dtype=np.uint8))
    settings = {"batch_size": BATCH, "patch_size": PATCH}
    reset_peak(device)
    rate = steps_per_second({"images": large, "settings": settings}, device, seconds)
    label = f"{BATCH} patches of {PATCH} x {PATCH}"
    show_training(label, rate, BATCH * PATCH**2, device)
    reset_peak(device)
    rate = plain_steps_per_second(device, seconds)
    show_training(f"plain loop, {label}", rate, BATCH * PATCH**2, device)


def steps_per_second(
    job: dict[str, Any], device: DeviceChoice, seconds: float
) -> float:
    """Return the training steps per second, without validation and the first steps."""
    with tempfile.TemporaryDirectory() as folder:
        settings = job.pop("settings", {}) | {"epochs": 10**6, "patience": 10**6}
        run = TrainingRun(
            TrainingJob(
                output=Path(folder, "model.pt"),
                device=str(device.device),
                settings=settings,
                **job,
            )
        )
        steps = run.steps()
        losses = (step.loss for step in steps if isinstance(step, BatchResult))
        rate = rate_of(losses, device, seconds)
        run.cancel.set()
        run.stop.set()
        for _ in steps:
            pass
    return rate


def plain_steps_per_second(device: DeviceChoice, seconds: float) -> float:
    """Return the steps per second of a loop without anything but training."""
    config = preset_config(MODEL)
    network = build_network(config.network, config.network_options).to(device.device)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)
    clean = torch.rand(1024, 1024, device=device.device)
    is_fast = has_fast_bfloat16(device.device)

    def losses() -> Iterator[torch.Tensor]:
        while True:
            corners = torch.randint(0, 1024 - PATCH, (BATCH, 2)).tolist()
            parts = [clean[y : y + PATCH, x : x + PATCH] for y, x in corners]
            target = torch.stack(parts).unsqueeze(1) - 0.5
            level = 0.3 * torch.rand(BATCH, 1, 1, 1, device=device.device)
            noisy = target + level * torch.randn_like(target)
            maps = level.expand(-1, 1, PATCH, PATCH)
            with torch.autocast(device.device.type, torch.bfloat16, enabled=is_fast):
                output = network(torch.cat([noisy, maps], dim=1))
            loss = (output.float() - target).abs().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            yield loss

    return rate_of(losses(), device, seconds)


def rate_of(
    losses: Iterator[torch.Tensor], device: DeviceChoice, seconds: float
) -> float:
    """Return the steps per second of training that yields a loss after each."""
    for _ in range(5):
        loss = next(losses)
    float(loss)  # waits for the device
    clock, n_steps = clock_of(device), 0
    start = clock()
    while clock() - start < seconds or n_steps < 5:
        loss = next(losses)
        n_steps += 1
    float(loss)
    return n_steps / (clock() - start)


def best_time(
    function: Callable[[], Any], device: DeviceChoice, seconds: float
) -> float:
    """Return the shortest time of a function, after a first call."""
    function()
    wait_for(device)
    clock, best, n_runs = clock_of(device), float("inf"), 0
    begin = clock()
    while n_runs < 2 or clock() - begin < seconds:
        start = clock()
        function()
        wait_for(device)
        best = min(best, clock() - start)
        n_runs += 1
    return best


def clock_of(device: DeviceChoice) -> Callable[[], float]:
    """Return the clock for a device: CPU seconds on a CPU, else wall-clock seconds."""
    is_cpu = device.device.type == "cpu"
    return time.process_time if is_cpu else time.perf_counter


def wait_for(device: DeviceChoice) -> None:
    """Wait until a GPU has finished."""
    if device.device.type == "cuda":
        torch.cuda.synchronize()
    elif device.device.type == "mps":
        torch.mps.synchronize()


def reset_peak(device: DeviceChoice) -> None:
    """Start to measure the peak memory of a GPU anew."""
    if device.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()


def peak_memory(device: DeviceChoice) -> float:
    """Return the peak memory of a GPU since `reset_peak`, or of the process."""
    if device.device.type == "cuda":
        return torch.cuda.max_memory_allocated()
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def make_image(shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    """Return smooth waves with noise of `SIGMA`."""
    waves = 30_000 + 10_000 * np.sin(np.arange(shape[-1]) / 40)
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(shape, dtype=np.float32)
    return (waves.astype(np.float32) + np.float32(SIGMA) * noise).astype(dtype)


def show_row(label: str, speed: float, alone: float, device: DeviceChoice) -> None:
    """Print the speed of one kind of image."""
    print(
        f"{label:34}{speed / 1e6:8.1f}{alone / 1e6:9.1f}{speed / alone:7.0%}"
        f"{peak_memory(device) / _MIB:10.0f}",
        flush=True,
    )


def show_training(label: str, rate: float, pixels: int, device: DeviceChoice) -> None:
    """Print the speed of one kind of training."""
    print(
        f"{label:34}{rate:8.1f}{rate * pixels / 1e6:9.2f}"
        f"{peak_memory(device) / _MIB:10.0f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
