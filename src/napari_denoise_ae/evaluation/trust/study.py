"""Study one window of a denoised image: the passes of the model, and what they give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...image.casting import cast_saturating
from .error import N_PROBES
from .facts import NO_NOISE
from .maps import map_error
from .report import WindowMaps
from .transfer import N_DRAWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from .facts import Facts
    from .rerun import Rerun
    from .windows import Place

    Pixels = NDArray[np.float64]

#: Passes of the model: the same again, the probes, and the draws.
N_PASSES = 1 + N_PROBES + N_DRAWS
_SEED = 0
# The result may differ from that of the model by this fraction of the noise,
_SAME = 0.1
# and by the variance of rounding to whole numbers...
_ROUNDING = 1 / 12
# ...except so close to the border of a window, where the model saw more of the plane.
_BORDER = 48
# At least this fraction of the window must count.
_LEAST_COUNTED = 0.5
# A window in which more than this fraction has the same value shows no noise.
_MOST_EQUAL = 0.9


class Study:
    """A window of a denoised image.

    Each step of an iteration is one pass of the model. What is found is added to the
    facts.

    Parameters
    ----------
    facts : Facts
        What is known of the image.
    rerun : Rerun
        The model.
    place : Place
        Where the window is.
    noisy, denoised : numpy.ndarray
        Its pixels, (Y, X, channels), in the dtype of the image and of the result.
    is_whole : bool
        Whether it is a whole plane.
    """

    def __init__(
        self,
        facts: Facts,
        rerun: Rerun,
        place: Place,
        noisy: NDArray[Any],
        denoised: NDArray[Any],
        *,
        is_whole: bool,
    ) -> None:
        self._facts, self._rerun, self._place = facts, rerun, place
        self._dtype, self._is_whole = denoised.dtype, is_whole
        self._noisy = noisy.astype(np.float64)
        self._denoised = denoised.astype(np.float64)
        self._structure: Pixels | None = None
        self._errors: Pixels | None = None

    def __iter__(self) -> Iterator[None]:
        facts, rerun = self._facts, self._rerun
        self._counted = rerun.counted(self._noisy, self._denoised)
        self._counted &= np.isfinite(self._noisy)
        reason = self._reason_to_leave_out()
        if reason:
            facts.left_out.append(reason)
        self._add_removed()
        again = None if facts.obstacle or reason else rerun.denoise(self._noisy)
        if again is not None and not self._is_same(again):
            facts.obstacle = "the result is not that of this model with these options"
            again = None
        if facts.has_noise:
            # Rounding looks like structure in flat regions.
            self._add_residual(self._denoised if again is None else again)
        yield
        if again is None:
            return
        again = np.where(np.isfinite(again), again, np.nanmean(again))
        # Pixels that are left out have no noise and no response.
        noisy = np.where(self._counted, self._noisy, again)
        self._variance = self._mean_variance()
        facts.errors.add_residual(noisy - again, self._counted, self._variance)
        if facts.is_rounded:
            changes = (np.rint(again) - again)[self._counted]
            facts.rounding_squares += float(np.square(changes).sum())
        yield from self._probe(noisy, again)
        yield from self._split(noisy, again)

    def maps(self) -> WindowMaps:
        """Return the maps of the window."""
        return WindowMaps(
            self._place.plane,
            self._place.region,
            self._noisy,
            self._denoised,
            self._errors,
            self._structure,
        )

    def _reason_to_leave_out(self) -> str:
        """Return why the model cannot be checked on the window; empty if it can."""
        counted = self._counted
        if counted.mean() < _LEAST_COUNTED or not counted[self._inner()].any():
            return "most pixels are clipped, hot or without data"
        if not self._rerun.noise.is_detected:
            reason = NO_NOISE
        elif all(self._is_flat(channel) for channel in range(counted.shape[-1])):
            reason = "nearly all pixels have the same value"
        else:
            return ""
        # These pixels would look like noise that was left.
        counted[:] = False
        return reason

    def _is_flat(self, channel: int) -> bool:
        """Return whether nearly all values are equal, although noise would differ."""
        values = self._noisy[..., channel][self._counted[..., channel]]
        if not values.size:
            return True
        middle, noise = np.median(values, keepdims=True), self._rerun.noise
        # Most pixels of an image of few photons are 0.
        hides_noise = noise.variance(middle)[0] < (noise.gain / 2) ** 2
        return not hides_noise and bool((values == middle).mean() > _MOST_EQUAL)

    def _add_removed(self) -> None:
        """Compare the result with the image, without the model."""
        facts, rerun, counted = self._facts, self._rerun, self._counted
        known = np.where(counted, self._denoised, 0.0)
        removed = np.where(counted, self._noisy - self._denoised, 0.0)
        variance = rerun.noise.variance(known)
        facts.n += int(counted.sum())
        facts.noise_squares += float(variance[counted].sum())
        facts.removed_squares += float(np.square(removed).sum())

    def _inner(self) -> tuple[slice, slice]:
        """Return where the model saw the same as in the run."""
        height, width = self._noisy.shape[:2]
        border = 0 if self._is_whole or min(height, width) <= 3 * _BORDER else _BORDER
        return slice(border, height - border), slice(border, width - border)

    def _is_same(self, again: Pixels) -> bool:
        """Return whether the result is that of the model."""
        inner = self._inner()
        rounded = cast_saturating(again, self._dtype).astype(np.float64)
        difference = (rounded - self._denoised)[inner][self._counted[inner]]
        level = self._rerun.level(again)[inner][self._counted[inner]]
        allowed = np.square(_SAME * level).mean()
        if self._facts.is_rounded:
            allowed += _ROUNDING
        return bool(np.square(difference).mean() <= allowed)

    def _add_residual(self, denoised: Pixels) -> None:
        """Look for structure in what was removed."""
        counted = self._counted
        if not counted.any():
            return
        known = np.where(counted, denoised, denoised[counted].mean())
        removed = np.where(counted, (self._noisy - known) / self._rerun.level(known), 0)
        self._structure = self._facts.residuals.add(removed, counted).mean(axis=-1)

    def _mean_variance(self) -> float:
        """Return the mean variance of the noise, which grows linearly."""
        mean = np.array([self._noisy[self._counted].mean()])
        return float(self._rerun.noise.variance(mean)[0])

    def _probe(self, noisy: Pixels, again: Pixels) -> Iterator[None]:
        rng = np.random.default_rng(_SEED)
        covariance = np.zeros(noisy.shape)
        for number in range(N_PROBES):
            signs = rng.choice([-1.0, 1.0], size=noisy.shape) * self._counted
            noise, response = self._rerun.probe(noisy, again, signs)
            self._facts.errors.add_probe(number, noise, response)
            covariance += noise * response / N_PROBES
            yield
        variance = self._rerun.noise.variance(again)
        self._errors = map_error(
            noisy - again, covariance, variance, self._counted, self._facts.agreement
        )

    def _split(self, noisy: Pixels, again: Pixels) -> Iterator[None]:
        generator = torch.Generator().manual_seed(_SEED)
        for _ in range(N_DRAWS):
            added = np.where(self._counted, self._rerun.draw(again, generator), 0.0)
            denoised = self._rerun.denoise_louder(noisy + added)
            self._facts.transfer.add(noisy, added, denoised, self._variance)
            yield
