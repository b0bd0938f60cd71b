"""Denoising a file of any size: an OME-Zarr or a TIFF, chunk by chunk."""

from __future__ import annotations

import warnings
from dataclasses import astuple, replace
from typing import TYPE_CHECKING, Any

from ..denoising.dask_blocks import Model
from ..denoising.denoiser import Denoiser, require_fitting_channels
from ..denoising.model_ranges import require_noise_level_is_taken
from ..errors import DenoiseAEWarning
from ..image.intensity import IntensityRanges
from ..image.tiling import require_tile_size
from ..io.atomic import atomic_write, require_writable
from ..io.source import signature
from ..io.tiff_target import TiffTarget
from ..io.zarr_target import result_state
from ..models.devices import choose_device
from ..models.load import load_checkpoint
from ..noise.normalization import as_plain, from_plain
from .cluster import write_zarr_on_cluster
from .range_scan import RangeScan
from .report import StreamResult, provenance
from .stream import Stream, select, selected_shape
from .tiff_output import tiff_layout, tiff_parts, write_pages
from .zarr_output import plan_target, write_zarr

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ..io.source import Volume
    from ..models.checkpoint import Checkpoint
    from ..noise.setting import NoiseSetting
    from .job import FileJob
    from .whole import Watch


def stream_to_tiff(job: FileJob, volume: Volume, watch: Watch) -> StreamResult:
    """Denoise a volume into a TIFF, page by page."""
    require_writable(job.output)
    device = choose_device(job.device)
    model = _load_model(job)
    stream, _ = _prepare(job, volume, model, watch)
    denoiser = Denoiser(model.checkpoint, device)
    _warn(stream, model.checkpoint, job.setting)
    shape = _shape(stream)
    layout = tiff_layout(job.output, volume, shape, tiff_parts(stream))
    said = f"{provenance(stream.ranges)}, denoised with {job.model}"
    with (
        atomic_write(job.output) as temporary,
        TiffTarget(temporary, layout, provenance=said) as target,
    ):
        for _ in watch(write_pages(stream, target, denoiser), "tile"):
            pass
    return StreamResult(
        job, shape, volume.axes, volume.dtype, stream.ranges, str(denoiser.device)
    )


def _load_model(job: FileJob) -> Model:
    checkpoint = load_checkpoint(job.model)
    require_noise_level_is_taken(job.setting, checkpoint)
    return Model.of(checkpoint)


def stream_to_zarr(job: FileJob, volume: Volume, watch: Watch) -> StreamResult:
    """Denoise a volume into an OME-Zarr, chunk by chunk."""
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
    n_colors = min(volume.lengths.get("S", 1), 3)
    require_fitting_channels(n_colors, network, model.checkpoint.name)
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
