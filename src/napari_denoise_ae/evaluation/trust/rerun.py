"""Denoise a window again, with changed pixels and the settings of the first run."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from ...denoising.array import Denoising
from ...denoising.network_input import prepare_input
from ...image.intensity import share_range
from ...noise.anscombe import stabilized_of
from ...noise.draw import SHARE, draw_split
from ...noise.noise_estimate import POISSON_GAUSSIAN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...denoising.denoiser import Denoiser
    from ...denoising.options import DenoiseOptions
    from ...image.intensity import IntensityRange
    from ...noise.clipping import Bounds
    from ...noise.noise_estimate import NoiseEstimate

    Pixels = NDArray[np.float64]

# A step of so many standard deviations still looks like the same noise to the network.
_STEP = 0.1
# Few photons make the slope of the stabilization steep, but not by more than this.
_MOST_STEEP = 1.5
# The level of noise that grows with the intensity is at least this fraction of its mean
# variance, so that dark pixels do not dominate a ratio.
_LEAST_VARIANCE = 0.1
# Pixels this many standard deviations from a bound at which noise is clipped are left
# out.
_NEAR_BOUND = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Rerun:
    """A model with the settings of a finished run.

    Parameters
    ----------
    denoiser : Denoiser
        The model on its device.
    options : DenoiseOptions
        The options of the run. Neighboring frames are not used.
    scale : IntensityRange
        How the model saw the plane.
    noise : NoiseEstimate
        The noise of the plane, not clipped.
    bounds : tuple of float or None
        The lowest and the highest intensity, if the noise is clipped there.
    """

    denoiser: Denoiser
    options: DenoiseOptions
    scale: IntensityRange
    noise: NoiseEstimate
    bounds: Bounds

    def denoise(self, image: Pixels) -> Pixels:
        """Denoise (Y, X, channels) exactly as in the run."""
        return self._run(image, self.options, self.scale)

    def denoise_louder(self, image: Pixels) -> Pixels:
        """Denoise an image to which `draw` was added."""
        if not self.denoiser.network.takes_noise_level:
            return self._run(image, self.options, self.scale)
        louder = self.noise.scaled(math.sqrt(1.0 + SHARE))
        options = replace(self.options, sigma=None, correlation=None, noise_type=louder)
        return self._run(image, options, None)

    def draw(self, denoised: Pixels, generator: torch.Generator) -> Pixels:
        """Draw what splits an image into independent parts, see `draw_split`."""
        first = torch.from_numpy(denoised.transpose(2, 0, 1)[np.newaxis].copy())
        drawn = draw_split(first, self.noise, generator)[0].numpy()
        pixels: Pixels = drawn.transpose(1, 2, 0).astype(np.float64)
        return pixels

    def level(self, denoised: Pixels) -> Pixels:
        """Return the standard deviation of the noise of each pixel."""
        variance = self.noise.variance(denoised)
        level: Pixels = np.sqrt(np.maximum(variance, _LEAST_VARIANCE * variance.mean()))
        return level

    def probe(
        self, noisy: Pixels, denoised: Pixels, signs: Pixels
    ) -> tuple[Pixels, Pixels]:
        """Measure how the result follows the noise.

        Parameters
        ----------
        noisy, denoised : numpy.ndarray
            The image and the result, (Y, X, channels).
        signs : numpy.ndarray
            Random signs, 0 for pixels that are left out; same shape.

        Returns
        -------
        noise, response : numpy.ndarray
            Noise, and the change of the result that it makes. The mean of their product
            is the covariance of the noise and the result [1]_.

        References
        ----------
        .. [1] Ramani, Blu and Unser, Monte-Carlo SURE: a black-box optimization of
           regularization parameters for general denoising algorithms, 2008,
           :doi:`10.1109/TIP.2008.2001404`.
        """
        level = np.sqrt(self.noise.variance(denoised))
        changed = self.denoise(noisy + _STEP * level * signs)
        return signs * level * self._steepness(noisy, level), (
            (changed - denoised) / _STEP
        )

    def counted(self, noisy: Pixels, denoised: Pixels) -> NDArray[np.bool_]:
        """Return which pixels the model sees unchanged, and far from a bound."""
        counted = prepare_input(noisy, self.scale).counted & np.isfinite(denoised)
        reach = _NEAR_BOUND * self.level(np.nan_to_num(denoised))
        for bound in self.bounds:
            if bound is not None:
                counted &= np.abs(denoised - bound) > reach
        return counted

    def _steepness(self, noisy: Pixels, level: Pixels) -> Pixels | float:
        """Return the effect of a photon over that of the same infinitesimal step.

        For counts y with mean x, Stein's lemma has a difference instead of the
        derivative: E[(y - x) h(y)] = E[x (h(y + 1) - h(y))].
        """
        if self.noise.kind != POISSON_GAUSSIAN:
            return 1.0
        gain, offset = self.noise.gain, self.noise.offset_variance
        step = np.maximum(_STEP * level, np.finfo(np.float32).tiny)
        low, high, more = (
            stabilized_of(values, gain, offset)
            for values in (noisy - step, noisy + step, noisy + gain)
        )
        slope = np.maximum((high - low) / (2 * step), np.finfo(np.float32).tiny)
        at_value = stabilized_of(noisy, gain, offset)
        steepness: Pixels = np.minimum((more - at_value) / gain / slope, _MOST_STEEP)
        return steepness

    def _run(
        self, image: Pixels, options: DenoiseOptions, scale: IntensityRange | None
    ) -> Pixels:
        is_color = image.shape[-1] == 3
        pixels = image.astype(np.float32)
        run = Denoising(
            pixels if is_color else pixels[..., 0],
            self.denoiser,
            replace(
                options, axes="YXS" if is_color else "YX", dtype="float32", frames=0
            ),
            ranges=None if scale is None else share_range("YX", scale),
        )
        for _ in run:
            pass
        result: Pixels = run.result.astype(np.float64).reshape(image.shape)
        return result
