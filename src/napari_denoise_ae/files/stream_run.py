"""Denoising a file of any size: an OME-Zarr or a TIFF, chunk by chunk."""

from __future__ import annotations

import warnings
from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING

from ..denoising.dask_array import Model
from ..denoising.denoiser import Denoiser, require_fitting_channels
from ..errors import DenoiseAEWarning, InvalidInputError
from ..image.axes import count_colours
from ..image.intensity import IntensityRanges
from ..image.tiling import require_tile_size
from ..io.atomic import atomic_write, real_path, require_writable
from ..io.images import TiffLayout, write_tiff
from ..io.ome_zarr import result_state
from ..io.source import TIFF, is_zarr, open_volume, signature
from ..models.builtin import fitting_model
from ..models.checkpoint import load_checkpoint
from ..models.devices import choose_device
from ..noise.normalization import as_plain, from_plain
from .cluster import write_zarr_on_cluster
from .stream import (
    RangeScan,
    Stream,
    denoised_pages,
    plan_target,
    select,
    selected_shape,
    tiff_parts,
    write_zarr,
)
from .whole import denoise_file, describe, provenance, show_progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray

    from ..io.source import Volume
    from ..models.checkpoint import Checkpoint
    from ..noise.normalization import NoiseSetting
    from .whole import FileJob, FileResult, Watch

# OME's units, by the names that are written in an OME-TIFF or for ImageJ.
_OME_UNITS = {"micrometer": "µm", "nanometer": "nm", "millimeter": "mm", "second": "s"}
_IMAGEJ_UNITS = {"micrometer": "micron", "nanometer": "nm", "millimeter": "mm"}


@dataclass(frozen=True, slots=True, eq=False)
class StreamResult:
    """What was done.

    Parameters
    ----------
    job : FileJob
        What was asked.
    shape, axes, dtype
        Of the image, or of the part that was selected.
    intensity_range : IntensityRanges
        What the network saw as 0 and 1.
    device : str
        Where it was computed.
    n_kept, n_chunks : int
        Chunks that were there from an earlier run, and all; 0 for a TIFF.
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
        return [*lines, f"denoised   {self.job.output}"]


def denoise_any_file(
    job: FileJob, watch: Watch = show_progress
) -> FileResult | StreamResult:
    """Denoise a file, chunk by chunk where its format allows it.

    Parameters
    ----------
    job : FileJob
        What to do.
    watch : callable
        See `show_progress`, the default.

    Returns
    -------
    FileResult or StreamResult
        What was done.

    Raises
    ------
    DenoiseAEError
        If anything of it cannot be done. A TIFF is then not there; of an
        OME-Zarr the chunks that are finished are, and the same job goes on.
    """
    to_zarr = is_zarr(job.output)
    if job.scheduler is not None and not job.scheduler.strip():
        raise InvalidInputError(
            "The address of the scheduler is empty. Give one such as "
            "tcp://10.0.0.1:8786, or omit --scheduler."
        )
    if job.scheduler is not None and (not to_zarr or job.compares):
        raise InvalidInputError(
            "A cluster writes OME-Zarr, and nothing to compare. Give the output a name "
            "that ends in .zarr, or omit --scheduler."
        )
    if to_zarr and job.compares:
        raise InvalidInputError(
            "An OME-Zarr is written without comparing it with another image. Omit "
            "--add-noise, --reference and --figure, or write a .tif file."
        )
    to_tiff = job.output.suffix.lower() in TIFF and not job.compares
    from_parts = is_zarr(job.input) or job.input.suffix.lower() in TIFF
    if not to_zarr and not (to_tiff and from_parts):
        return denoise_file(job, watch)
    volume = open_volume(job.input, job.axes)
    if not to_zarr and volume.axes != volume.block_axes:
        # Its pages cannot be written one after another.
        return denoise_file(job, watch)
    _require_other_place(job)
    n_colours = count_colours(volume.shape, volume.axes)
    job = replace(job, model=fitting_model(job.model, n_colours))
    write = _to_zarr if to_zarr else _to_tiff
    return write(job, volume, watch)


def _require_other_place(job: FileJob) -> None:
    source, target = real_path(job.input), real_path(job.output)
    if source == target or source in target.parents or target in source.parents:
        raise InvalidInputError(
            f"Writing {job.output} would replace the input. Choose another name."
        )


def _to_tiff(job: FileJob, volume: Volume, watch: Watch) -> StreamResult:
    require_writable(job.output)
    device = choose_device(job.device)
    model = _load_model(job)
    stream, _ = _prepare(job, volume, model, watch)
    denoiser = Denoiser(model.checkpoint, device)
    _warn(stream, model.checkpoint, job.setting)
    shape = _shape(stream)
    layout = _tiff_layout(job.output, volume, shape, tiff_parts(stream))
    said = f"{provenance(stream.ranges)}, denoised with {job.model}"
    with atomic_write(job.output) as temporary:
        pages = _pages(stream, denoiser, watch)
        write_tiff(temporary, pages, layout, provenance=said)
    return StreamResult(
        job, shape, volume.axes, volume.dtype, stream.ranges, str(denoiser.device)
    )


def _load_model(job: FileJob) -> Model:
    checkpoint = load_checkpoint(job.model)
    job.setting.require_usable(checkpoint)
    return Model.of(checkpoint)


def _pages(stream: Stream, denoiser: Denoiser, watch: Watch) -> Iterator[NDArray[Any]]:
    latest: list[NDArray[Any]] = []

    def steps() -> Iterator[Any]:
        for progress, page in denoised_pages(stream, denoiser):
            latest[:] = [page]
            yield progress

    for _ in watch(steps(), "tile"):
        yield latest[0]


def _to_zarr(job: FileJob, volume: Volume, watch: Watch) -> StreamResult:
    require_writable_folder(job.output)
    model = _load_model(job)
    # On a cluster the workers choose their devices.
    device = None if job.scheduler else choose_device(job.device)
    settings = {
        **plain_settings(job, model.digest),
        "axes": volume.axes,
        "signature": signature(job.input),
    }
    state = result_state(job.output)
    found = state["found"] if state and _settings_of(state) == settings else None
    stream, known = _prepare(job, volume, model, watch, found)
    stride = model.checkpoint.outline().stride
    target = plan_target(stream, job.output.absolute(), stride, settings)
    target.begin(known, overwrite=job.overwrite)
    n_kept = sum(
        target.is_done(level, number)
        for level in range(len(target.shapes))
        for number in target.numbers(level)
    )
    if device is None:
        steps = write_zarr_on_cluster(
            stream, target, model, device=job.device, scheduler=job.scheduler or ""
        )
    else:
        denoiser = Denoiser(model.checkpoint, device)
        steps = write_zarr(stream, target, denoiser)
    whole = found is not None and state is not None and state["finished"]
    if not (whole and n_kept == target.total):
        _warn(stream, model.checkpoint, job.setting)
        for _ in watch(steps, "chunk"):
            pass
    where = f"workers of {job.scheduler}" if device is None else str(denoiser.device)
    return StreamResult(
        job,
        _shape(stream),
        volume.axes,
        volume.dtype,
        stream.ranges,
        where,
        n_kept,
        target.total,
    )


def _settings_of(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a result, without those that only its plan knows."""
    return {key: value for key, value in state["settings"].items() if key != "chunks"}


def require_writable_folder(path: Path) -> None:
    """Raise at once if a folder could not be made, see `require_writable`."""
    require_writable(path / "x" if path.is_dir() else path)


def _prepare(
    job: FileJob,
    volume: Volume,
    model: Model,
    watch: Watch,
    found: Mapping[str, Any] | None = None,
) -> tuple[Stream, dict[str, Any]]:
    """Return what to read and denoise, and what was found out about it."""
    require_tile_size(job.tile_size)
    selection = select(volume, job.select)
    network = model.checkpoint.outline()
    n_colours = min(volume.lengths.get("S", 1), 3)
    require_fitting_channels(n_colours, network, model.checkpoint.name)
    stream = Stream(
        # A worker of a cluster was started in another folder.
        path=volume.path.absolute(),
        axes=volume.axes,
        selection=selection,
        ranges=IntensityRanges("", (), ()),
        tile_size=job.tile_size,
    )
    if found is not None:
        ranges = from_plain(found)
    elif network.takes_noise_level:
        ranges = stream.measure_scaling(job.range_of, job.setting)
    else:
        scan = RangeScan(volume, selection, job.intensity_range, job.range_of)
        for _ in watch(scan, "part"):
            pass
        ranges = scan.result
    return replace(stream, ranges=ranges), as_plain(ranges)


def _warn(stream: Stream, checkpoint: Checkpoint, setting: NoiseSetting) -> None:
    for message in stream.misfits(checkpoint, setting):
        warnings.warn(message, DenoiseAEWarning, stacklevel=3)


def _shape(stream: Stream) -> tuple[int, ...]:
    axes = stream.volume.axes
    samples = {"S": (0, stream.volume.lengths.get("S", 0))}
    return selected_shape(axes, {**stream.selection, **samples})


def plain_settings(job: FileJob, digest: str) -> dict[str, Any]:
    """Return what of a job and its model decides a result, as plain values."""
    given = job.intensity_range
    return {
        "input": job.input.name,
        "model": digest,
        "axes": None if job.axes is None else job.axes.upper(),
        "intensity_range": None if given is None else _plain(given),
        "range_of": job.range_of,
        "noise": list(astuple(job.setting)),
        "select": {letter: list(part) for letter, part in job.select.items()},
        "add_noise": job.add_noise,
        "seed": job.seed,
    }


def _plain(values: Any) -> Any:
    if isinstance(values, (list, tuple)):
        return [_plain(value) for value in values]
    return float(values)


def _tiff_layout(
    path: Path,
    volume: Volume,
    shape: tuple[int, ...],
    tile: tuple[int, int] | None,
) -> TiffLayout:
    ome, calibration = None, dict(volume.calibration)
    if path.name.lower().endswith((".ome.tif", ".ome.tiff")):
        ome, calibration = _ome_calibration(volume), {}
    elif not calibration and volume.scale:
        calibration = _imagej_calibration(volume)
    return TiffLayout(shape, volume.dtype, volume.axes, calibration, tile, ome)


def _ome_calibration(volume: Volume) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    for letter, scale in volume.scale.items():
        key = {"T": "TimeIncrement", "C": ""}.get(letter, f"PhysicalSize{letter}")
        unit = volume.units.get(letter)
        if key and unit:
            metadata |= {key: scale, f"{key}Unit": _OME_UNITS.get(unit, unit)}
    return metadata


def _imagej_calibration(volume: Volume) -> dict[str, Any]:
    unit = _IMAGEJ_UNITS.get(volume.units.get("X", ""))
    if unit is None or not (volume.scale["X"] > 0 and volume.scale["Y"] > 0):
        return {}
    metadata: dict[str, Any] = {"unit": unit}
    if "Z" in volume.scale:
        metadata["spacing"] = volume.scale["Z"]
    if volume.units.get("T") == "second":
        metadata["finterval"] = volume.scale["T"]
    resolution = (1 / volume.scale["X"], 1 / volume.scale["Y"])
    return {"resolution": resolution, "metadata": metadata}
