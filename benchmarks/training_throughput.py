"""Compare the training throughput of the package with that of a DataLoader.

One side is the package's `Trainer`. The other is the loop of a teaching script: a
`Dataset` that converts one image at a time to a tensor, like torchvision's CIFAR10 with
ToTensor, and adds noise to it, and a `DataLoader`. Both train the same network on the
same images with Adam and the mean squared error, in batches of 128. They take turns,
one epoch each, so that other load slows both.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import ToTensor

from napari_denoise_ae.io.cifar10 import ImageSet, load_cifar10
from napari_denoise_ae.models.devices import choose_device
from napari_denoise_ae.models.networks.registry import build_network
from napari_denoise_ae.models.presets import preset_config
from napari_denoise_ae.training.results import BatchResult
from napari_denoise_ae.training.sources.image_set import ImageSetSource
from napari_denoise_ae.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_denoise_ae.models.devices import DeviceChoice

BATCH_SIZE = 128
SIGMA = 0.5
LEARNING_RATE = 1e-3


class NoisyImages(Dataset[tuple[Tensor, Tensor]]):
    """Pairs of a noisy and a clean image, created one at a time.

    Parameters
    ----------
    images : numpy.ndarray
        Clean images, uint8 of shape (N, Y, X, 3).
    """

    def __init__(self, images: NDArray[np.uint8]) -> None:
        self._images = images
        self._to_tensor = ToTensor()

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return a noisy and a clean image, both of shape (3, Y, X), in [0, 1]."""
        clean = self._to_tensor(Image.fromarray(self._images[index]))
        noisy = clean + SIGMA * torch.randn_like(clean)
        return noisy.clamp(0.0, 1.0), clean


def loader_epochs(
    images: NDArray[np.uint8], device: torch.device, num_workers: int
) -> Iterator[float]:
    """Train with a Dataset and a DataLoader, and yield the seconds of each epoch."""
    torch.manual_seed(0)
    network = build_network("conv", {}).to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    criterion = nn.MSELoss()
    loader = DataLoader(
        NoisyImages(images),
        batch_size=BATCH_SIZE,
        shuffle=True,
        num_workers=num_workers,
        pin_memory=device.type == "cuda",
    )
    while True:
        start = time.perf_counter()
        total = 0.0
        for noisy_cpu, clean_cpu in loader:
            noisy, clean = noisy_cpu.to(device), clean_cpu.to(device)
            optimizer.zero_grad()
            loss = criterion(network(noisy), clean)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(clean)
        yield time.perf_counter() - start


def trainer_epochs(
    images: NDArray[np.uint8], device: DeviceChoice, epochs: int
) -> Iterator[float]:
    """Train with the package, and yield the seconds of each epoch's batches.

    The time does not include validation. Of `images`, one is used for validation,
    the fewest that the Trainer accepts, and the others for training.
    """
    config = preset_config(
        "conv",
        epochs=epochs,
        patience=epochs,
        batch_size=BATCH_SIZE,
        learning_rate=LEARNING_RATE,
        noise=f"gaussian:{SIGMA}",
        val_fraction=1 / len(images),
    )
    data = ImageSet("benchmark", images)
    trainer = Trainer(config, ImageSetSource(data, config, device.device), device)
    start = time.perf_counter()
    for result in trainer.run():
        if isinstance(result, BatchResult):
            if result.batch == result.n_batches:
                float(result.loss)  # waits for the device
                seconds = time.perf_counter() - start
        else:
            yield seconds
            start = time.perf_counter()


def compare(arguments: argparse.Namespace) -> None:
    """Run both sides in turn and print their throughput."""
    device = choose_device(arguments.device)
    workers = arguments.num_workers
    if workers is None:
        workers = 2 if device.device.type == "cuda" else 0
    n_images = arguments.images
    images = load_images(arguments.data, n_images + 1)
    print(f"device   {device}, {torch.get_num_threads()} threads")
    print(f"torch    {torch.__version__}")
    print(f"images   {n_images} per epoch, {images.shape[1]} x {images.shape[2]} RGB")
    print(f"loader   {workers} workers")
    print()
    ours = trainer_epochs(images, device, arguments.repeats + 1)
    theirs = loader_epochs(images[:n_images], device.device, workers)
    next(ours), next(theirs)  # warm up
    print(f"{'pair':>4}{'Trainer':>16}{'Dataset, loader':>18}{'ratio':>8}")
    ratios = []
    for pair in range(1, arguments.repeats + 1):
        a, b = n_images / next(ours), n_images / next(theirs)
        ratios.append(a / b)
        print(f"{pair:>4}{a:>8.0f} image/s{b:>10.0f} image/s{a / b:>8.2f}", flush=True)
    low, middle, high = min(ratios), statistics.median(ratios), max(ratios)
    print(f"\nratio    min {low:.2f}, median {middle:.2f}, max {high:.2f}")


def load_images(folder: Path | None, n_images: int) -> NDArray[np.uint8]:
    """Return CIFAR-10 training images, or random ones of the same size."""
    if folder is not None:
        return load_cifar10(folder, train=True).images[:n_images]
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (n_images, 32, 32, 3), dtype=np.uint8)


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder that contains CIFAR-10 (default: random images)",
    )
    parser.add_argument(
        "--images", type=int, default=12_800, help="images per epoch (default: 12800)"
    )
    parser.add_argument(
        "--repeats", type=int, default=5, help="number of pairs of epochs (default: 5)"
    )
    parser.add_argument(
        "--device", default="auto", help="auto, cpu, cuda or mps (default: auto)"
    )
    parser.add_argument(
        "--num-workers",
        type=int,
        help="workers of the DataLoader (default: 2 on CUDA, else 0)",
    )
    compare(parser.parse_args())


if __name__ == "__main__":
    main()
