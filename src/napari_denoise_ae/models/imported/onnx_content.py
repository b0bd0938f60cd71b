"""Read an ONNX file from another program, and check it before it is run.

An ONNX file is data: it names operations that ONNX Runtime has, and runs no code of its
own. It may refer to other files for its weights, which is refused.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import MissingDependencyError
from .interface import IMAGE, ROLES, Interface, Sides, import_error, window_sides

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Entry of the metadata of files of `napari_denoise_ae.models.export`.
METADATA = "napari-denoise-ae"
# Element types of images and weights, by their numbers in ONNX.
_FLOATS = {1: "float32", 10: "float16", 11: "float64"}
_MOST_CHANNELS, _LARGEST_NUMBER = 4, 4096


@dataclass(frozen=True, slots=True)
class Value:
    """An input or output of a graph.

    Parameters
    ----------
    name : str
        Its name.
    dtype : str
        NumPy's name of its dtype; empty if it is not floating-point.
    shape : tuple of int
        Length of each axis; 0 if it varies.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """The contents of an ONNX file that matter here.

    Parameters
    ----------
    name : str
        Name of the file, for error messages.
    inputs, outputs : tuple of Value
        Without the weights.
    n_parameters : int
        Number of floating-point weights.
    metadata : dict of str to str
        Entries of the file.
    """

    name: str
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    n_parameters: int
    metadata: dict[str, str]


def require_onnx_runtime() -> None:
    """Raise if a package that ONNX models need is missing.

    Raises
    ------
    MissingDependencyError
        If onnx or onnxruntime is not installed.
    """
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            f"An ONNX model needs the package {error.name}. Install it with: "
            "pip install 'napari-denoise-ae[onnx]'"
        ) from error


def read_graph(data: bytes, name: str) -> Graph:
    """Read the inputs and outputs of an ONNX file.

    Parameters
    ----------
    data : bytes
        The content of the file.
    name : str
        Its name, for error messages.

    Raises
    ------
    CheckpointError
        If it is not an ONNX file, or refers to other files.
    MissingDependencyError
        If onnx or onnxruntime is not installed.
    """
    require_onnx_runtime()
    import onnx

    try:
        model = onnx.load_model_from_string(data)
    # The parser is not ours: with a damaged file, it raises errors of any type.
    except Exception as error:
        raise import_error(name, "it is not an ONNX file, or is incomplete") from error
    graph = model.graph
    if not graph.output:
        raise import_error(name, "it is not an ONNX file, or is incomplete")
    for tensor in _tensors(model):
        if tensor.data_location or tensor.external_data:
            raise import_error(
                name,
                "its weights are in another file, which is not read. Save it with its "
                "weights inside",
            )
    weights = {each.name for each in graph.initializer}
    return Graph(
        name,
        tuple(_value(each) for each in graph.input if each.name not in weights),
        tuple(_value(each) for each in graph.output),
        sum(
            math.prod(each.dims)
            for each in graph.initializer
            if each.data_type in _FLOATS
        ),
        {each.key: each.value for each in model.metadata_props},
    )


def open_session(data: bytes, name: str) -> Any:
    """Return a session of ONNX Runtime on the CPU, with as many threads as torch.

    Raises
    ------
    CheckpointError
        If ONNX Runtime cannot read the file.
    """
    import onnxruntime
    import torch

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.inter_op_num_threads = 1
    # Errors are raised as well; warnings are for the authors of models.
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(
            data, options, providers=["CPUExecutionProvider"]
        )
    # The classes of its errors are those of a compiled module.
    except Exception as error:
        raise import_error(name, f"ONNX Runtime cannot read it: {error}") from error


def plain_interface(graph: Graph) -> Interface:
    """Return how to call an ONNX file that has no other description.

    Raises
    ------
    CheckpointError
        If its inputs are not an image, or an image and the numbers that files of
        `napari_denoise_ae.models.export` take.
    """
    images = [each for each in graph.inputs if each.name not in ROLES]
    if len(images) != 1 or len(graph.outputs) != 1:
        found = ", ".join(each.name for each in (*graph.inputs, *graph.outputs))
        raise import_error(
            graph.name,
            "it must have one image as its input and one as its output, but its "
            f"inputs and outputs are {found}",
        )
    (image,) = images
    axes, n_channels = _image_axes(image, graph.name)
    return Interface(
        inputs=tuple((each.name, ROLES.get(each.name, IMAGE)) for each in graph.inputs),
        output=graph.outputs[0].name,
        axes=axes,
        output_axes=axes,
        dtype=image.dtype,
        n_channels=n_channels,
        n_parameters=graph.n_parameters,
        sides=_plain_sides(graph, image, axes),
    )


def require_float_image(image: Value, name: str) -> None:
    """Raise unless an input is floating-point."""
    if not image.dtype:
        raise import_error(
            name, f"its input {image.name} is not a floating-point image"
        )


def _image_axes(image: Value, name: str) -> tuple[str, int]:
    """Return the axes and the number of channels of an image."""
    require_float_image(image, name)
    if len(image.shape) != 4:
        raise import_error(
            name,
            f"its input {image.name} has {len(image.shape)} axes. Only 2D images can "
            "be denoised, as (N, C, Y, X) or (N, Y, X, C)",
        )
    for axes in ("bcyx", "byxc"):
        n_channels = image.shape[axes.index("c")]
        if 1 <= n_channels <= _MOST_CHANNELS:
            if image.shape[0] > 1:
                raise import_error(
                    name,
                    f"its batch size is fixed at {image.shape[0]}; it must be 1 or "
                    "variable",
                )
            return axes, n_channels
    raise import_error(
        name,
        f"its input {image.name} must have a fixed number of channels, 1 to "
        f"{_MOST_CHANNELS}",
    )


def _plain_sides(graph: Graph, image: Value, axes: str) -> Sides:
    height, width = (image.shape[axes.index(axis)] for axis in "yx")
    if height and width:
        return window_sides(height, width, graph.name)
    if height or width:
        raise import_error(
            graph.name,
            "the height and width of its images must both be fixed or both vary",
        )
    if METADATA not in graph.metadata:
        return Sides()
    try:
        known = json.loads(graph.metadata[METADATA])
        stride, radius = (known[key] for key in ("stride", "receptive_field_radius"))
        is_usable = all(
            type(each) is int and 0 < each <= _LARGEST_NUMBER
            for each in (stride, radius)
        )
    except (LookupError, TypeError, ValueError, RecursionError):
        is_usable = False
    if not is_usable:
        raise import_error(graph.name, "its metadata is invalid")
    return Sides(stride=stride, radius=radius)


def _value(content: Any) -> Value:
    kind = content.type.tensor_type
    shape = tuple(max(dim.dim_value, 0) for dim in kind.shape.dim)
    return Value(content.name, _FLOATS.get(kind.elem_type, ""), shape)


def _tensors(message: Any) -> Iterator[Any]:
    """Yield all tensors in a part of a file, wherever they are.

    The parser limits how deeply parts are nested.
    """
    if message.DESCRIPTOR.name == "TensorProto":
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in (value,) if hasattr(value, "ListFields") else value:
                yield from _tensors(part)
