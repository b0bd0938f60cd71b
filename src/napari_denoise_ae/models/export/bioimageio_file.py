"""Write a model as a package of the BioImage Model Zoo, and run the package's test.

References
----------
.. [1] https://bioimage.io
.. [2] https://bioimage-io.github.io/spec-bioimage-io/
"""

from __future__ import annotations

import contextlib
import io
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...errors import InvalidInputError, MissingDependencyError, OutputError
from ...io.atomic import atomic_write, require_writable
from ..builtin import builtin_models
from ..load import load_trainable
from .bioimageio_description import Provenance, describe_package
from .graph import DENOISED
from .onnx_file import compare, make_graph, onnx_bytes, require_onnx
from .package_files import environment, write_cover, write_readme
from .sample import TestCase, make_test_case
from .steps import run_to_end

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from ..checkpoint import Checkpoint
    from .graph import ExportedNetwork

#: License of the built-in models.
LICENSE = "BSD-3-Clause"


@dataclass(frozen=True, slots=True)
class BioimageioExport:
    """A package that was written.

    Parameters
    ----------
    model : str
        Name of the model.
    path : pathlib.Path
        The package.
    passed : tuple of str
        The tests of `bioimageio.core` that it passed.
    """

    model: str
    path: Path
    passed: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return what was exported as lines for users."""
        return [
            f"model     {self.model}",
            f"tests     all {len(self.passed)} of bioimageio.core passed",
            f"exported  {self.path}",
        ]


def export_bioimageio(
    model: str | Path,
    path: str | Path,
    *,
    authors: Sequence[str] = (),
    license: str = "",  # noqa: A002 - the name of the field
) -> BioimageioExport:
    """Write a model as a package of the BioImage Model Zoo, specification 0.5.

    The package takes images of any intensities, and has the weights as ONNX and as a
    `state_dict`.

    Parameters
    ----------
    model : str or path
        A built-in model or a checkpoint file, see `load_checkpoint`.
    path : str or path
        The file to write, ``.zip``; an existing one is replaced.
    authors : sequence of str
        Names of the authors of the model. Default: those of this package for a
        built-in model; other models need them.
    license : str
        SPDX identifier of its license. Default: BSD-3-Clause for a built-in model;
        other models need one.

    Returns
    -------
    BioimageioExport
        What was written, and which tests it passed.

    Raises
    ------
    MissingDependencyError
        If bioimageio.core or a package for ONNX is not installed.
    CheckpointError
        If there is no such model.
    InvalidInputError
        If authors or license are missing or invalid.
    OutputError
        If the file cannot be written or fails a test; no file is written then.
    """
    return run_to_end(bioimageio_steps(model, path, authors=authors, license=license))


def bioimageio_steps(
    model: str | Path,
    path: str | Path,
    *,
    authors: Sequence[str] = (),
    license: str = "",  # noqa: A002 - the name of the field
) -> Generator[str, None, BioimageioExport]:
    """Write a package step by step; the parameters are those of `export_bioimageio`.

    Yields
    ------
    str
        Name of the next step. The package is written after the last one.

    Returns
    -------
    BioimageioExport
        See `export_bioimageio`.
    """
    provenance = _provenance(str(model), tuple(authors), license)
    require_bioimageio()
    from bioimageio.spec import save_bioimageio_package

    path = Path(path)
    require_writable(path)
    yield "Loading the model"
    checkpoint = load_trainable(model)
    graph = make_graph(checkpoint, standalone=True)
    yield "Converting the network"
    data = onnx_bytes(graph, checkpoint)
    yield "Comparing ONNX Runtime with torch"
    compare(data, graph)
    case = make_test_case(checkpoint, graph)
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder, "package.zip")
        _write_files(Path(folder), data, graph, case, checkpoint, provenance)
        with _silence():
            description = describe_package(
                Path(folder), graph, case, checkpoint, provenance
            )
            save_bioimageio_package(description, output_path=package)
        yield "Running the tests of bioimageio.core"
        with _silence():
            passed = _run_tests(package)
        content = package.read_bytes()
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)
    return BioimageioExport(checkpoint.name, path, passed)


def require_bioimageio() -> None:
    """Raise if a package that exports need is missing.

    Raises
    ------
    MissingDependencyError
        If bioimageio.core or a package for ONNX is not installed.
    """
    require_onnx()
    try:
        import bioimageio.core  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            "A bioimage.io package needs the package bioimageio.core. Install it with: "
            "pip install 'napari-denoise-ae[bioimageio]'"
        ) from error


def _provenance(model: str, authors: tuple[str, ...], spdx: str) -> Provenance:
    is_builtin = model in builtin_models()
    if not is_builtin and not (authors and spdx):
        raise InvalidInputError(
            f"A package names the authors and the license of its model, and {model} "
            "is not a built-in model. Give both: --author NAME and --license, such as "
            "CC-BY-4.0."
        )
    return Provenance(authors=authors or _package_authors(), license=spdx or LICENSE)


def _package_authors() -> tuple[str, ...]:
    try:
        names = metadata("napari-denoise-ae")["Author"]
    except PackageNotFoundError:  # in a clone that is not installed
        names = None
    return (names or "napari-denoise-ae developers",)


def _write_files(
    folder: Path,
    data: bytes,
    graph: ExportedNetwork,
    case: TestCase,
    checkpoint: Checkpoint,
    provenance: Provenance,
) -> None:
    (folder / "weights.onnx").write_bytes(data)
    torch.save(graph.state_dict(), folder / "weights.pt")
    for name, array in (*case.inputs.items(), (DENOISED, case.denoised)):
        np.save(folder / f"{name}.npy", array)
    write_cover(folder / "cover.png", case)
    write_readme(folder / "README.md", checkpoint, graph, case, provenance.license)
    (folder / "environment.yaml").write_text(environment(), encoding="utf-8")


def _run_tests(path: Path) -> tuple[str, ...]:
    """Run the test of `bioimageio.core` for each kind of weights."""
    from bioimageio.core import test_description

    summary = test_description(path, devices=["cpu"])
    if summary.status != "passed":
        failed = [each.name for each in summary.details if each.status == "failed"]
        raise OutputError(
            "The package fails the test of bioimageio.core, and was not written: "
            f"{'; '.join(failed) or summary.status}."
        )
    names = (each.name.strip() for each in summary.details if each.status == "passed")
    return tuple(dict.fromkeys(names))


@contextlib.contextmanager
def _silence() -> Any:
    """Hide what bioimageio prints and logs."""
    from loguru import logger

    logger.disable("bioimageio")
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.enable("bioimageio")
