"""Loss functions by name.

Each function takes ``(denoised, clean)``, two tensors of shape (N, channels, Y, X) in
[0, 1], and returns the mean loss as a 0-dimensional tensor. To add a loss, write a
function and add it to `LOSSES`. The window shows the first line of its docstring.

Importing this module does not import torch; only computing a loss does.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    Loss = Callable[..., Tensor]

# The defaults of scikit-image: window size in pixels, and K1 and K2 of the paper.
_WINDOW = 7
_K1, _K2 = 0.01, 0.03
# Mean squared error at a PSNR of 50 dB, below which errors are invisible.
_INVISIBLE_MSE = 1e-5


def mse(denoised: Tensor, clean: Tensor) -> Tensor:
    """Mean squared error, the basis of PSNR; favors smooth results."""
    return (denoised - clean).square().mean()


def l1(denoised: Tensor, clean: Tensor) -> Tensor:
    """Mean absolute error; less sensitive to outliers than the squared error."""
    return (denoised - clean).abs().mean()


def psnr(denoised: Tensor, clean: Tensor) -> Tensor:
    """Mean distance of the PSNR to 50 dB; weights all noise levels equally.

    The squared error of a very noisy image is many times that of an image with little
    noise and would dominate the mean. In decibels, all noise levels count equally [1]_.

    Parameters
    ----------
    denoised, clean : torch.Tensor
        (N, channels, Y, X), range [0, 1].

    Returns
    -------
    torch.Tensor
        0-dimensional, in dB, 0 or more. It levels off below a mean squared error
        of 1e-5, where errors are invisible.

    References
    ----------
    .. [1] Chen et al., HINet: half instance normalization network for image
       restoration, 2021, arXiv:2105.06086.
    """
    errors = (denoised - clean).square().mean(dim=(1, 2, 3))
    return 10.0 * (1.0 + errors / _INVISIBLE_MSE).log10().mean()


def mse_ssim(denoised: Tensor, clean: Tensor, *, ssim_weight: float) -> Tensor:
    """Weighted sum of mean squared error and 1 - SSIM; preserves edges and textures.

    Parameters
    ----------
    denoised, clean : torch.Tensor
        (N, channels, Y, X), range [0, 1].
    ssim_weight : float
        Weight of 1 - SSIM, between 0 and 1. The weight of the mean squared error
        is ``1 - ssim_weight`` [1]_.

    Returns
    -------
    torch.Tensor
        0-dimensional.

    References
    ----------
    .. [1] Zhao et al., Loss functions for image restoration with neural
       networks, 2017, :doi:`10.1109/TCI.2016.2644865`.
    """
    dissimilarity = 1.0 - structural_similarity(denoised, clean)
    return (1.0 - ssim_weight) * mse(denoised, clean) + ssim_weight * dissimilarity


def structural_similarity(denoised: Tensor, clean: Tensor) -> Tensor:
    """Compute the mean structural similarity (SSIM) for a data range of 1.

    It is differentiable and equals `skimage.metrics.structural_similarity` with its
    defaults [1]_: a uniform window of 7 x 7 pixels, sample covariances, and no pixels
    closer to the border than half a window.

    Parameters
    ----------
    denoised, clean : torch.Tensor
        (N, channels, Y, X), range [0, 1], at least 7 x 7 pixels.

    Returns
    -------
    torch.Tensor
        0-dimensional; 1 for equal images.

    Raises
    ------
    InvalidInputError
        If the images are smaller than the window.

    References
    ----------
    .. [1] Wang et al., Image quality assessment: from error visibility to
       structural similarity, 2004, :doi:`10.1109/TIP.2003.819861`.
    """
    from torch.nn.functional import avg_pool2d

    if min(clean.shape[-2:]) < _WINDOW:
        raise InvalidInputError(
            f"SSIM needs images of at least {_WINDOW} x {_WINDOW} pixels, got "
            f"{tuple(clean.shape[-2:])}."
        )

    def mean(values: Tensor) -> Tensor:
        # Separable: 14 additions for each pixel instead of 49.
        columns = avg_pool2d(values, (_WINDOW, 1), stride=1)
        return avg_pool2d(columns, (1, _WINDOW), stride=1)

    unbiased = _WINDOW**2 / (_WINDOW**2 - 1)
    mean_d, mean_c = mean(denoised), mean(clean)
    variance_d = unbiased * (mean(denoised * denoised) - mean_d * mean_d)
    variance_c = unbiased * (mean(clean * clean) - mean_c * mean_c)
    covariance = unbiased * (mean(denoised * clean) - mean_d * mean_c)
    c1, c2 = _K1**2, _K2**2
    luminance = (2 * mean_d * mean_c + c1) / (mean_d.square() + mean_c.square() + c1)
    structure = (2 * covariance + c2) / (variance_d + variance_c + c2)
    return (luminance * structure).mean()


#: Losses by the name that configs and the command line use.
LOSSES: dict[str, Loss] = {
    "mse": mse,
    "l1": l1,
    "psnr": psnr,
    "mse_ssim": mse_ssim,
}


def make_loss(name: str, *, ssim_weight: float) -> Loss:
    """Return a loss function of ``(denoised, clean)``.

    Parameters
    ----------
    name : str
        A key of `LOSSES`.
    ssim_weight : float
        See `mse_ssim`; other losses ignore it.

    Returns
    -------
    callable
        See the module docstring.
    """
    loss = LOSSES[name]
    return partial(loss, ssim_weight=ssim_weight) if loss is mse_ssim else loss
