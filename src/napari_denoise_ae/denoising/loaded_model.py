"""A model on its device: images as the network sees them in, denoised images out."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np
import torch

from ..models.devices import is_lack_of_memory
from .batches import add_noise_inputs, images_of_batch, make_batch, pad_end
from .blending import run_network
from .memory import OutOfMemoryError
from .options import FLOAT32
from .pixels import as_array
from .precision import arithmetic, computing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from ..models.checkpoint import Checkpoint
    from ..models.devices import DeviceChoice

_LOGGER = logging.getLogger(__name__)


class LoadedModel:
    """A model on its device.

    Parameters
    ----------
    checkpoint : Checkpoint
        The model.
    device : DeviceChoice
        Where to compute.
    precision : str
        How precisely, see `denoise`. The default gives the same result on all devices.
    """

    def __init__(
        self, checkpoint: Checkpoint, device: DeviceChoice, precision: str = FLOAT32
    ) -> None:
        self.checkpoint, self.precision = checkpoint, precision
        self._arithmetic = ""
        self.move_to(device)

    def move_to(self, device: DeviceChoice) -> None:
        """Build the network on a device, and compute there from now on."""
        self.device = self.checkpoint.usable_device(device)
        self.network = self.checkpoint.build(self.device.device)

    def run_network(
        self, batch: Tensor, noise: Sequence[float | Tensor] = ()
    ) -> Tensor:
        """Run the network on images of any size.

        Parameters
        ----------
        batch : torch.Tensor
            float32, (N, channels, Y, X), on any device, range [0, 1], or around 0 if
            the network takes a noise level. Images whose sides are not multiples of
            the network's stride, or shorter than its image size, are reflected at
            their end.
        noise : sequence of float or torch.Tensor
            The noise level and its products with the correlations along X and Y, for
            a network that takes them: one value for all pixels, or a map, (Y, X).

        Returns
        -------
        torch.Tensor
            The same shape, on the network's device.

        Raises
        ------
        OutOfMemoryError
            If the device runs out of memory.
        """
        height, width = batch.shape[-2:]
        device, taken = self.device.device, noise[: self.network.n_noise_inputs]
        level = next(iter(taken), None)
        self._log_arithmetic(level, batch)
        try:
            with torch.inference_mode(), computing(self.precision, device, level):
                told = add_noise_inputs(batch.to(device), taken)
                output = run_network(self.network, pad_end(told, self.network))
                return output[..., :height, :width].float()
        except (RuntimeError, MemoryError) as error:
            if not is_lack_of_memory(error):
                raise
            raise OutOfMemoryError(
                f"The device {self.device} ran out of memory on {len(batch)} x "
                f"{height} x {width} pixels. Use device='cpu'."
            ) from error

    def _log_arithmetic(self, level: float | Tensor | None, batch: Tensor) -> None:
        """Log in which arithmetic the network runs, if it has changed."""
        kind = arithmetic(self.precision, self.device.device, level)
        if kind == self._arithmetic:
            return
        self._arithmetic = kind
        height, width = batch.shape[-2:]
        _LOGGER.info(
            "The network computes in %s on %s. The first tile, with its halo, has "
            "%d x %d pixels.",
            *(kind, self.device, height, width),
        )

    def apply_network(
        self, unit: NDArray[np.float64], noise: Sequence[float | NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        """Denoise (Y, X, channels), whatever the network's channels.

        Parameters
        ----------
        unit : numpy.ndarray
            The image as the network sees it, see `prepare_input`.
        noise : sequence of float or numpy.ndarray
            See `run_network`.
        """
        maps = [
            torch.from_numpy(each) if isinstance(each, np.ndarray) else each
            for each in noise
        ]
        return as_array(self.apply(torch.from_numpy(unit), maps))

    def apply(
        self, unit: Tensor, noise: Sequence[float | Tensor], n_images: int = 1
    ) -> Tensor:
        """Denoise images that share a noise level, (Y, X, N * channels)."""
        batch = make_batch(unit, n_images, self.network)
        return images_of_batch(self.run_network(batch, noise), unit, n_images)
