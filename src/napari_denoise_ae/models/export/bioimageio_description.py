"""Describe a model for the BioImage Model Zoo: its inputs, outputs and weights."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ..._version import __version__
from ...errors import InvalidInputError
from ..imported.package import ARCHITECTURE, CONFIG
from .graph import DENOISED, IMAGE, StandaloneNetwork
from .onnx_file import OPSET

if TYPE_CHECKING:
    from ..checkpoint import Checkpoint
    from .graph import ExportedNetwork
    from .sample import TestCase

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


def describe_package(
    folder: Path,
    graph: ExportedNetwork,
    case: TestCase,
    checkpoint: Checkpoint,
    provenance: Provenance,
) -> Any:
    """Describe the package whose files are in a folder.

    Parameters
    ----------
    folder : pathlib.Path
        The folder.
    graph : ExportedNetwork
        The network with its inputs, as other programs call it.
    case : TestCase
        Images of the package's test.
    checkpoint : Checkpoint
        The model.
    provenance : Provenance
        Authors and license of the model.

    Returns
    -------
    bioimageio.spec.model.v0_5.ModelDescr
        The validated description.

    Raises
    ------
    InvalidInputError
        If bioimageio.spec refuses it, such as for an unknown license.
    """
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
