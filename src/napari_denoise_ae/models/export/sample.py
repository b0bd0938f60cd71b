"""A noisy photograph and what a model makes of it, to test a package with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from ...noise.call import apply_noise
from ...noise.draw import draw_measured_noise
from ...noise.noise_estimate import NoiseEstimate
from ...noise.spec import parse_noise
from .graph import IMAGE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..checkpoint import Checkpoint
    from .graph import ExportedNetwork

# Rows and columns of scikit-image's astronaut, which is in the public domain: the face.
_FACE = (slice(0, 256), slice(96, 352))
_WHITE = 255.0
# Noise for a model that takes its level, in 8-bit units. The test of a package refuses
# inputs that are 0, so its pixels are correlated.
_TOLD = NoiseEstimate(sigma=25.0, correlation=(0.1, 0.1))
# Noise for a model whose training is unknown.
_UNKNOWN = "gaussian:0.1"
# Almost 0, for the same reason.
_BLACK = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class TestCase:
    """Inputs of a graph and their result.

    Parameters
    ----------
    inputs : dict of str to numpy.ndarray
        float32, the image (1, C, Y, X) first.
    denoised : numpy.ndarray
        float32, (1, C, Y, X).
    noise : str
        The noise that the image has.
    """

    # Not a class of tests for pytest.
    __test__ = False

    inputs: dict[str, NDArray[np.float32]]
    denoised: NDArray[np.float32]
    noise: str


def make_test_case(checkpoint: Checkpoint, graph: ExportedNetwork) -> TestCase:
    """Add noise to a photograph and denoise it.

    Parameters
    ----------
    checkpoint : Checkpoint
        The model, whose record names the noise if the network takes no noise level.
    graph : ExportedNetwork
        Its network, which normalizes images itself.
    """
    from skimage.data import astronaut

    clean = torch.from_numpy(astronaut()[_FACE]).permute(2, 0, 1)[None].float()
    if graph.network.in_channels == 1:
        clean = clean.mean(dim=1, keepdim=True)
    generator = torch.Generator().manual_seed(0)
    if graph.network.takes_noise_level:
        noise = f"Gaussian, sigma {_TOLD.sigma:g}, slightly correlated"
        noisy = draw_measured_noise(clean, _TOLD, generator)
        numbers: dict[str, Any] = {"sigma": [_TOLD.sigma]}
        numbers["correlation"] = [_TOLD.correlation]
    else:
        record = checkpoint.record
        noise = _UNKNOWN if record is None else record.config.noise
        unit = apply_noise(parse_noise(noise), clean / _WHITE, generator)
        noisy = _WHITE * unit
        numbers = {"low": [_BLACK], "high": [_WHITE]}
    values = [torch.tensor(numbers[number.name]) for number in graph.numbers]
    image = noisy.contiguous()
    with torch.inference_mode():
        denoised = graph(image, *values)
    inputs = {
        number.name: value.numpy()
        for number, value in zip(graph.numbers, values, strict=True)
    }
    return TestCase({IMAGE: image.numpy(), **inputs}, denoised.numpy(), noise)
