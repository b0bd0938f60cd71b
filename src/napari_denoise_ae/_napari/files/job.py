"""Many files, denoised outside the GUI thread."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING

from ...errors import DenoiseAEError
from ..shared.worker import Failed

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from pathlib import Path

    from ...denoising.array import Progress
    from ...files.batch import BatchStep
    from ...noise.setting import NoiseSetting


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesJob:
    """Which files to denoise, and how.

    Parameters
    ----------
    inputs : tuple of pathlib.Path
        The files.
    output : pathlib.Path
        The folder of the results.
    model, device, axes
        See `denoise`.
    setting : NoiseSetting
        What is known of the noise, for a model that is told its level.
    overwrite : bool
        Replace what is no result of an earlier run.
    """

    inputs: tuple[Path, ...]
    output: Path
    model: str
    device: str
    axes: str | None
    setting: NoiseSetting
    overwrite: bool


class StoppedError(BaseException):
    """A user has ended the run: no failure, so nothing that catches those does."""


class FileWatch:
    """How far the file is that is being denoised, for another thread to read.

    Attributes
    ----------
    latest : Progress or None
        Its latest step; None while it is read.
    stop : threading.Event
        Set it, from any thread, to end the run at the next step. The files that
        are done stay; an OME-Zarr goes on where it stopped, of others nothing
        half-written is left.
    is_unwanted : callable
        Tells whether the thread is to end for another reason.
    """

    def __init__(self) -> None:
        self.latest: Progress | None = None
        self.stop = Event()
        self.is_unwanted: Callable[[], bool] = lambda: False

    def __call__(self, steps: Iterable[Progress], unit: str) -> Iterator[Progress]:
        """Pass on what a run yields."""
        self.require_going()
        for progress in steps:
            # Parts are read to find the intensity range, before anything is denoised.
            self.latest = None if unit == "part" else progress
            self.require_going()
            yield progress

    def require_going(self) -> None:
        """Raise StoppedError once the run is to end."""
        if self.stop.is_set() or self.is_unwanted():
            raise StoppedError


def list_images(
    folder: Path, output: Path
) -> Generator[None, None, list[Path] | Failed]:
    """Return the images in a folder; an OME-Zarr is one itself."""
    yield
    # torch is imported here, not when napari starts.
    from ...files.find import find_files

    try:
        return find_files([folder], output)
    except DenoiseAEError as error:
        return Failed(str(error))
    except OSError as error:
        return Failed(f"The folder {folder} cannot be read: {error.strerror}.")


def denoise_in_turn(
    job: FilesJob, watch: FileWatch
) -> Generator[BatchStep, None, Failed | None]:
    """Denoise files one after another; yields what became of each."""
    from ...files.batch import denoise_files
    from ...files.job import FileJob

    template = FileJob(
        input=job.inputs[0],
        output=job.output,
        model=job.model,
        device=job.device,
        axes=job.axes,
        setting=job.setting,
        overwrite=job.overwrite,
    )
    try:
        for step in denoise_files(job.inputs, job.output, template, watch):
            watch.latest = None
            yield step
            watch.require_going()
    except StoppedError:
        return None
    except DenoiseAEError as error:
        return Failed(str(error))
    except (RuntimeError, MemoryError) as error:
        return Failed(f"Denoising failed: {error}")
    return None
