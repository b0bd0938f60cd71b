"""Estimate the noise level of an image in the same way as `denoise`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..image.axes import resolve_axes, with_channel_axis
from ..image.checks import require_image
from ..image.masks import fill_masked
from ..image.planes import ArrayPlanes
from ..image.ranges import group_planes
from .estimators import median_of_known
from .measure import measure_windows
from .noise_estimate import GAUSSIAN
from .setting import NoiseSetting
from .windows import read_noise_windows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def estimate_noise(
    image: ArrayLike, *, axes: str | None = None, channel_axis: int | None = None
) -> float:
    """Estimate the standard deviation of the noise in an image or a stack.

    ``denoise(image, noise_type="gaussian")`` uses this estimate; `measure_noise` also
    measures how the noise depends on the intensity.

    Parameters
    ----------
    image : array_like
        Integers or floating-point numbers.
    axes : str, optional
        See `denoise`.
    channel_axis : int, optional
        Instead of `axes`, see `denoise`.

    Returns
    -------
    float
        Standard deviation in the units of `image`. For a stack, the median over its
        first, middle and last plane; for several channels (axis C), the median over
        the channels. NaN if no patch of 8 x 8 pixels is finite and not constant.

    Raises
    ------
    InvalidInputError
        If the image or its axes cannot be used.

    Notes
    -----
    The noise is measured in the smoothest tenth of the patches of 8 x 8 pixels, from
    the high frequencies of their discrete cosine transform, similar to [1]_. Patches
    with clipped pixels are excluded. If the noise increases with the intensity, the
    result lies between the noise levels of dark and bright regions, closer to that of
    dark ones. In images with a side longer than 512 pixels, five windows of 256 x 256
    pixels are measured.

    References
    ----------
    .. [1] Colom and Buades, Analysis and extension of the Ponomarenko et al.
       method, estimating a noise curve from a single image, 2013,
       :doi:`10.5201/ipol.2013.45`.

    Examples
    --------
    >>> import numpy as np
    >>> noisy = np.random.default_rng(0).normal(1000.0, 20.0, (256, 256))
    >>> round(estimate_noise(noisy))
    20
    """
    array = fill_masked(image)
    require_image(array)
    axes = with_channel_axis(array.shape, axes, channel_axis)
    planes = ArrayPlanes.of(array, resolve_axes(array.shape, axes))
    windows = read_noise_windows(planes, group_planes(planes, "stack"))
    gaussian = NoiseSetting(noise_type=GAUSSIAN)
    found = [measure_windows(group, gaussian).sigma for group in windows]
    return median_of_known(sigma or math.nan for sigma in found)
