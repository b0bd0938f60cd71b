"""How good a result is, and how noisy an image is.

All of it is scikit-image's, with one convention: the data range is given,
never guessed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Side of the window that SSIM slides over the image, in pixels.
SSIM_WINDOW = 7


def psnr(
    image_true: NDArray[Any], image_test: NDArray[Any], *, data_range: float
) -> float:
    """Peak signal-to-noise ratio.

    Parameters
    ----------
    image_true : numpy.ndarray
        The clean image, any shape.
    image_test : numpy.ndarray
        The image to judge, same shape.
    data_range : float
        Difference between the highest and the lowest intensity that the
        clean image can have, in its units.

    Returns
    -------
    float
        Decibels; higher is better, infinite for equal images.

    Raises
    ------
    InvalidInputError
        If the shapes differ or the range is not above 0.
    """
    _require_comparable(image_true, image_test, data_range)
    true, test = image_true.astype(np.float64), image_test.astype(np.float64)
    error = float(np.mean((true - test) ** 2))
    # scikit-image divides by zero for equal images, with a warning.
    if error == 0:
        return math.inf
    from skimage.metrics import peak_signal_noise_ratio

    return float(peak_signal_noise_ratio(true, test, data_range=data_range))


def ssim(
    image_true: NDArray[Any],
    image_test: NDArray[Any],
    *,
    data_range: float,
    channel_axis: int | None = None,
) -> float:
    """Structural similarity, scikit-image's with a uniform window of 7 pixels.

    Parameters
    ----------
    image_true : numpy.ndarray
        The clean image.
    image_test : numpy.ndarray
        The image to judge, same shape.
    data_range : float
        Difference between the highest and the lowest intensity that the
        clean image can have, in its units.
    channel_axis : int, optional
        Axis of the color channels, whose similarities are averaged.

    Returns
    -------
    float
        1 for equal images; NaN where a side is shorter than the window.

    Raises
    ------
    InvalidInputError
        If the shapes differ or the range is not above 0.

    References
    ----------
    .. [1] Wang et al., Image quality assessment: from error visibility to
       structural similarity, 2004, :doi:`10.1109/TIP.2003.819861`.
    """
    _require_comparable(image_true, image_test, data_range)
    sides = list(image_true.shape)
    if channel_axis is not None:
        sides.pop(channel_axis)
    if min(sides) < SSIM_WINDOW:
        return math.nan
    from skimage.metrics import structural_similarity

    return float(
        structural_similarity(
            image_true.astype(np.float64),
            image_test.astype(np.float64),
            data_range=data_range,
            channel_axis=channel_axis,
            win_size=SSIM_WINDOW,
        )
    )


def psnr_of_each(
    images_true: NDArray[Any], images_test: NDArray[Any], *, data_range: float
) -> NDArray[np.float64]:
    """`psnr` of each of many images at once.

    Parameters
    ----------
    images_true, images_test : numpy.ndarray
        Images along the first axis, one shape.
    data_range : float
        See `psnr`.

    Returns
    -------
    numpy.ndarray
        (N,), in dB.
    """
    _require_comparable(images_true, images_test, data_range)
    squares = np.square(images_true.astype(np.float64) - images_test)
    errors = squares.reshape(len(squares), -1).mean(axis=1)
    with np.errstate(divide="ignore"):  # equal images
        result: NDArray[np.float64] = 10.0 * np.log10(data_range**2 / errors)
    return result


def ssim_of_each(
    images_true: NDArray[Any], images_test: NDArray[Any], *, data_range: float
) -> NDArray[np.float64]:
    """`ssim` of each of many small images at once, quicker than one by one.

    Parameters
    ----------
    images_true, images_test : numpy.ndarray
        (N, Y, X, channels), one shape, at least 7 pixels wide and high.
    data_range : float
        See `ssim`.

    Returns
    -------
    numpy.ndarray
        (N,), means over the channels.
    """
    _require_comparable(images_true, images_test, data_range)
    from scipy.ndimage import uniform_filter

    # As in scikit-image: sample covariances, and pixels nearer to the border
    # than half a window left out.
    half = SSIM_WINDOW // 2
    inner = (slice(None), slice(half, -half), slice(half, -half))

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        filtered: NDArray[np.float64] = uniform_filter(
            values, (1, SSIM_WINDOW, SSIM_WINDOW, 1)
        )
        return filtered[inner]

    true, test = images_true.astype(np.float64), images_test.astype(np.float64)
    unbiased = SSIM_WINDOW**2 / (SSIM_WINDOW**2 - 1)
    mean_true, mean_test = mean(true), mean(test)
    squares = mean_true * mean_true + mean_test * mean_test
    variances = unbiased * (mean(true * true) + mean(test * test) - squares)
    covariance = unbiased * (mean(true * test) - mean_true * mean_test)
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    luminance = (2 * mean_true * mean_test + c1) / (squares + c1)
    structure = (2 * covariance + c2) / (variances + c2)
    similarities: NDArray[np.float64] = (luminance * structure).mean(axis=(1, 2, 3))
    return similarities


def _require_comparable(
    image_true: NDArray[Any], image_test: NDArray[Any], data_range: float
) -> None:
    if image_true.shape != image_test.shape:
        raise InvalidInputError(
            "The two images to compare must have the same shape, got "
            f"{image_true.shape} and {image_test.shape}."
        )
    if not (math.isfinite(data_range) and data_range > 0):
        raise InvalidInputError(
            f"data_range must be a finite number above 0, got {data_range}."
        )
