"""The job of denoising a layer, and what earlier jobs have prepared for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...image.axes import count_colors, resolve_axes
from ...models.builtin import fitting_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...denoising.options import DenoiseOptions
    from ...image.intensity import IntensityRanges
    from ...image.intensity_rule import IntensityRule
    from ...noise.setting import NoiseSetting

    Plane = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PreparedLayer:
    """A checked layer with its added noise, which a preview reuses.

    Parameters
    ----------
    data, noise, seed, range_of
        The settings of the job, to check whether it matches another job.
    noisy : numpy.ndarray
        The whole layer, with noise if the job adds any.
    ranges : IntensityRanges
        Intensity ranges of the layer, measured before noise was added.
    scalings : dict of NoiseSetting or IntensityRule to IntensityRanges
        The `NoiseScaling` of each range at strength 1, for models that take a noise
        level. Filled when first needed.
    """

    data: Any
    noise: str | None
    seed: int
    range_of: str
    noisy: NDArray[Any]
    ranges: IntensityRanges
    scalings: dict[NoiseSetting | IntensityRule, IntensityRanges] = field(
        default_factory=dict
    )

    def matches(self, job: DenoiseJob) -> bool:
        """Return whether another job would prepare the same."""
        has_same_seed = self.noise is None or self.seed == job.seed
        return (
            self.data is job.data
            and self.noise == job.noise
            and self.range_of == job.options.range_of
            and has_same_seed
        )


@dataclass(frozen=True, slots=True, eq=False)
class LayerScan:
    """The result of reading a whole layer, which depends on no other setting.

    Parameters
    ----------
    data, axes
        The settings of the job, to check whether it matches another job.
    ranges : IntensityRanges
        Intensity ranges of the layer.
    """

    data: Any
    axes: str
    ranges: IntensityRanges

    def matches(self, job: DenoiseJob) -> bool:
        """Return whether another job would scan the same."""
        return self.data is job.data and self.axes == job.axes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DenoiseJob:
    """The layer to denoise, the model and the options.

    Parameters
    ----------
    data : array_like
        The whole layer.
    model : str
        The model; see `denoise`.
    options : DenoiseOptions
        The options; see `denoise`. The axes are set. The intensity range is set only
        for a lazy layer that needs one.
    noise : str, optional
        Noise to add to a clean layer before denoising.
    seed : int
        Seed of the added noise.
    reference : array_like, optional
        Clean image of the same shape, for PSNR and SSIM.
    plane : tuple of int
        Index of the displayed plane.
    region : tuple of slice, optional
        Rows and columns of `plane` to denoise. None denoises everything.
    prepared : PreparedLayer, optional
        The layer, prepared by an earlier job.
    scan : LayerScan, optional
        An earlier scan of the layer.
    residual : bool
        Whether to also return the removed noise.
    levels : tuple
        Levels of a lazy layer, the largest first; empty for a layer in memory.
    level : int
        The level that `plane` and `region` refer to.
    part : tuple of slice, optional
        Planes, rows and columns to denoise. None denoises everything.
    replaces : bool
        Whether the result replaces the last one of the same part.
    """

    data: Any
    model: str
    options: DenoiseOptions
    noise: str | None = None
    seed: int = 0
    reference: Any = None
    plane: Plane = ()
    region: tuple[slice, slice] | None = None
    prepared: PreparedLayer | None = None
    scan: LayerScan | None = None
    residual: bool = False
    levels: tuple[Any, ...] = ()
    level: int = 0
    part: tuple[slice, ...] | None = None
    replaces: bool = True

    @property
    def axes(self) -> str:
        """The axes of the layer."""
        return resolve_axes(self.data.shape, self.options.axes)

    @property
    def n_stacked(self) -> int:
        """Number of axes before Y and X."""
        return self.axes.index("Y")

    @property
    def resolved_model(self) -> str:
        """The model to use; for ``"auto"``, the built-in one for the layer's colors."""
        return fitting_model(self.model, count_colors(self.data.shape, self.axes))

    @property
    def part_of_planes(self) -> tuple[Any, ...]:
        """Index that cuts the rows and columns of the part out of all its planes."""
        if self.part is None:
            return (...,)
        return (*(slice(None),) * self.n_stacked, *self.part[self.n_stacked :])
