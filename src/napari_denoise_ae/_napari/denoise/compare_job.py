"""Compare several models on a layer, outside the GUI thread."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...denoising.model_ranges import without_ignored
from ...errors import DenoiseAEError
from ..shared.worker import Failed
from .baseline_job import baselines, run_baseline
from .denoise_job import denoise_prepared, load_denoiser, prepare

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from ...denoising.array import Progress
    from .denoise_job import Started
    from .job import DenoiseJob, PreparedLayer
    from .result import Denoised


@dataclass(frozen=True, slots=True)
class ModelStarted:
    """A model of a comparison starts."""

    model: str


@dataclass(frozen=True, slots=True, eq=False)
class ModelDone:
    """A model of a comparison is done."""

    job: DenoiseJob
    result: Denoised


@dataclass(frozen=True, slots=True)
class ModelFailed:
    """A model of a comparison failed, with the message for the user."""

    model: str
    message: str


def run_comparison(
    job: DenoiseJob, models: Sequence[str]
) -> Generator[
    str | ModelStarted | Started | Progress | ModelDone | ModelFailed,
    None,
    Failed | None,
]:
    """Run a job with one model after another, on the same noisy pixels.

    If a model fails, the others still run.
    """
    try:
        yield "reading the layer"
        prepared = job.prepared or prepare(job)
    except DenoiseAEError as error:
        return Failed(str(error))
    except (RuntimeError, MemoryError, OSError) as error:
        return Failed(f"Comparing failed: {error}")
    for model in models:
        yield ModelStarted(model)
        run = _run_baseline if model in baselines() else _run_model
        yield from run(replace(job, model=model, prepared=prepared), prepared)
    return None


def _run_baseline(
    job: DenoiseJob, prepared: PreparedLayer
) -> Generator[str | Progress | ModelDone | ModelFailed, None, None]:
    try:
        result = yield from run_baseline(job.model, job, prepared)
    except (DenoiseAEError, RuntimeError, MemoryError, OSError) as error:
        yield ModelFailed(job.model, str(error))
    else:
        yield ModelDone(job, result)


def _run_model(
    job: DenoiseJob, prepared: PreparedLayer
) -> Generator[str | Started | Progress | ModelDone | ModelFailed, None, None]:
    try:
        yield "loading the model"
        denoiser = load_denoiser(job.resolved_model, job.options)
        options = without_ignored(denoiser.checkpoint, job.options)
        job = replace(job, options=options)
        result = yield from denoise_prepared(job, prepared, denoiser)
    except DenoiseAEError as error:
        yield ModelFailed(job.model, str(error))
    except (RuntimeError, MemoryError, OSError) as error:
        yield ModelFailed(job.model, f"Denoising failed: {error}")
    else:
        yield ModelDone(job, result)
