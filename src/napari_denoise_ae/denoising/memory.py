"""Choose tiles that fit into memory."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch

from ..errors import DeviceError
from ..image.tiling import SMALLEST_TILE_SIZE
from ..models.devices import free_memory
from ..models.networks.call import call_network
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


class OutOfMemoryError(DeviceError):
    """The device has too little memory for a tile."""


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

    def record_size(_module: object, _inputs: object, output: Any) -> None:
        # Some layers return several tensors.
        tensors = output if isinstance(output, tuple) else (output,)
        sizes.extend(
            each.numel() * _FLOAT32_BYTES
            for each in tensors
            if isinstance(each, torch.Tensor)
        )

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
        output = call_network(network, torch.zeros(1, network.n_inputs, side, side))
    if not sizes:
        # Not all layers need to be modules.
        record_size(None, None, output)
    coverage = 1 if network.image_size is None else _COVERAGE_OF_WINDOWS
    return coverage * sum(sizes) / side**2
