"""Choose tiles that fit into memory, and recognize out-of-memory errors."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch

from ..errors import DeviceError
from ..image.tiling import SMALLEST_TILE_SIZE
from ..models.devices import free_memory
from ..models.networks.registry import build_network
from .halo import find_halo, usual_tile_size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..models.checkpoint import Checkpoint

# Larger tiles are no faster on a GPU.
_LARGEST_GPU_TILE = 2048
# Other programs and copies of the tile need memory, too.
_FRACTION_OF_FREE_MEMORY = 0.5
# Windows that overlap by half cover each pixel four times, see `run_network`.
_COVERAGE_OF_WINDOWS = 4
_FLOAT32_BYTES = 4
# On these devices torch raises a RuntimeError with such a message: the CPU, the CPU
# on Windows, and MPS.
_OUT_OF_MEMORY_MESSAGES = (
    "can't allocate memory",
    "not enough memory",
    "out of memory",
)


class OutOfMemoryError(DeviceError):
    """The device has too little memory for a tile."""


def is_lack_of_memory(error: Exception) -> bool:
    """Return whether an error means that memory ran out.

    The message is searched as well as the type, because torch raises a RuntimeError
    on some devices.
    """
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    message = str(error).lower()
    return any(known in message for known in _OUT_OF_MEMORY_MESSAGES)


def choose_tile_size(checkpoint: Checkpoint, device: torch.device) -> int:
    """Return the largest tile size, a power of two, that fits into free memory.

    Parameters
    ----------
    checkpoint : Checkpoint
        The model.
    device : torch.device
        The device that denoises.

    Returns
    -------
    int
        Rows and columns of a tile. On a CPU, and if the free memory is unknown, at
        most the size that is fastest on a CPU; on a GPU at most 2048.
    """
    network = checkpoint.outline()
    usual = usual_tile_size(find_halo(network))
    free = free_memory(device)
    if free is None:
        return usual
    largest = usual if device.type == "cpu" else _LARGEST_GPU_TILE
    needed = network.bytes_per_pixel or bytes_per_pixel(
        checkpoint.network, checkpoint.network_options
    )
    pixels = free * _FRACTION_OF_FREE_MEMORY / needed
    size = largest
    while size > SMALLEST_TILE_SIZE and size**2 > pixels:
        size //= 2
    return size


def bytes_per_pixel(name: str, options: Mapping[str, Any]) -> float:
    """Return the size of the outputs of all layers of a network.

    Parameters
    ----------
    name, options
        See `build_network`.

    Returns
    -------
    float
        Bytes for each pixel of an image, in float32.
    """
    return _bytes_per_pixel(name, tuple(sorted(options.items())))


# Cached because it takes a tenth of the time of denoising a small image.
@lru_cache(maxsize=32)
def _bytes_per_pixel(name: str, options: tuple[tuple[str, Any], ...]) -> float:
    sizes: list[int] = []

    def record_size(_module: object, _inputs: object, output: torch.Tensor) -> None:
        sizes.append(output.numel() * _FLOAT32_BYTES)

    # On the CPU and not on the meta device, with which torch would import its compiler
    # and sympy: that takes a second and clashes with some OpenGL drivers. The values
    # of the weights do not matter.
    with torch.random.fork_rng(devices=[]):
        network = build_network(name, dict(options)).eval()
    for module in network.modules():
        if not list(module.children()):
            module.register_forward_hook(record_size)
    side = network.image_size or SMALLEST_TILE_SIZE
    with torch.inference_mode():
        network(torch.zeros(1, network.n_inputs, side, side))
    coverage = 1 if network.image_size is None else _COVERAGE_OF_WINDOWS
    return coverage * sum(sizes) / side**2
