"""Write a model as an ONNX file, and compare the file with the model.

References
----------
.. [1] https://onnx.ai/onnx/intro/
"""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ..._version import __version__
from ...errors import MissingDependencyError, OutputError
from ...io.atomic import atomic_write, require_writable
from ...native_libraries import load_triton_apart
from ..imported.onnx_content import METADATA
from ..load import load_trainable
from .graph import DENOISED, IMAGE, build_exported
from .steps import run_to_end

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray
    from torch import Tensor

    from ..checkpoint import Checkpoint
    from .graph import ExportedNetwork

#: Largest difference from torch, as a fraction of the range of the result.
TOLERANCE = 1e-5
#: Version of the operations. ONNX Runtime, OpenVINO, TensorRT and others have read it
#: since 2023.
OPSET = 18
# Shapes of the comparison, (N, Y, X): a multiple of the stride, and others.
_CHECKED = ((1, 64, 72), (2, 45, 83), (3, 7, 33))


@dataclass(frozen=True, slots=True)
class OnnxExport:
    """A model that was exported.

    Parameters
    ----------
    model : str
        Its name.
    path : pathlib.Path
        The file that was written.
    inputs : dict of str to str
        What each input of the graph is, by name.
    difference : float
        Largest difference between ONNX Runtime and torch, as a fraction of the range
        of the result.
    """

    model: str
    path: Path
    inputs: dict[str, str]
    difference: float

    def lines(self) -> list[str]:
        """Return what was exported as lines for users."""
        difference = f"{self.difference:.1e} of the range from torch's result"
        rows = {
            "model": self.model,
            **self.inputs,
            "difference": difference,
            "exported": str(self.path),
        }
        width = max(len(name) for name in rows)
        return [f"{name:<{width}}  {value}" for name, value in rows.items()]


def export_onnx(
    model: str | Path, path: str | Path, *, standalone: bool = False
) -> OnnxExport:
    """Write a model as an ONNX file for images of any number and size.

    Parameters
    ----------
    model : str or path
        A built-in model or a checkpoint file, see `load_checkpoint`.
    path : str or path
        The file to write; an existing one is replaced.
    standalone : bool
        Whether the file also normalizes images. If not, it takes normalized images.

    Returns
    -------
    OnnxExport
        What was written, and how it compares with the model.

    Raises
    ------
    MissingDependencyError
        If onnx, onnxscript or onnxruntime is not installed.
    CheckpointError
        If there is no such model.
    OutputError
        If the file cannot be written, or ONNX Runtime computes another result than
        torch; no file is written then.
    """
    return run_to_end(onnx_steps(model, path, standalone=standalone))


def onnx_steps(
    model: str | Path, path: str | Path, *, standalone: bool = False
) -> Generator[str, None, OnnxExport]:
    """Export a model step by step; the parameters are those of `export_onnx`.

    Yields
    ------
    str
        Name of the next step. The file is written after the last one.

    Returns
    -------
    OnnxExport
        See `export_onnx`.
    """
    require_onnx()
    path = Path(path)
    require_writable(path)
    yield "Loading the model"
    checkpoint = load_trainable(model)
    graph = make_graph(checkpoint, standalone=standalone)
    yield "Converting the network"
    data = onnx_bytes(graph, checkpoint)
    yield "Comparing ONNX Runtime with torch"
    difference = compare(data, graph)
    with atomic_write(path) as temporary:
        temporary.write_bytes(data)
    meanings = {number.name: number.meaning for number in graph.numbers}
    inputs = {IMAGE: graph.image_meaning, **meanings}
    return OnnxExport(checkpoint.name, path, inputs, difference)


def require_onnx() -> None:
    """Raise if a package that exports need is missing.

    Raises
    ------
    MissingDependencyError
        If onnx, onnxscript or onnxruntime is not installed.
    """
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            f"An ONNX file needs the package {error.name}. Install it with: "
            "pip install 'napari-denoise-ae[onnx]'"
        ) from error


def make_graph(checkpoint: Checkpoint, *, standalone: bool) -> ExportedNetwork:
    """Return the network of a checkpoint for export, see `build_exported`."""
    graph = build_exported(
        checkpoint.network, checkpoint.network_options, standalone=standalone
    )
    graph.network.load_state_dict(checkpoint.state_dict)
    return graph


def example_inputs(graph: ExportedNetwork, shape: tuple[int, int, int]) -> list[Tensor]:
    """Return smooth random images, (N, channels, Y, X), and numbers that suit them.

    Parameters
    ----------
    graph : ExportedNetwork
        The graph.
    shape : tuple of int
        N, Y and X.
    """
    n_images, height, width = shape
    generator = torch.Generator().manual_seed(0)
    size = (n_images, graph.network.in_channels, height, width)
    noise = 0.1 * torch.randn(size, generator=generator)
    ramp = torch.linspace(0.2, 0.8, width) + noise
    return [ramp, *(number.values(n_images) for number in graph.numbers)]


def onnx_bytes(graph: ExportedNetwork, checkpoint: Checkpoint) -> bytes:
    """Return the content of an ONNX file.

    Parameters
    ----------
    graph : ExportedNetwork
        See `make_graph`.
    checkpoint : Checkpoint
        The model, for the description in the file.
    """
    # The exporter imports triton.
    load_triton_apart()
    any_length, numbers = torch.export.Dim.AUTO, graph.numbers
    shapes: tuple[Any, ...] = ({0: any_length, 2: any_length, 3: any_length},)
    if numbers:
        shapes += (tuple({0: any_length} for _ in numbers),)
    with warnings.catch_warnings():
        # Of torch and of the packages that it uses.
        warnings.simplefilter("ignore")
        program: Any = torch.onnx.export(
            graph,
            tuple(example_inputs(graph, (2, 40, 48))),
            dynamo=True,
            dynamic_shapes=shapes,
            input_names=[IMAGE, *(number.name for number in numbers)],
            output_names=[DENOISED],
            opset_version=OPSET,
            verbose=False,
        )
    content = program.model_proto
    _describe(content, graph, checkpoint)
    data: bytes = content.SerializeToString()
    return data


def _describe(content: Any, graph: ExportedNetwork, checkpoint: Checkpoint) -> None:
    """Name the axes, and say what the model and its inputs are."""
    meanings = [graph.image_meaning, *(number.meaning for number in graph.numbers)]
    for value, meaning in zip(content.graph.input, meanings, strict=True):
        value.doc_string = meaning
    for value in (*content.graph.input, *content.graph.output):
        dims = value.type.tensor_type.shape.dim
        for dim, name in zip(dims, "NCYX", strict=False):
            if dim.dim_param or name != "C":
                dim.dim_param = name
    # Shapes of other values have names that torch made up.
    del content.graph.value_info[:]
    content.producer_name, content.producer_version = "napari-denoise-ae", __version__
    content.doc_string = f"Denoises images; the model {checkpoint.name}."
    network = graph.network
    known = {
        "stride": network.stride,
        "receptive_field_radius": network.receptive_field_radius,
    }
    content.metadata_props.add(key=METADATA, value=json.dumps(known))


def compare(data: bytes, graph: ExportedNetwork) -> float:
    """Run an ONNX file and its network on images of several sizes.

    Parameters
    ----------
    data : bytes
        The content of the file.
    graph : ExportedNetwork
        The network.

    Returns
    -------
    float
        The largest difference, as a fraction of the range of the result.

    Raises
    ------
    OutputError
        If it is more than `TOLERANCE`.
    """
    differences = []
    for shape in _CHECKED:
        inputs = example_inputs(graph, shape)
        with torch.inference_mode():
            expected = graph(*inputs)
        found = torch.from_numpy(run_onnx(data, graph, inputs))
        largest = (found - expected).abs().max() / (expected.max() - expected.min())
        differences.append(float(largest))
    worst = max(differences)
    # Written so that NaN fails, too.
    if not worst <= TOLERANCE:
        raise OutputError(
            f"ONNX Runtime and torch differ by {worst:.1e} of the range, more than "
            f"{TOLERANCE:g}. Nothing was written. Update torch, onnx and onnxruntime."
        )
    return worst


def run_onnx(data: bytes, graph: ExportedNetwork, inputs: list[Tensor]) -> NDArray[Any]:
    """Run an ONNX file on the CPU by ONNX Runtime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    names = [IMAGE, *(number.name for number in graph.numbers)]
    feed = {name: value.numpy() for name, value in zip(names, inputs, strict=True)}
    (denoised,) = session.run([DENOISED], feed)
    result: NDArray[Any] = denoised
    return result
