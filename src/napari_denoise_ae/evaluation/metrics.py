"""PSNR and SSIM, as in scikit-image, but the data range is never guessed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError
from ..image.checks import as_array, number_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Side of the sliding window of SSIM, in pixels.
SSIM_WINDOW = 7
_LARGEST_RANGE = 1e150


def psnr(
    image_true: NDArray[Any], image_test: NDArray[Any], *, data_range: float
) -> float:
    """Compute the peak signal-to-noise ratio of an image.

    Parameters
    ----------
    image_true : numpy.ndarray
        The clean image, any shape and real dtype.
    image_test : numpy.ndarray
        The image to score, the same shape.
    data_range : float
        Difference between the highest and the lowest intensity that the
        clean image can have, in its units.

    Returns
    -------
    float
        PSNR in dB. Higher is better; infinite for equal images.

    Raises
    ------
    InvalidInputError
        If the shapes differ, or the data range is not a finite number above 0.
    """
    true, test = _comparable(image_true, image_test, data_range)
    error = float(np.mean((true - test) ** 2))
    if error == 0:
        return math.inf
    # The square of the data range may overflow.
    return 20.0 * math.log10(data_range) - 10.0 * math.log10(error)


def ssim(
    image_true: NDArray[Any],
    image_test: NDArray[Any],
    *,
    data_range: float,
    channel_axis: int | None = None,
) -> float:
    """Compute the structural similarity of an image.

    It is scikit-image's, with a uniform window of 7 pixels.

    Parameters
    ----------
    image_true : numpy.ndarray
        The clean image, any shape and real dtype.
    image_test : numpy.ndarray
        The image to score, the same shape.
    data_range : float
        Difference between the highest and the lowest intensity that the
        clean image can have, in its units.
    channel_axis : int, optional
        Axis of the color channels, whose similarities are averaged. None, the
        default, means that the image has no color channels.

    Returns
    -------
    float
        SSIM. Higher is better; 1 for equal images. NaN if the image is smaller
        than the window along any axis other than `channel_axis`.

    Raises
    ------
    InvalidInputError
        If the shapes differ, or the data range is not a number above 0 and at most
        1e150.

    References
    ----------
    .. [1] Wang et al., Image quality assessment: from error visibility to
       structural similarity, 2004, :doi:`10.1109/TIP.2003.819861`.
    """
    true, test = _comparable(image_true, image_test, data_range)
    if data_range > _LARGEST_RANGE:
        raise InvalidInputError(
            f"data_range must be at most {_LARGEST_RANGE:g}, got {data_range}: its "
            "square overflows."
        )
    sides = list(true.shape)
    if channel_axis is not None:
        sides.pop(channel_axis)
    if not sides or min(sides) < SSIM_WINDOW:
        return math.nan
    from skimage.metrics import structural_similarity

    return float(
        structural_similarity(
            true,
            test,
            data_range=float(data_range),
            channel_axis=channel_axis,
            win_size=SSIM_WINDOW,
        )
    )


def psnr_per_image(
    images_true: NDArray[Any], images_test: NDArray[Any], *, data_range: float
) -> NDArray[np.float64]:
    """Compute the `psnr` of each image of a batch.

    Parameters
    ----------
    images_true, images_test : numpy.ndarray
        Clean images and images to score, both of shape (N, ...).
    data_range : float
        See `psnr`.

    Returns
    -------
    numpy.ndarray
        PSNR in dB, float64 of shape (N,).

    Raises
    ------
    InvalidInputError
        See `psnr`.
    """
    true, test = _comparable(images_true, images_test, data_range)
    squares = np.square(true - test)
    errors = squares.reshape(len(squares), -1).mean(axis=1)
    with np.errstate(divide="ignore"):  # equal images
        result: NDArray[np.float64] = 10.0 * np.log10(data_range**2 / errors)
    return result


def ssim_per_image(
    images_true: NDArray[Any], images_test: NDArray[Any], *, data_range: float
) -> NDArray[np.float64]:
    """Compute the `ssim` of each image of a batch.

    For many small images, this is faster than calling `ssim` for each.

    Parameters
    ----------
    images_true, images_test : numpy.ndarray
        Clean images and images to score, both of shape (N, Y, X, channels), at
        least 7 pixels wide and high.
    data_range : float
        See `ssim`.

    Returns
    -------
    numpy.ndarray
        SSIM, averaged over the channels, float64 of shape (N,).

    Raises
    ------
    InvalidInputError
        See `ssim`.
    """
    true, test = _comparable(images_true, images_test, data_range)
    from scipy.ndimage import uniform_filter

    # As in scikit-image: unbiased covariances, and the border of half a window is
    # left out.
    half = SSIM_WINDOW // 2
    inner = (slice(None), slice(half, -half), slice(half, -half))

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        filtered: NDArray[np.float64] = uniform_filter(
            values, (1, SSIM_WINDOW, SSIM_WINDOW, 1)
        )
        return filtered[inner]

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


def _comparable(
    image_true: Any, image_test: Any, data_range: Any
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two images as float64 arrays, if they can be compared."""
    true, test = as_array(image_true), as_array(image_test)
    for array in (true, test):
        if array.dtype.kind not in "biuf":
            raise InvalidInputError(
                f"The images to compare must hold real numbers, got {array.dtype}."
            )
    if true.shape != test.shape:
        raise InvalidInputError(
            "The images to compare must have the same shape, got "
            f"{true.shape} and {test.shape}."
        )
    if not 0 < number_of(data_range) < math.inf:
        raise InvalidInputError(
            f"data_range must be a finite number above 0, got {data_range}."
        )
    return true.astype(np.float64), test.astype(np.float64)
