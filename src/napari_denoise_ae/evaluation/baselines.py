"""Classical denoisers from scikit-image and SciPy, to compare models with.

Each is a function of an image and one parameter. The image is float64 of shape
(Y, X, channels), with its intensity range mapped to [0, 1]; noise may exceed that
range. To add a baseline, write a function and add a line to `BASELINES`.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from scipy.ndimage import gaussian_filter, median_filter
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle, denoise_wavelet

from ..noise.wavelet import wavelet_sigma

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    Image = NDArray[np.float64]

# The denoisers need a sigma above 0, even if no noise is found.
_LOWEST_SIGMA = 1e-3


@dataclass(frozen=True, slots=True)
class Baseline:
    """A classical denoiser and the parameter values to try.

    Parameters
    ----------
    function : callable
        Takes an image and a keyword `parameter`; returns the denoised image.
    grid : tuple of float
        Parameter values, from weak to strong smoothing.
    """

    function: Callable[..., Image]
    grid: tuple[float, ...]

    def with_parameter(self, parameter: float) -> Callable[[Image], Image]:
        """Return the denoiser with a fixed parameter, as a function of the image."""
        return partial(self.function, parameter=parameter)


def gaussian(image: Image, parameter: float) -> Image:
    """Apply a Gaussian filter; the parameter is its sigma in pixels."""
    result: Image = gaussian_filter(image, (parameter, parameter, 0))
    return result


def median(image: Image, parameter: float) -> Image:
    """Apply a median filter; the parameter is the side of its window in pixels."""
    side = int(parameter)
    result: Image = median_filter(image, (side, side, 1))
    return result


def total_variation(image: Image, parameter: float) -> Image:
    """Minimize the total variation (Chambolle 2004); the parameter is its weight."""
    result: Image = denoise_tv_chambolle(image, weight=parameter, channel_axis=-1)
    return result


def wavelet(image: Image, parameter: float) -> Image:
    """Shrink wavelets (VisuShrink); the parameter multiplies the estimated sigma."""
    with warnings.catch_warnings():
        # PyWavelets warns if an image is too small for the default wavelet levels.
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
    """Apply non-local means (Buades 2005), fast mode; the parameter is h / sigma."""
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
    # scikit-image drops a channel axis of length 1.
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


def bm3d(image: Image, parameter: float) -> Image:
    """Apply BM3D (Dabov 2007) of the package bm3d; the parameter multiplies sigma."""
    import bm3d as package

    function = package.bm3d if image.shape[-1] == 1 else package.bm3d_rgb
    result: Image = function(image.squeeze(), parameter * _sigma(image))
    return result.reshape(image.shape)


#: Baselines for images without a clean one, on which a parameter could be chosen.
UNTUNED: dict[str, Callable[[Image], Image]] = {
    "non-local means": partial(non_local_means, parameter=0.8),
    "BM3D": partial(bm3d, parameter=1.0),
}


def _sigma(image: Any) -> float:
    estimate = wavelet_sigma(image, channel_axis=-1)
    return _LOWEST_SIGMA if math.isnan(estimate) else max(estimate, _LOWEST_SIGMA)
