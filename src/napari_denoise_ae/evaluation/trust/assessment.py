"""Assess a denoised image window by window."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from ...denoising.array import Progress
from ...denoising.model_ranges import find_model_ranges
from ...errors import InvalidInputError
from ...image.planes import whole_plane
from ...image.ranges import group_planes
from ...noise.measure import measure_windows
from ...noise.normalization import NoiseScaling
from ...noise.setting import NoiseSetting
from ...noise.windows import read_noise_windows
from .facts import NO_NOISE, Facts
from .findings import describe
from .others import Others, compare_with_clean, compare_with_repeats
from .report import TrustReport
from .rerun import Rerun
from .study import N_PASSES, Study
from .windows import SAMPLE, SCOPES, ComputedPlanes, choose_places, describe_places

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from ...denoising.denoiser import Denoiser
    from ...denoising.options import DenoiseOptions
    from ...image.intensity import IntensityRange, IntensityRanges
    from ...image.planes import Planes
    from ...noise.noise_estimate import NoiseEstimate
    from .report import Finding, WindowMaps
    from .windows import Place

# Percentiles of the result that give the data range of the PSNR.
_PERCENTILES = (0.1, 99.9)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessOptions:
    """What a user may say of an assessment.

    Parameters
    ----------
    scope : str
        ``"sample"``: at most a million values of three planes; ``"all"``.
    data_range : tuple of float, optional
        Lowest and highest intensity, for the PSNR. None means 0 to 255 for uint8, else
        percentiles 0.1 and 99.9 of the result.
    pixel_size : tuple, optional
        Size of a pixel and its unit, such as ``(0.1, "µm")``. None gives pixels.

    Raises
    ------
    InvalidInputError
        If a value is out of its range.
    """

    scope: str = SAMPLE
    data_range: tuple[float, float] | None = None
    pixel_size: tuple[float, str] | None = None

    def __post_init__(self) -> None:
        if self.scope not in SCOPES:
            raise InvalidInputError(
                f"scope must be one of {', '.join(SCOPES)}, got {self.scope!r}."
            )
        if self.data_range is not None:
            low, high = self.data_range
            if not (math.isfinite(low) and math.isfinite(high) and low < high):
                raise InvalidInputError(
                    "data_range must be two finite numbers, the lower one first, got "
                    f"{self.data_range!r}."
                )
        if self.pixel_size is not None and not self.pixel_size[0] > 0:
            raise InvalidInputError(
                f"The size of a pixel must be above 0, got {self.pixel_size[0]!r}."
            )


class Assessment:
    """An assessment of one channel of a denoised image.

    Each step of an iteration denoises one window again. `report` then holds the report.
    An iteration that is stopped early leaves none.

    Parameters
    ----------
    image, denoised : Planes
        The image and the result, both in memory, lazy or in files.
    denoiser : Denoiser
        The model that made the result.
    options : DenoiseOptions
        The options that it was made with.
    choice : AssessOptions, optional
        What to look at.
    channel : int, optional
        Index along C; None if there is no such axis.
    others : Others, optional
        A clean image, or repeats of the noisy one.
    ranges : IntensityRanges, optional
        How the model saw each plane in the run. None determines it from the image and
        the options.

    Raises
    ------
    InvalidInputError
        If the shapes or axes differ.
    """

    def __init__(
        self,
        image: Planes,
        denoised: Planes,
        denoiser: Denoiser,
        options: DenoiseOptions,
        *,
        choice: AssessOptions | None = None,
        channel: int | None = None,
        others: Others | None = None,
        ranges: IntensityRanges | None = None,
    ) -> None:
        self._others = others or Others()
        for other in (denoised, *self._others.all):
            _require_same_shape(image, other)
        self._image, self._denoised = ComputedPlanes(image), ComputedPlanes(denoised)
        self._denoiser, self._options = denoiser, options
        self._choice = choice or AssessOptions()
        self._given_ranges = ranges
        self._places = choose_places(image, channel, self._choice.scope)
        self._report: TrustReport | None = None

    @property
    def report(self) -> TrustReport:
        """The report, once the iteration is finished."""
        if self._report is None:
            raise RuntimeError("the assessment is not finished")
        return self._report

    def __iter__(self) -> Iterator[Progress]:
        facts = self._begin()
        windows, again, done = [], [], 0
        of_repeats = [self._pixels(each) for each in self._others.repeats]
        passes = (1 if facts.obstacle else N_PASSES) + bool(of_repeats)
        total = len(self._places) * passes
        for number, place in enumerate(self._places):
            study = self._study(facts, place)
            for _ in study:
                done += 1
                yield Progress(done, total)
            windows.append(study.maps())
            if of_repeats:
                again.append(self._rerun(facts, place).denoise(of_repeats[0][number]))
                done += 1
                yield Progress(done, total)
        facts.data_range = self._data_range(windows)
        if not facts.has_map:
            windows = [replace(each, error=None) for each in windows]
        findings, curve = describe(facts, self._choice.pixel_size)
        self._report = TrustReport(
            findings=(*findings, *self._compare(facts, windows, of_repeats, again)),
            sampled=describe_places(self._image, self._places),
            model=self._denoiser.checkpoint.name,
            curve=curve,
            windows=tuple(windows),
        )

    def _compare(
        self,
        facts: Facts,
        windows: Sequence[WindowMaps],
        repeats: list[list[NDArray[np.float64]]],
        again: list[NDArray[np.float64]],
    ) -> Iterator[Finding]:
        """Yield the comparisons with a clean image and with repeats.

        `again` are the windows of the first repeat, denoised.
        """
        denoised = [window.denoised for window in windows]
        if self._others.clean is not None:
            clean = self._pixels(self._others.clean)
            yield compare_with_clean(denoised, clean, facts.data_range)
        if repeats:
            size = self._choice.pixel_size
            yield compare_with_repeats(denoised, repeats, again, size)

    def _pixels(self, planes: Planes) -> list[NDArray[np.float64]]:
        """Return the windows of another image."""
        computed = ComputedPlanes(planes)
        return [
            computed.read(place.plane, place.region).astype(np.float64)
            for place in self._places
        ]

    def _begin(self) -> Facts:
        """Measure the noise, and see whether the checks can run."""
        options, checkpoint = self._options, self._denoiser.checkpoint
        self._ranges = self._given_ranges or find_model_ranges(
            self._image, checkpoint, options
        )
        scale = self._first_noisy_scale()
        used = scale.noise if isinstance(scale, NoiseScaling) else None
        is_given = used is not None and not options.noise.is_measured
        if used is None or is_given or options.correlation is not None:
            measured = self._measure_noise()
        else:
            measured = used
        facts = Facts(
            noise=used or measured,
            measured=measured,
            is_given=is_given,
            strength=options.strength,
            takes_noise_level=used is not None,
            is_rounded=self._denoised.dtype.kind in "iu",
            is_range_given=self._known_range() is not None,
            n_windows=len(self._places),
        )
        facts.obstacle = _obstacle(facts, options)
        return facts

    def _first_noisy_scale(self) -> IntensityRange:
        """Return how the model saw the first plane with noise, or else the first."""
        scales = [self._ranges.of(place.plane) for place in self._places]
        for scale in scales:
            if isinstance(scale, NoiseScaling) and scale.noise.is_detected:
                return scale
        return scales[0]

    def _measure_noise(self) -> NoiseEstimate:
        groups = group_planes(self._image, "stack")
        number = groups.number_of(self._places[0].plane)
        windows = read_noise_windows(self._image, groups)
        (planes,) = islice(windows, number, number + 1)
        return measure_windows(planes, NoiseSetting())

    def _rerun(self, facts: Facts, place: Place) -> Rerun:
        """Return the model with the settings for a window."""
        scale = self._ranges.of(place.plane)
        # With range_of="image", each plane has noise of its own.
        noise = scale.noise if isinstance(scale, NoiseScaling) else facts.noise
        unclipped = replace(noise, bounds=(None, None))
        return Rerun(self._denoiser, self._options, scale, unclipped, noise.bounds)

    def _study(self, facts: Facts, place: Place) -> Study:
        """Return the study of a window."""
        return Study(
            facts,
            self._rerun(facts, place),
            place,
            self._image.read(place.plane, place.region),
            self._denoised.read(place.plane, place.region),
            is_whole=place.region == whole_plane(self._image),
        )

    def _known_range(self) -> tuple[float, float] | None:
        if self._choice.data_range is not None:
            return self._choice.data_range
        return (0.0, 255.0) if self._image.dtype == np.uint8 else None

    def _data_range(self, windows: list[WindowMaps]) -> tuple[float, float]:
        known = self._known_range()
        if known is not None:
            return known
        values = np.concatenate([each.denoised.ravel() for each in windows])
        values = values[np.isfinite(values)]
        if not values.size:
            return 0.0, 0.0
        low, high = np.percentile(values, _PERCENTILES)
        return float(low), float(high)


def _obstacle(facts: Facts, options: DenoiseOptions) -> str:
    """Return why the model cannot be run again; empty if it can."""
    if not facts.noise.is_detected:
        return NO_NOISE
    if facts.is_correlated:
        return "neighboring pixels share noise"
    if facts.strength == 0.0:
        return "the strength is 0"
    if options.frames:
        return "neighboring frames were averaged"
    return ""


def _require_same_shape(image: Planes, denoised: Planes) -> None:
    if image.shape != denoised.shape or image.axes != denoised.axes:
        raise InvalidInputError(
            "The image and those to compare it with must have the same shape, got "
            f"{image.shape} ({image.axes}) and {denoised.shape} ({denoised.axes}), "
            "colors last."
        )
