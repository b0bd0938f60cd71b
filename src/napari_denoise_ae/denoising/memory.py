"""Choose tiles that fit into memory, and recognize when it runs out."""

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
    from ..models.checkpoint import Checkpoint

# A GPU gains nothing from larger tiles than these.
_LARGEST_GPU_TILE = 2048
# Other programs and the tile's own copies need memory, too.
_SHARE_OF_FREE_MEMORY = 0.5
# Windows of a network of one size cover each pixel four times.
_COVERAGE_OF_WINDOWS = 4
_FLOAT32_BYTES = 4
# What torch says where it raises a plain RuntimeError: on the CPU, on Windows'
# CPU, and on MPS.
_SIGNS_OF_NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")


class OutOfMemoryError(DeviceError):
    """A device that has too little memory for so many pixels at once."""


def is_lack_of_memory(error: Exception) -> bool:
    """Tell whether memory has run out; not every device says so by its type."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return any(sign in str(error).lower() for sign in _SIGNS_OF_NO_MEMORY)


def choose_tile_size(checkpoint: Checkpoint, device: torch.device) -> int:
    """Return the largest tile, a power of two, for which there is memory."""
    usual = usual_tile_size(find_halo(checkpoint.outline()))
    free = free_memory(device)
    if free is None:
        return usual
    largest = usual if device.type == "cpu" else _LARGEST_GPU_TILE
    options = tuple(sorted(checkpoint.network_options.items()))
    needed = _bytes_per_pixel(checkpoint.network, options)
    pixels = free * _SHARE_OF_FREE_MEMORY / needed
    size = largest
    while size > SMALLEST_TILE_SIZE and size**2 > pixels:
        size //= 2
    return size


# Takes as long as a tenth of a small image.
@lru_cache(maxsize=32)
def _bytes_per_pixel(name: str, options: tuple[tuple[str, Any], ...]) -> float:
    """Return what a network's layers give out, all together, for one pixel."""
    sizes: list[int] = []

    def count(_module: object, _inputs: object, output: torch.Tensor) -> None:
        sizes.append(output.numel() * _FLOAT32_BYTES)

    with torch.device("meta"):
        network = build_network(name, dict(options)).eval()
    # Whatever its weights are. To compute nothing, on the device meta, torch would
    # import its compiler, which clashes with some OpenGL drivers.
    network.to_empty(device="cpu")
    for module in network.modules():
        if not list(module.children()):
            module.register_forward_hook(count)
    side = network.image_size or SMALLEST_TILE_SIZE
    with torch.inference_mode():
        network(torch.zeros(1, network.n_inputs, side, side))
    coverage = 1 if network.image_size is None else _COVERAGE_OF_WINDOWS
    return coverage * sum(sizes) / side**2
