"""The result of denoising a layer, with its scores and its residual."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from ...evaluation.comparison import Comparison
    from ...image.intensity import IntensityRanges
    from .job import DenoiseJob, Plane, PreparedLayer


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Denoised:
    """Result of a job.

    Parameters
    ----------
    noisy, denoised : numpy.ndarray
        The whole layer; for a job with a region, that region of the plane.
    prepared : PreparedLayer, optional
        The prepared layer, if it is in memory.
    ranges : IntensityRanges, optional
        How the model normalizes the layer, at strength 1. None if it is lazy.
    uses_range : bool
        Whether the model uses the intensity range of the job, if that has one.
    incompatibilities : tuple of str
        Reasons why the model may not fit the layer.
    scores : dict of tuple to Comparison
        PSNR and SSIM by plane; empty without a clean image.
    noise_before, noise_after : float
        Estimated standard deviation of the noise, in the units of the image; NaN if
        unknown.
    device : str
        The device, and why it was chosen.
    residual : numpy.ndarray, optional
        The removed noise, if requested; see `find_residual`.
    seconds : float
        Time to denoise, without loading and measuring.
    n_parameters : int
        Number of parameters of the model.
    """

    noisy: NDArray[Any]
    denoised: NDArray[Any]
    prepared: PreparedLayer | None
    ranges: IntensityRanges | None = None
    uses_range: bool = True
    incompatibilities: tuple[str, ...] = ()
    scores: dict[Plane, Comparison]
    noise_before: float = float("nan")
    noise_after: float = float("nan")
    device: str = ""
    residual: NDArray[Any] | None = None
    seconds: float = 0.0
    n_parameters: int = 0

    @property
    def mean(self) -> Comparison | None:
        """Mean scores of all planes, as `compare` returns for a stack."""
        planes = list(self.scores.values())
        return _mean(planes) if planes else None

    def without_pixels(self) -> Denoised:
        """Return the figures only, which need little memory."""
        none = np.empty(0)
        return replace(self, noisy=none, denoised=none, prepared=None, residual=None)


def score_planes(
    job: DenoiseJob, noisy: NDArray[Any], denoised: NDArray[Any]
) -> Generator[str, None, dict[Plane, Comparison]]:
    """Compare each plane with the clean image, if there is one."""
    from ...evaluation.comparison import compare
    from ...image.axes import color_planes
    from ...image.ranges import resolve_intensity_range

    clean = job.data if job.noise is not None else job.reference
    if clean is None:
        return {}
    clean = np.asarray(clean)
    data_range = resolve_intensity_range(color_planes(clean, job.axes))
    clean = clean[(...,) if job.part is None else job.part]
    if not data_range.width > 0:
        # PSNR is undefined for a constant image.
        return {}
    scores = {}
    for plane in np.ndindex(clean.shape[: job.n_stacked]):
        scores[plane] = compare(
            clean[plane],
            noisy[plane],
            denoised[plane],
            axes=job.axes[job.n_stacked :],
            data_range=data_range,
        )
        yield f"measuring, {len(scores)} planes done"
    return scores


def find_residual(
    noisy: NDArray[Any], denoised: NDArray[Any], axes: str
) -> NDArray[Any]:
    """Return the removed noise.

    Parameters
    ----------
    noisy, denoised : numpy.ndarray
        Images of the same shape.
    axes : str
        Axes of the images.

    Returns
    -------
    numpy.ndarray
        For gray images, signed differences around 0. For color images, float32 from
        0 to 1, where 0.5 means that nothing was removed, because napari cannot show
        signed colors.
    """
    # int8 makes unsigned integers signed and leaves all other dtypes as they are.
    signed = np.result_type(noisy.dtype, denoised.dtype, np.int8)
    removed: NDArray[Any] = noisy.astype(signed) - denoised.astype(signed)
    if "S" not in axes:
        return removed
    removed = removed[..., :3]
    _, largest = residual_limits(removed)
    return (0.5 + removed / (2 * largest)).astype(np.float32)


def residual_limits(removed: NDArray[Any]) -> tuple[float, float]:
    """Return symmetric contrast limits for a signed residual."""
    largest = float(np.nanmax(np.abs(removed))) or 1.0
    return -largest, largest


def _mean(planes: list[Comparison]) -> Comparison:
    from ...evaluation.comparison import Comparison

    return Comparison(
        psnr_noisy=float(np.mean([plane.psnr_noisy for plane in planes])),
        psnr_denoised=float(np.mean([plane.psnr_denoised for plane in planes])),
        ssim_noisy=float(np.mean([plane.ssim_noisy for plane in planes])),
        ssim_denoised=float(np.mean([plane.ssim_denoised for plane in planes])),
        data_range=planes[0].data_range,
        n_planes=len(planes),
    )
