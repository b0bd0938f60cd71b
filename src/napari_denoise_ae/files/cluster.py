"""Denoise on the workers of a dask cluster."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..denoising.array import Progress
from ..denoising.dask_blocks import ModelRun, loaded_denoiser
from ..errors import DeviceError
from .cluster_connection import connect, has_workers
from .zarr_output import write_chunk, write_downsampled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from distributed import Client, Future, as_completed

    from ..denoising.dask_blocks import Model
    from ..denoising.options import DenoiseOptions
    from ..io.zarr_target import ZarrTarget
    from .stream import Stream

# Seconds between two looks for finished chunks, and for workers; seconds without any
# worker after which a run ends. A worker that dies is replaced in a few seconds.
_PAUSE, _LOOK, _PATIENCE = 0.02, 2.0, 20.0


def write_zarr_on_cluster(
    stream: Stream,
    target: ZarrTarget,
    model: Model,
    *,
    options: DenoiseOptions,
    scheduler: str,
) -> Iterator[Progress]:
    """Denoise into an OME-Zarr image on the workers of a cluster.

    All workers must have access to the source and the target under the same paths. If
    a worker dies, another one computes its chunks.

    Parameters
    ----------
    stream : Stream
        The source.
    target : ZarrTarget
        The result, after `ZarrTarget.begin`. Chunks that exist are skipped.
    model : Model
        The model, sent to each worker once.
    options : DenoiseOptions
        Device and precision. Each worker chooses its own device.
    scheduler : str
        Address of dask's scheduler, such as ``"tcp://10.0.0.1:8786"``.

    Yields
    ------
    Progress
        After each chunk.

    Raises
    ------
    DeviceError
        If no scheduler answers, it has no workers or other ones than are needed, the
        connection is lost, no worker is left, or several die on the same chunk.
    MissingDependencyError
        If `distributed` is not installed.
    """
    with connect(scheduler) as client:
        # The run is a task so that dask computes it again if its worker dies.
        run = client.submit(ModelRun.start, model, options.precision, pure=False)
        done = 0
        for level in range(len(target.shapes)):
            pending = target.missing(level)
            done += target.n_chunks(level) - len(pending)
            job = _ChunkJob(stream, target, level, options.device)
            for _ in _compute(client, pending, job, run, scheduler):
                done += 1
                yield Progress(done, target.total)


@dataclass(frozen=True, slots=True)
class _ChunkJob:
    """Arguments shared by the chunks of a pyramid level."""

    stream: Stream
    target: ZarrTarget
    level: int
    device: str


def _compute(
    client: Client,
    numbers: Sequence[tuple[int, ...]],
    job: _ChunkJob,
    run: Future[ModelRun],
    scheduler: str,
) -> Iterator[None]:
    """Compute chunks of a pyramid level, and yield after each.

    Raises
    ------
    DeviceError
        If the connection is lost, no worker is left, or several die on the same
        chunk.
    """
    from distributed import CancelledError, KilledWorker, as_completed
    from distributed.comm.core import CommClosedError

    futures = client.map(_work, numbers, job=job, run=run, pure=False)
    finished = as_completed(futures, loop=client.loop)
    while not finished.is_empty():
        try:
            _wait(finished, client, scheduler)
            next(finished).result()
        except KilledWorker as error:
            raise DeviceError(
                "Several workers died while computing the same chunk; they probably "
                "have too little memory. Try a smaller --tile-size."
            ) from error
        except (CancelledError, CommClosedError) as error:
            raise DeviceError(
                f"The connection to the scheduler at {scheduler!r} was lost, or it was "
                "stopped. Finished chunks are kept; the same command resumes the run."
            ) from error
        yield


def _wait(finished: as_completed, client: Client, scheduler: str) -> None:
    """Wait for the next finished chunk, as long as there are workers.

    Raises
    ------
    DeviceError
        If there have been none for 20 s.
    """
    last = looked = time.monotonic()
    while not finished.has_ready():
        time.sleep(_PAUSE)
        now = time.monotonic()
        if now - looked < _LOOK:
            continue
        looked = now
        if has_workers(client):
            last = now
        elif now - last > _PATIENCE:
            raise DeviceError(
                f"The scheduler at {scheduler!r} has had no worker for "
                f"{_PATIENCE:.0f} s. Finished chunks are kept; start workers, and the "
                "same command resumes the run."
            )


def _work(number: tuple[int, ...], *, job: _ChunkJob, run: ModelRun) -> None:
    """Compute a chunk; runs in a worker."""
    if job.level == 0:
        denoiser = loaded_denoiser(run, job.device)
        write_chunk(job.stream.start(denoiser), job.target, number)
    else:
        write_downsampled(job.target, job.level, number)
