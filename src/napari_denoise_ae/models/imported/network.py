"""An ONNX graph as a network of this package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...errors import CheckpointError, one_line
from ..networks.base import DenoisingNetwork
from .interface import AXES, CORRELATION, HIGH, IMAGE, LEVEL, LOW, import_error

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from .interface import Interface

# Words of ONNX Runtime for too little memory.
_MEMORY = ("allocate memory", "bad allocation", "bad_alloc")
# Bytes of the outputs of all layers for each pixel: those of a large U-Net. Windows are
# denoised one by one, so that only their copies count.
_LARGE, _WINDOWS = 4096.0, 128.0


class ImportedNetwork(DenoisingNetwork):
    """A network that ONNX Runtime runs on the CPU, image by image.

    Parameters
    ----------
    interface : Interface
        How to call it.
    name : str
        Name of the model, for error messages.
    session : onnxruntime.InferenceSession, optional
        None for a network that is only asked for its attributes.
    """

    takes_noise_maps = False

    def __init__(self, interface: Interface, name: str, session: Any = None) -> None:
        super().__init__()
        self._interface, self._name, self._session = interface, name, session
        sides = interface.sides
        self.in_channels = interface.n_channels
        self.stride, self.image_size = sides.stride, sides.window
        self.receptive_field_radius = sides.radius
        self.takes_noise_level = LEVEL in interface.roles
        self.takes_correlation = CORRELATION in interface.roles
        self.intensity_rule = interface.rule
        self.bytes_per_pixel = _LARGE if sides.window is None else _WINDOWS

    @property
    def shortest_side(self) -> int:
        """Smallest number of rows and of columns of an image."""
        return self.image_size or self._interface.sides.shortest

    @property
    def n_parameters(self) -> int:
        """Number of floating-point weights."""
        return self._interface.n_parameters

    def forward(self, noisy: Tensor) -> Tensor:
        """Denoise a batch; see the base class for shapes and ranges.

        Raises
        ------
        CheckpointError
            If the graph cannot be run, or returns an image of another shape.
        """
        images = noisy.float().cpu().numpy()
        denoised = np.stack([self._denoise(image) for image in images])
        return torch.from_numpy(denoised).to(noisy)

    def _denoise(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """Denoise (channels and noise inputs, Y, X)."""
        interface, n_channels = self._interface, self.in_channels
        values = image[:n_channels]
        for step in interface.before:
            values = step.apply(values)
        numbers = self._numbers(image[n_channels:, 0, 0])
        tensor = _arrange(values[np.newaxis], interface.axes)
        numbers[IMAGE] = np.ascontiguousarray(tensor, interface.dtype)
        feed = {name: numbers[role] for name, role in interface.inputs}
        result = self._run(feed)
        if result.ndim != len(interface.output_axes):
            raise import_error(self._name, f"its result has {result.ndim} axes")
        result = _restore(result, interface.output_axes).astype(np.float32)[0]
        if result.shape != values.shape:
            raise import_error(
                self._name,
                f"for an image of {values.shape} (channels, Y, X) it returned one of "
                f"{result.shape}; both must be equal",
            )
        for step in interface.after:
            result = step.apply(result)
        if interface.is_inverted:
            for step in reversed(interface.before):
                result = step.undo(result)
        denoised: NDArray[np.float32] = result
        return denoised

    def _numbers(self, noise: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Return the values of the other inputs."""
        numbers = {LOW: np.zeros(1, np.float32), HIGH: np.ones(1, np.float32)}
        if self.takes_noise_level:
            numbers[LEVEL] = noise[:1]
        if self.takes_correlation:
            numbers[CORRELATION] = noise[np.newaxis, 1:] / noise[0]
        return numbers

    def _run(self, feed: dict[str, NDArray[Any]]) -> NDArray[Any]:
        try:
            (result,) = self._session.run([self._interface.output], feed)
        # The classes of its errors are those of a compiled module.
        except Exception as error:
            text = one_line(error, 300)
            if any(word in text for word in _MEMORY):
                raise MemoryError(text) from error
            raise CheckpointError(
                f"ONNX Runtime cannot run {self._name}: {text}"
            ) from error
        found: NDArray[Any] = result
        return found


def _arrange(batch: NDArray[Any], axes: str) -> NDArray[Any]:
    """Return (1, C, Y, X) with other axes; those that are left out have length 1."""
    missing = tuple(place for place, axis in enumerate(AXES) if axis not in axes)
    kept = [axis for axis in AXES if axis in axes]
    return batch.squeeze(missing).transpose([kept.index(axis) for axis in axes])


def _restore(result: NDArray[Any], axes: str) -> NDArray[Any]:
    """Invert `_arrange`."""
    kept = [axis for axis in AXES if axis in axes]
    missing = tuple(place for place, axis in enumerate(AXES) if axis not in axes)
    return np.expand_dims(result.transpose([axes.index(a) for a in kept]), missing)
