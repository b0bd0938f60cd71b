"""Write a model as a package of the BioImage Model Zoo, and run the package's test.

References
----------
.. [1] https://bioimage.io
.. [2] https://bioimage-io.github.io/spec-bioimage-io/
"""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..._version import __version__
from ...errors import InvalidInputError, MissingDependencyError, OutputError
from ...io.atomic import atomic_write, require_writable
from ..builtin import builtin_models
from ..imported.package import ARCHITECTURE, CONFIG
from ..load import load_trainable
from .graph import DENOISED, IMAGE, StandaloneNetwork
from .onnx_file import OPSET, compare, make_graph, onnx_bytes, require_onnx
from .package_files import environment, write_cover, write_readme
from .sample import TestCase, make_test_case
from .steps import run_to_end

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from ..checkpoint import Checkpoint
    from .graph import ExportedNetwork

#: License of the built-in models.
LICENSE = "BSD-3-Clause"
_TAGS = ["denoising", "image-restoration", "autoencoder", "2d", "pytorch"]
# Autoencoders that denoise.
_CITED = ("Vincent et al., ICML 2008", "10.1145/1390156.1390294")
_DESCRIPTION = "Denoises 2D images; made with napari-denoise-ae"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Whose model it is.

    Parameters
    ----------
    authors : tuple of str
        Names; one or more.
    license : str
        SPDX identifier of the license of the weights, such as ``"CC-BY-4.0"``.
    """

    authors: tuple[str, ...]
    license: str


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
            description = _described(Path(folder), graph, case, checkpoint, provenance)
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


def _described(
    folder: Path,
    graph: ExportedNetwork,
    case: TestCase,
    checkpoint: Checkpoint,
    provenance: Provenance,
) -> Any:
    """Return the description of the package."""
    from bioimageio.spec.model import v0_5
    from pydantic import ValidationError

    name = f"{Path(checkpoint.name).stem} denoising"
    try:
        return v0_5.ModelDescr(
            name=name,
            description=f"{_DESCRIPTION} {__version__}.",
            authors=[v0_5.Author(name=each) for each in provenance.authors],
            cite=[v0_5.CiteEntry(text=_CITED[0], doi=v0_5.Doi(_CITED[1]))],
            license=provenance.license,
            documentation=v0_5.FileDescr(source=folder / "README.md"),
            covers=[v0_5.FileDescr(source=folder / "cover.png")],
            tags=_TAGS,
            inputs=[_input(folder, name, case, graph) for name in case.inputs],
            outputs=[_output(folder, case, graph)],
            weights=_weights(folder, graph, checkpoint),
            config=_config(checkpoint),
        )
    except ValidationError as error:
        reasons = "; ".join(each["msg"] for each in error.errors())
        raise InvalidInputError(
            f"bioimageio.spec refuses the description of the model: {reasons}."
        ) from error


def _input(folder: Path, name: str, case: TestCase, graph: ExportedNetwork) -> Any:
    from bioimageio.spec.model import v0_5

    numbers = {number.name: number for number in graph.numbers}
    if name == IMAGE:
        meaning = graph.image_meaning
        axes = [v0_5.BatchAxis(), _channels(case), *_sides(v0_5.SpaceInputAxis, graph)]
    else:
        meaning = numbers[name].meaning
        components = [v0_5.Identifier(each) for each in numbers[name].components]
        axes = [v0_5.BatchAxis()]
        axes += [v0_5.ChannelAxis(channel_names=components)] if components else []
    return v0_5.InputTensorDescr(
        id=v0_5.TensorId(name),
        description=meaning,
        axes=axes,
        test_tensor=v0_5.FileDescr(source=folder / f"{name}.npy"),
        data=v0_5.IntervalOrRatioDataDescr(type="float32"),
    )


def _output(folder: Path, case: TestCase, graph: ExportedNetwork) -> Any:
    from bioimageio.spec.model import v0_5

    sides = [
        v0_5.SpaceOutputAxisWithHalo(
            id=v0_5.AxisId(axis),
            halo=graph.halo,
            size=v0_5.SizeReference(
                tensor_id=v0_5.TensorId(IMAGE), axis_id=v0_5.AxisId(axis)
            ),
        )
        for axis in "yx"
    ]
    return v0_5.OutputTensorDescr(
        id=v0_5.TensorId(DENOISED),
        description="The denoised image, in the unit of the image.",
        axes=[v0_5.BatchAxis(), _channels(case), *sides],
        test_tensor=v0_5.FileDescr(source=folder / f"{DENOISED}.npy"),
        data=v0_5.IntervalOrRatioDataDescr(type="float32"),
    )


def _channels(case: TestCase) -> Any:
    from bioimageio.spec.model import v0_5

    n_channels = case.denoised.shape[1]
    names = ["red", "green", "blue"] if n_channels == 3 else ["intensity"]
    if n_channels not in (1, 3):
        names = [f"channel{number}" for number in range(n_channels)]
    return v0_5.ChannelAxis(channel_names=[v0_5.Identifier(each) for each in names])


def _sides(axis_class: Any, graph: ExportedNetwork) -> list[Any]:
    from bioimageio.spec.model import v0_5

    stride = graph.network.stride
    size = v0_5.ParameterizedSize(min=2 * graph.halo + stride, step=stride)
    return [axis_class(id=v0_5.AxisId(axis), size=size) for axis in "yx"]


def _config(checkpoint: Checkpoint) -> Any:
    """Return an entry with the training record, for `load_package`."""
    from bioimageio.spec.model import v0_5

    record = checkpoint.record
    own = {} if record is None else {"record": json.dumps(asdict(record))}
    return v0_5.Config.model_validate({CONFIG: own})


def _weights(folder: Path, graph: ExportedNetwork, checkpoint: Checkpoint) -> Any:
    from bioimageio.spec.model import v0_5

    module, function = ARCHITECTURE
    architecture = v0_5.ArchitectureFromLibraryDescr(
        import_from=module,
        callable=v0_5.Identifier(function),
        kwargs={
            "network": checkpoint.network,
            "options": dict(checkpoint.network_options),
            "standalone": isinstance(graph, StandaloneNetwork),
        },
    )
    state_dict = v0_5.PytorchStateDictWeightsDescr(
        source=folder / "weights.pt",
        architecture=architecture,
        pytorch_version=v0_5.Version(torch.__version__.partition("+")[0]),
        dependencies=v0_5.FileDescr(source=folder / "environment.yaml"),
    )
    onnx = v0_5.OnnxWeightsDescr(
        source=folder / "weights.onnx",
        opset_version=OPSET,
        parent="pytorch_state_dict",
    )
    return v0_5.WeightsDescr(pytorch_state_dict=state_dict, onnx=onnx)


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
