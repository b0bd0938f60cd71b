"""Export a model, outside the GUI thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...errors import DenoiseAEError, one_line
from ..shared.worker import Failed

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

#: Suffix of bioimage.io packages.
PACKAGE = ".zip"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportJob:
    """A model to export.

    Parameters
    ----------
    model : str
        A built-in model or a file.
    path : pathlib.Path
        The file to write, ``.onnx`` or ``.zip``.
    standalone : bool
        See `export_onnx`.
    authors : tuple of str
        See `export_bioimageio`.
    license : str
        See `export_bioimageio`.
    """

    model: str
    path: Path
    standalone: bool = False
    authors: tuple[str, ...] = ()
    license: str = ""


def export_model(job: ExportJob) -> Generator[str, None, Path | Failed]:
    """Export a model, and return the file that was written."""
    yield "Loading torch"
    from ...models.export.bioimageio_file import bioimageio_steps
    from ...models.export.onnx_file import onnx_steps

    try:
        if job.path.suffix == PACKAGE:
            yield from bioimageio_steps(
                job.model, job.path, authors=job.authors, license=job.license
            )
        else:
            yield from onnx_steps(job.model, job.path, standalone=job.standalone)
    except DenoiseAEError as error:
        return Failed(str(error))
    # Converting runs parts of torch that raise errors of any type.
    except Exception as error:  # noqa: BLE001
        return Failed(f"{job.model} cannot be exported: {one_line(error, 300)}")
    return job.path
