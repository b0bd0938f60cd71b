"""Models from other programs: tiny ONNX graphs, and bioimage.io packages of them."""

from __future__ import annotations

import hashlib
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

#: Weights of a blur over 3 x 3 pixels.
KERNEL = np.outer([0.25, 0.5, 0.25], [0.25, 0.5, 0.25]).astype(np.float32)


def blur(image: NDArray[Any]) -> NDArray[Any]:
    """Blur (Y, X) as `onnx_blur` does, with zeros around it."""
    wide = np.pad(image.astype(np.float64), 1)
    height, width = image.shape
    return sum(
        KERNEL[y, x] * wide[y : y + height, x : x + width]
        for y in range(3)
        for x in range(3)
    )


def onnx_blur(
    shape: tuple[Any, ...] = ("N", 1, "Y", "X"), *, scale: float = 1.0, **changes: Any
) -> bytes:
    """Return the content of an ONNX file that blurs images and multiplies by `scale`.

    Parameters
    ----------
    shape : tuple
        (N, 1, Y, X) of the input: lengths, or names of axes of any length.
    scale : float
        The factor.
    **changes : Any
        ``extra`` adds an input of this name, ``pads`` are those of the convolution,
        ``external`` puts the weights into another file, if it is ``"sparse"`` those
        of a node that has them in another form.
    """
    from onnx import SparseTensorProto, TensorProto, helper, numpy_helper

    weights = numpy_helper.from_array(scale * KERNEL[None, None], "weights")
    if changes.get("external"):
        weights.ClearField("raw_data")
        weights.data_location = TensorProto.EXTERNAL
        weights.external_data.add(key="location", value="../secret.bin")
    pads = [changes.get("pads", 1)] * 4
    nodes = [helper.make_node("Conv", ["noisy", "weights"], ["clean"], pads=pads)]
    if changes.get("external") == "sparse":
        place = numpy_helper.from_array(np.zeros(1, np.int64))
        sparse = SparseTensorProto(values=weights, indices=place, dims=[1])
        nodes += [helper.make_node("Constant", [], ["more"], sparse_value=sparse)]
        weights = numpy_helper.from_array(KERNEL[None, None], "weights")
    inputs = [helper.make_tensor_value_info("noisy", TensorProto.FLOAT, shape)]
    if "extra" in changes:
        extra = helper.make_tensor_value_info(changes["extra"], TensorProto.FLOAT, [1])
        inputs.append(extra)
    graph = helper.make_graph(
        nodes,
        "blur",
        inputs,
        [helper.make_tensor_value_info("clean", TensorProto.FLOAT, None)],
        [weights],
    )
    opset = helper.make_opsetid("", 17)
    return helper.make_model(
        graph, opset_imports=[opset], ir_version=8
    ).SerializeToString()


def description(data: bytes, **changes: Any) -> dict[str, Any]:
    """Return the description of a package, specification 0.5.

    Parameters
    ----------
    data : bytes
        Content of its ``weights.onnx``.
    **changes : Any
        ``before`` and ``after`` are steps, ``size`` and ``halo`` those of Y and X,
        ``axes`` more axes of the image, ``range`` that of the data; others replace
        entries of the description.
    """
    size = changes.pop("size", {"min": 16, "step": 8})
    more = changes.pop("axes", [])
    same = {"tensor_id": "raw", "axis_id": "y", "offset": 0}
    halo = {"halo": halo} if (halo := changes.pop("halo", 8)) else {}
    channel = {"type": "channel", "channel_names": ["intensity"]}
    space = [{"type": "space", "id": each, "size": size} for each in "yx"]
    out = [{"type": "space", "id": each, "size": same, **halo} for each in "yx"]
    batch = {"type": "batch"}
    return {
        "type": "model",
        "format_version": "0.5.4",
        "name": "blur",
        "inputs": [
            {
                "id": "raw",
                "axes": [batch, channel, *more, *space],
                "data": {
                    "type": "float32",
                    "range": changes.pop("range", [None, None]),
                },
                "preprocessing": changes.pop("before", []),
            }
        ],
        "outputs": [
            {
                "id": "result",
                "axes": [batch, channel, *out],
                "postprocessing": changes.pop("after", []),
            }
        ],
        "weights": {
            "onnx": {
                "source": "weights.onnx",
                "sha256": hashlib.sha256(data).hexdigest(),
                "opset_version": 17,
            }
        },
        **changes,
    }


def old_description(data: bytes) -> dict[str, Any]:
    """Return the description of a package, specification 0.4."""
    return description(data) | {
        "format_version": "0.4.10",
        "inputs": [
            {
                "name": "raw",
                "axes": "bcyx",
                "data_type": "float32",
                "shape": {"min": [1, 1, 16, 16], "step": [0, 0, 8, 8]},
                "preprocessing": [
                    {
                        "name": "scale_linear",
                        "kwargs": {"gain": 0.01, "offset": 1.0},
                    }
                ],
            }
        ],
        "outputs": [
            {
                "name": "result",
                "axes": "bcyx",
                "halo": [0, 0, 8, 8],
                "shape": {"reference_tensor": "raw", "scale": [1] * 4},
            }
        ],
    }


def write_package(path: Path, content: dict[str, Any], data: bytes) -> Path:
    """Write a package as a ZIP file, and return its path."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("rdf.yaml", yaml.safe_dump(content))
        archive.writestr("weights.onnx", data)
    return path
