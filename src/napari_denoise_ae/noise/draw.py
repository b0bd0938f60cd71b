"""Draw noise as it was measured in an image."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from .blur import blur_of_correlation, blurred_normal

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from .noise_estimate import NoiseEstimate

#: Variance of what is added to the denoised part, relative to that of the noise. A
#: smaller one leaves less noise there and more in the other part.
SHARE = 0.25


def draw_measured_noise(
    clean: Tensor, noise: NoiseEstimate, generator: Generator
) -> Tensor:
    """Add noise to clean images as it was measured in an image.

    Parameters
    ----------
    clean : torch.Tensor
        Images in the units in which the noise was measured, (N, C, Y, X), floating
        point; not modified.
    noise : NoiseEstimate
        The measured noise.
    generator : torch.Generator
        Source of the random numbers, on the device of `clean`.

    Returns
    -------
    torch.Tensor
        Noisy images, same shape, dtype and device, clipped at the bounds of the
        measured noise.

    Notes
    -----
    Photons are drawn from a Poisson distribution where the noise grows with the
    intensity. A positive offset variance is the variance of Gaussian read noise. A
    negative one is due to a pedestal, minus offset variance / gain, at which there are
    no photons. The noise of correlated pixels is Gaussian at all intensities.
    """
    low, high = noise.bounds
    noisy = clean + draw_noise(clean, noise, generator)
    return noisy if low is None and high is None else noisy.clamp_(low, high)


def draw_noise(clean: Tensor, noise: NoiseEstimate, generator: Generator) -> Tensor:
    """Draw the noise that `draw_measured_noise` adds before it clips."""
    if noise.curve is None:
        return _draw_normal(clean, noise, generator) * noise.sigma
    if noise.is_correlated:
        return draw_gaussian_noise(clean, noise, generator)
    gain, offset = noise.gain, noise.offset_variance
    photons = clean / gain + min(offset, 0.0) / gain**2
    drawn = _draw_photon_noise(photons.clamp_min_(0.0), generator).mul_(gain)
    if offset > 0:
        drawn.add_(_draw_normal(clean, noise, generator), alpha=math.sqrt(offset))
    return drawn


def draw_gaussian_noise(
    clean: Tensor, noise: NoiseEstimate, generator: Generator
) -> Tensor:
    """Draw Gaussian noise with the measured variance and correlation.

    The parameters are those of `draw_measured_noise`.
    """
    drawn = _draw_normal(clean, noise, generator)
    if noise.curve is None:
        return drawn.mul_(noise.sigma)
    variance = clean * noise.gain + noise.offset_variance
    return drawn.mul_(variance.clamp_min_(0.0).sqrt_())


def draw_split(clean: Tensor, noise: NoiseEstimate, generator: Generator) -> Tensor:
    """Draw what is added to a noisy image to split it into independent parts.

    Parameters
    ----------
    clean : torch.Tensor
        The denoised image, (N, C, Y, X).
    noise : NoiseEstimate
        The noise of the noisy image.
    generator : torch.Generator
        Source of the random numbers, on the device of `clean`.

    Returns
    -------
    torch.Tensor
        Added to the noisy image it gives one part; divided by -`SHARE` and added, the
        other. Same shape.
    """
    # The noise of a share of the photons.
    weaker = replace(
        noise,
        sigma=noise.sigma * math.sqrt(SHARE),
        offset_variance=noise.offset_variance * SHARE,
    )
    return draw_noise(clean * SHARE, weaker, generator)


def _draw_photon_noise(photons: Tensor, generator: Generator) -> Tensor:
    """Return Poisson counts minus their means."""
    import torch

    return torch.poisson(photons, generator=generator).sub_(photons)


def _draw_normal(clean: Tensor, noise: NoiseEstimate, generator: Generator) -> Tensor:
    """Draw standard normal values with the measured correlation."""
    blur_x, blur_y = (blur_of_correlation(each) for each in noise.correlation)
    drawn, _ = blurred_normal(clean, generator, blur_y, blur_x)
    return drawn
