"""Describe the result of denoising a file: report and provenance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._version import __version__
from ..denoising.options import AS_INPUT
from ..noise.normalization import as_plain
from ..noise.spec import parse_noise

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..evaluation.comparison import Comparison
    from ..image.intensity import IntensityRanges
    from ..models.devices import DeviceChoice
    from .job import FileJob


@dataclass(frozen=True, slots=True, eq=False)
class StreamResult:
    """Result of denoising a file chunk by chunk.

    Parameters
    ----------
    job : FileJob
        The settings.
    shape : tuple of int
        Shape of the image, or of the selected region.
    axes : str
        Axes of the image.
    dtype : numpy.dtype
        Data type of the image.
    intensity_range : IntensityRanges
        Intensities mapped to 0 and 1 for the network, or its noise scaling.
    device : str
        Device that denoised it.
    n_kept : int
        Number of chunks kept from an earlier run; 0 for a TIFF.
    n_chunks : int
        Total number of chunks; 0 for a TIFF.
    """

    job: FileJob
    shape: tuple[int, ...]
    axes: str
    dtype: np.dtype[Any]
    intensity_range: IntensityRanges
    device: str
    n_kept: int = 0
    n_chunks: int = 0

    def lines(self) -> list[str]:
        """Return a report for a user to read."""
        image = (self.shape, self.axes, self.dtype)
        lines = describe(self.job, image, self.intensity_range, self.device)
        if self.n_kept:
            lines.append(
                f"kept       {self.n_kept} of {self.n_chunks} chunks of an earlier run"
            )
        return [*lines, _describe_output(self.job)]

    def as_record(self) -> dict[str, Any]:
        """Return facts about the result as JSON values."""
        image = (self.shape, self.axes, self.dtype)
        return _as_record(self.job, image, self.intensity_range, self.device)


@dataclass(frozen=True, slots=True, eq=False)
class FileResult:
    """Result of denoising a file in memory.

    Parameters
    ----------
    job : FileJob
        The settings.
    noisy : numpy.ndarray
        The image before denoising.
    denoised : numpy.ndarray
        The result, with the shape of `noisy`.
    clean : numpy.ndarray or None
        The clean image, if known.
    axes : str
        Axes of the images.
    intensity_range : IntensityRanges
        Intensities mapped to 0 and 1 for the network, or its noise scaling.
    device : DeviceChoice
        Device that denoised it.
    comparison : Comparison or None
        Metrics, if the clean image is known.
    """

    job: FileJob
    noisy: NDArray[Any]
    denoised: NDArray[Any]
    clean: NDArray[Any] | None
    axes: str
    intensity_range: IntensityRanges
    device: DeviceChoice
    comparison: Comparison | None

    def lines(self) -> list[str]:
        """Return a report for a user to read."""
        lines = describe(
            self.job,
            (self.noisy.shape, self.axes, self.noisy.dtype),
            self.intensity_range,
            str(self.device),
        )
        if self.job.add_noise is not None:
            noise = parse_noise(self.job.add_noise).description
            lines.append(f"noise      {noise}, seed {self.job.seed}")
            lines.append(f"noisy      {self.job.noisy_output}")
        lines.append(_describe_output(self.job))
        if self.job.figure is not None:
            lines.append(f"figure     {self.job.figure}")
        if self.comparison is not None:
            lines += ["", *self.comparison.lines()]
        return lines

    def as_record(self) -> dict[str, Any]:
        """Return facts about the result as JSON values."""
        image = (self.noisy.shape, self.axes, self.noisy.dtype)
        device = str(self.device)
        record = _as_record(self.job, image, self.intensity_range, device)
        if self.comparison is not None:
            record["comparison"] = self.comparison.as_record()
        return record


def describe(
    job: FileJob,
    image: tuple[tuple[int, ...], str, np.dtype[Any]],
    ranges: IntensityRanges,
    device: str,
) -> list[str]:
    """Return the first lines of a report.

    Parameters
    ----------
    job : FileJob
        The settings.
    image : tuple
        Shape, axes and dtype of the image.
    ranges : IntensityRanges
        Intensity ranges or noise scaling of the image.
    device : str
        Device that denoised it.
    """
    shape = " x ".join(str(length) for length in image[0])
    return [
        f"image      {shape} ({image[1]}), {image[2]}",
        _describe_ranges(ranges),
        f"model      {job.model}",
        f"device     {device}",
    ]


def _as_record(
    job: FileJob,
    image: tuple[tuple[int, ...], str, np.dtype[Any]],
    ranges: IntensityRanges,
    device: str,
) -> dict[str, Any]:
    """Return facts about a result as JSON values; the parameters of `describe`."""
    shape, axes, dtype = image
    files = {
        "denoised": job.output,
        "noisy": job.noisy_output if job.add_noise is not None else None,
        "reference": job.reference,
        "figure": job.figure,
    }
    return {
        "files": {name: path and str(path) for name, path in files.items()}
        | {"reports": [str(path) for path in job.reports]},
        "shape": list(shape),
        "axes": axes,
        "dtype": str(dtype),
        "model": job.model,
        "device": device,
        "options": job.options.as_record(),
        "series": job.series,
        "select": {axis: list(part) for axis, part in job.select.items()},
        "compression": job.compression,
        "add_noise": job.add_noise,
        "seed": job.seed,
        "normalization": as_plain(ranges),
        "comparison": None,
    }


def _describe_ranges(ranges: IntensityRanges) -> str:
    if ranges.ranges[0].noise_level is None:
        return f"intensity  {ranges} mapped to 0 to 1"
    return f"noise      {str(ranges).removeprefix('noise ')}"


def _describe_output(job: FileJob) -> str:
    dtype = job.options.dtype
    return f"denoised   {job.output}" + ("" if dtype == AS_INPUT else f", {dtype}")


def provenance(ranges: IntensityRanges) -> str:
    """Return the provenance to store with an image: version and intensities."""
    kind = "intensity range " if ranges.ranges[0].noise_level is None else ""
    return f"napari-denoise-ae {__version__}, {kind}{ranges}"


def provenance_of_denoised(job: FileJob, ranges: IntensityRanges) -> str:
    """Return the provenance of a denoised image, with its model and options."""
    options = (f"{name}={value!r}" for name, value in job.options.of_result().items())
    return ", ".join([provenance(ranges), f"denoised with {job.model}", *options])
