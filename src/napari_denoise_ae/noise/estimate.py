"""Estimate the noise level of an image, as `denoise` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..image.axes import resolve_axes
from ..image.checks import require_image
from ..image.planes import ArrayPlanes
from ..image.ranges import group_planes
from .estimators import estimate_sigma, median_of_known
from .windows import read_noise_windows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def estimate_noise(image: ArrayLike, *, axes: str | None = None) -> float:
    """Estimate the standard deviation of the noise in an image or a stack.

    This is the sigma that `denoise` finds when it is given none.

    Parameters
    ----------
    image : array_like
        Integers or floating-point numbers.
    axes : str, optional
        See `denoise`.

    Returns
    -------
    float
        Standard deviation in the units of `image`: of a stack, the median over its
        first, middle and last plane; of several channels C, the median over the
        channels. NaN if there is no patch of 8 x 8 pixels that is finite and not
        constant.

    Raises
    ------
    InvalidInputError
        If the image or its axes cannot be used.

    Notes
    -----
    The noise is measured where the image is smooth: in the smoothest tenth of its
    patches of 8 x 8 pixels, from the fast waves of their cosine transform, much as in
    [1]_. Patches that touch a bound at which the image is clipped are left out. If the
    noise grows with the intensity, the result is a value in between, closer to that of
    dark regions. In images more than 512 pixels wide or high, five windows of 256
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
    array = np.asarray(image)
    require_image(array)
    planes = ArrayPlanes.of(array, resolve_axes(array.shape, axes))
    windows = read_noise_windows(planes, group_planes(planes, "stack"))
    return median_of_known(estimate_sigma(group) for group in windows)
