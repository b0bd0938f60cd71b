"""Classical denoisers of scikit-image and SciPy, to compare models with.

Each takes an image (Y, X, channels), float64, mostly in [0, 1], and one
parameter. A new baseline is one function and one line in `BASELINES`.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from scipy.ndimage import gaussian_filter, median_filter
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle, denoise_wavelet

from ..noise.wavelet import estimate_noise

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    Image = NDArray[np.float64]

# Noise-free images need no denoising, but a denoiser needs some sigma.
_LOWEST_SIGMA = 1e-3


@dataclass(frozen=True, slots=True)
class Baseline:
    """A classical denoiser and the parameters to choose from.

    Parameters
    ----------
    function : callable
        Takes an image and a parameter, returns the denoised image.
    grid : tuple of float
        Values of the parameter.
    """

    function: Callable[..., Image]
    grid: tuple[float, ...]

    def with_parameter(self, parameter: float) -> Callable[[Image], Image]:
        """Return the denoiser with its parameter fixed."""
        return partial(self.function, parameter=parameter)


def gaussian(image: Image, parameter: float) -> Image:
    """Gaussian filter; the parameter is its sigma in pixels."""
    result: Image = gaussian_filter(image, (parameter, parameter, 0))
    return result


def median(image: Image, parameter: float) -> Image:
    """Median filter; the parameter is its side in pixels."""
    side = int(parameter)
    result: Image = median_filter(image, (side, side, 1))
    return result


def total_variation(image: Image, parameter: float) -> Image:
    """Total variation (Chambolle 2004); the parameter is its weight."""
    result: Image = denoise_tv_chambolle(image, weight=parameter, channel_axis=-1)
    return result


def wavelet(image: Image, parameter: float) -> Image:
    """Wavelet shrinkage (VisuShrink); the parameter scales the estimated sigma."""
    with warnings.catch_warnings():
        # Small images have fewer wavelet levels than it would like.
        warnings.simplefilter("ignore", UserWarning)
        result: Image = denoise_wavelet(
            image,
            sigma=parameter * _sigma(image),
            method="VisuShrink",
            mode="soft",
            channel_axis=-1,
        )
    return result


def non_local_means(image: Image, parameter: float) -> Image:
    """Non-local means (Buades 2005), fast mode; the parameter is h / sigma."""
    sigma = _sigma(image)
    denoised = denoise_nl_means(
        image,
        patch_size=5,
        patch_distance=6,
        fast_mode=True,
        h=parameter * sigma,
        sigma=sigma,
        channel_axis=-1,
    )
    # It drops a channel axis of length 1.
    result: Image = denoised.reshape(image.shape)
    return result


#: The baselines by name.
BASELINES: dict[str, Baseline] = {
    "gaussian": Baseline(gaussian, (0.5, 0.75, 1.0, 1.5, 2.0, 3.0)),
    "median": Baseline(median, (3.0, 5.0, 7.0, 9.0)),
    "total variation": Baseline(
        total_variation, (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)
    ),
    "wavelet": Baseline(wavelet, (0.25, 0.5, 0.75, 1.0, 1.5, 2.0)),
    "non-local means": Baseline(non_local_means, (0.2, 0.3, 0.4, 0.6, 0.8, 1.0, 1.4)),
}


def _sigma(image: Any) -> float:
    estimate = estimate_noise(image, channel_axis=-1)
    return _LOWEST_SIGMA if math.isnan(estimate) else max(estimate, _LOWEST_SIGMA)
