"""Models of the synthetic noise that is added to clean images.

A noise model acts on images whose intensity range is mapped to [0, 1], so its
amounts do not depend on the images' units. A noise string consists of a name, a
colon, the amounts and an optional flag. An amount ``LOW..HIGH`` is drawn for each
image; a plus sign adds one noise after another:

    gaussian:0.1    gaussian:0..0.3,unclipped    gaussian:0.1+salt-pepper:0.05

Optional amounts have names: ``gaussian:0.1,blur=1``. Bars separate the parts of a
mixture, of which one is drawn for each image:

    0.6*gaussian:0.1|0.4*gaussian:0.1,blur=1

A new model is one dataclass, whose fields describe its amounts and flags, and one
entry in `NOISE_MODELS`; the parser, the command line and the widgets follow.
Other packages add models by entry points, see `napari_denoise_ae.plugins`.

torch is imported only when noise is added.
"""

from __future__ import annotations

from dataclasses import dataclass, field, is_dataclass
from typing import TYPE_CHECKING, Any

from .. import plugins
from ..errors import InvalidInputError
from .base import (
    NoiseModel,
    amount_metadata,
    count_photons,
    draw_amount,
    flag_metadata,
    standard_normal,
)
from .blur import blurred_normal

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from .base import Amount

_PIXELS = amount_metadata("px", highest=100.0)


@dataclass(frozen=True, slots=True)
class Gaussian(NoiseModel):
    """Additive Gaussian noise: ``y = x + n``, n ~ N(0, sigma²).

    By default the noise is white. Blurred, it is shared by neighboring pixels,
    and its standard deviation is still sigma.

    Parameters
    ----------
    sigma : float or tuple of float
        Standard deviation as a fraction of the intensity range; above 0.
    clipped : bool
        Whether the noisy values are clipped to the intensity range, as a
        camera or an 8-bit file would do. Clipping makes the noise depend on
        the signal and lowers its standard deviation near both ends.
    blur : float or tuple of float
        Standard deviation of the Gaussian filter by which the noise is blurred
        along X and Y, in pixels; 0, the default, to 100. Excludes `blur_x` and
        `blur_y`.
    blur_x, blur_y : float or tuple of float
        The same along one axis only.

    Raises
    ------
    InvalidInputError
        If an amount is out of its range, or `blur` is combined with another.
    """

    name = "gaussian"
    title = "Gaussian"
    explanation = "Electronic noise of any detector: the same everywhere in the image."

    sigma: Amount = field(metadata=amount_metadata("of the range"))
    clipped: bool = field(default=True, metadata=flag_metadata("unclipped"))
    blur: Amount = field(default=0.0, metadata=_PIXELS)
    blur_x: Amount = field(default=0.0, metadata=_PIXELS)
    blur_y: Amount = field(default=0.0, metadata=_PIXELS)

    def __post_init__(self) -> None:
        NoiseModel.__post_init__(self)
        if "blur" in self.options and len(self.options) > 1:
            raise InvalidInputError(
                "Gaussian noise takes either blur, along X and Y, or blur_x and "
                f"blur_y, got {self}."
            )

    @property
    def can_be_told(self) -> bool:
        """Whether the noise is not clipped, so that its level is known."""
        return not self.clipped

    @property
    def is_white(self) -> bool:
        """Whether the noise is not blurred."""
        return not self.options

    def apply(
        self, clean: Tensor, generator: Generator, *, channel_axis: int = 1
    ) -> Tensor:
        """Add the noise, see `NoiseModel.apply`."""
        noisy, _ = self.apply_with_inputs(clean, generator, channel_axis=channel_axis)
        return noisy.clamp_(0.0, 1.0) if self.clipped else noisy

    def apply_with_inputs(
        self, clean: Tensor, generator: Generator, *, channel_axis: int = 1
    ) -> tuple[Tensor, Tensor]:
        """Add the noise, unclipped, see `NoiseModel.apply_with_inputs`."""
        sigma = draw_amount(self.sigma, clean, generator)
        noise, correlation = self._draw_unit_noise(clean, generator, channel_axis)
        inputs = clean.new_empty((len(clean), 3))
        inputs[:, :1] = sigma.reshape(-1, 1) if isinstance(self.sigma, tuple) else sigma
        inputs[:, 1:] = inputs[:, :1] * correlation
        return noise.mul_(sigma).add_(clean), inputs

    def _draw_unit_noise(
        self, clean: Tensor, generator: Generator, channel_axis: int
    ) -> tuple[Tensor, Tensor | float]:
        if self.is_white:
            return standard_normal(clean, generator), 0.0
        blurs = (self.blur,) if "blur" in self.options else (self.blur_y, self.blur_x)
        drawn = [draw_amount(blur, clean, generator) for blur in blurs]
        channels_first = clean.movedim(channel_axis, 1)
        noise, correlation = blurred_normal(
            channels_first, generator, drawn[0], drawn[-1]
        )
        return noise.movedim(1, channel_axis), correlation


@dataclass(frozen=True, slots=True)
class SaltAndPepper(NoiseModel):
    """Salt-and-pepper noise: a fraction of the values becomes 0 or 1 at random.

    Parameters
    ----------
    amount : float or tuple of float
        Probability that a value is replaced; above 0, at most 1.
    per_pixel : bool
        Whether all color channels of a pixel are replaced together, so that the
        pixel becomes black or white; otherwise independently.
    """

    name = "salt-pepper"
    title = "salt-and-pepper"
    explanation = (
        "Dead and hot pixels or errors in transmission: some values are lost, "
        "the others are untouched."
    )

    amount: Amount = field(metadata=amount_metadata("of the values", highest=1.0))
    per_pixel: bool = field(default=False, metadata=flag_metadata("per-pixel"))

    def _describe_flags(self) -> str:
        return "colors of a pixel " + (
            "together" if self.per_pixel else "by themselves"
        )

    def apply(
        self, clean: Tensor, generator: Generator, *, channel_axis: int = 1
    ) -> Tensor:
        """Replace values, see `NoiseModel.apply`."""
        half = draw_amount(self.amount, clean, generator) / 2
        shape = list(clean.shape)
        if self.per_pixel:
            shape[channel_axis] = 1
        chance = clean.new_empty(shape).uniform_(generator=generator)
        # Samples are in [0, 1), so both comparisons have probability `half`.
        noisy = clean.clone()
        noisy.masked_fill_(chance < half, 0.0)
        return noisy.masked_fill_(chance >= 1.0 - half, 1.0)


@dataclass(frozen=True, slots=True)
class Poisson(NoiseModel):
    """Shot noise: ``y = k / photons``, k Poisson-distributed, mean ``x photons``.

    Parameters
    ----------
    photons : float or tuple of float
        Mean number of photons where the image is 1; above 0. The variance is
        ``x / photons``.
    clipped : bool
        Whether values above 1 are clipped.
    """

    name = "poisson"
    title = "Poisson"
    explanation = (
        "Counted photons: the fewer there are, the noisier; bright parts have more "
        "noise than dark ones."
    )

    photons: Amount = field(
        metadata=amount_metadata("at full range", lowest=1e-3, highest=1e12)
    )
    clipped: bool = field(default=True, metadata=flag_metadata("unclipped"))

    def apply(
        self, clean: Tensor, generator: Generator, *, channel_axis: int = 1
    ) -> Tensor:
        """Add the noise, see `NoiseModel.apply`; negative values count 0 photons."""
        photons = draw_amount(self.photons, clean, generator)
        noisy = count_photons(clean, photons, generator)
        return noisy.clamp_(0.0, 1.0) if self.clipped else noisy


@dataclass(frozen=True, slots=True)
class PoissonGaussian(NoiseModel):
    """Shot noise and read noise: ``y = gain k + n``, the noise of a camera.

    k is Poisson-distributed with mean ``x / gain``, and n ~ N(0, read_noise²).

    Parameters
    ----------
    gain : float or tuple of float
        Fraction of the intensity range that one photon adds; above 0. The
        variance is ``gain x + read_noise²``.
    read_noise : float or tuple of float
        Standard deviation of the read noise as a fraction of the intensity range;
        above 0.
    clipped : bool
        Whether the noisy values are clipped to the intensity range.

    References
    ----------
    .. [1] Foi et al., Practical Poissonian-Gaussian noise modeling and fitting
       for single-image raw-data, 2008, :doi:`10.1109/TIP.2008.2001399`.
    """

    name = "poisson-gaussian"
    title = "Poisson-Gaussian"
    explanation = "A scientific camera: counted photons and the noise of reading out."

    gain: Amount = field(
        metadata=amount_metadata("of the range for each photon", lowest=1e-12)
    )
    read_noise: Amount = field(metadata=amount_metadata("of the range"))
    clipped: bool = field(default=True, metadata=flag_metadata("unclipped"))

    def apply(
        self, clean: Tensor, generator: Generator, *, channel_axis: int = 1
    ) -> Tensor:
        """Add the noise, see `NoiseModel.apply`."""
        gain = draw_amount(self.gain, clean, generator)
        read_noise = draw_amount(self.read_noise, clean, generator)
        noisy = standard_normal(clean, generator).mul_(read_noise)
        noisy.add_(count_photons(clean, 1.0 / gain, generator))
        return noisy.clamp_(0.0, 1.0) if self.clipped else noisy


@dataclass(frozen=True, slots=True)
class Speckle(NoiseModel):
    """Multiplicative noise: ``y = x + x n``, n ~ N(0, sigma²).

    Parameters
    ----------
    sigma : float or tuple of float
        Standard deviation as a fraction of each value; above 0.
    clipped : bool
        Whether the noisy values are clipped to the intensity range.
    """

    name = "speckle"
    title = "speckle"
    explanation = (
        "Coherent light, ultrasound or radar: the noise grows with the signal."
    )

    sigma: Amount = field(metadata=amount_metadata("of each value"))
    clipped: bool = field(default=True, metadata=flag_metadata("unclipped"))

    def apply(
        self, clean: Tensor, generator: Generator, *, channel_axis: int = 1
    ) -> Tensor:
        """Add the noise, see `NoiseModel.apply`."""
        sigma = draw_amount(self.sigma, clean, generator)
        factor = standard_normal(clean, generator).mul_(sigma).add_(1.0)
        noisy = factor.mul_(clean)
        return noisy.clamp_(0.0, 1.0) if self.clipped else noisy


#: Noise models by their name in a noise string.
NOISE_MODELS: dict[str, type[NoiseModel]] = {
    model.name: model
    for model in (Gaussian, SaltAndPepper, Poisson, PoissonGaussian, Speckle)
}


def noise_model(name: str) -> type[NoiseModel] | None:
    """Return the noise model of a name, from this package or another one."""
    return NOISE_MODELS.get(name) or plugins.load(plugins.NOISES, name, _is_noise)


def noise_models() -> dict[str, type[NoiseModel]]:
    """Import and return all noise models by name, those of other packages too."""
    names = [*NOISE_MODELS, *plugins.added(plugins.NOISES)]
    models = {name: noise_model(name) for name in names}
    return {name: model for name, model in models.items() if model is not None}


def _is_noise(name: str, loaded: Any) -> bool:
    if not isinstance(loaded, type) or not issubclass(loaded, NoiseModel):
        return False
    texts = (loaded.title, loaded.explanation)
    has_texts = all(isinstance(text, str) for text in texts)
    return loaded.name == name and has_texts and is_dataclass(loaded)
