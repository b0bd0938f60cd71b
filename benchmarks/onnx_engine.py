"""Compare ONNX Runtime with torch as an engine for denoising on the CPU.

Both run the same network on the same normalized image. They take turns, and CPU seconds
are measured, because other programs may run on the machine.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import torch

from napari_denoise_ae import export_onnx, load_checkpoint
from napari_denoise_ae.models.devices import has_fast_bfloat16
from napari_denoise_ae.models.export.onnx_file import example_inputs, make_graph

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

CPU = torch.device("cpu")


def measure(model: str, size: int, repeats: int) -> None:
    """Print the CPU seconds of each engine on an image of size x size pixels."""
    graph = make_graph(load_checkpoint(model), standalone=False)
    inputs = example_inputs(graph, (1, size, size))
    with tempfile.TemporaryDirectory() as folder:
        session = _session(export_onnx(model, Path(folder, "model.onnx")).path)
    names = [each.name for each in session.get_inputs()]
    feed = {name: value.numpy() for name, value in zip(names, inputs, strict=True)}

    def torch_float32() -> NDArray[Any]:
        with torch.inference_mode():
            return graph(*inputs).numpy()

    def torch_bfloat16() -> NDArray[Any]:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            return graph(*inputs).float().numpy()

    def onnx_runtime() -> NDArray[Any]:
        return session.run(None, feed)[0]

    engines = [torch_float32, torch_bfloat16, onnx_runtime]
    medians = _medians(engines, repeats)
    difference = np.abs(onnx_runtime() - torch_float32()).max()
    seconds = "  ".join(f"{median:15.3f}" for median in medians)
    print(f"{model:<10}{size:>6}  {seconds}  {difference:10.1e}")


def _session(path: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    providers = ["CPUExecutionProvider"]
    return onnxruntime.InferenceSession(path, options, providers=providers)


def _medians(engines: list[Callable[[], Any]], repeats: int) -> list[float]:
    seconds: list[list[float]] = [[] for _ in engines]
    for _ in range(repeats + 1):
        for place, engine in zip(seconds, engines, strict=True):
            start = time.process_time()
            engine()
            place.append(time.process_time() - start)
    # The first run of each engine prepares it.
    return [float(np.median(each[1:])) for each in seconds]


def main() -> None:
    """Parse the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=["gray", "rgb", "conv"])
    parser.add_argument("--sizes", nargs="+", type=int, default=[512, 1024])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(f"torch {torch.__version__}, onnxruntime {onnxruntime.__version__}")
    print(f"bfloat16 instructions: {'yes' if has_fast_bfloat16(CPU) else 'no'}")
    print(f"{'':16}    torch float32   torch bfloat16     ONNX Runtime  difference")
    for model in arguments.models:
        for size in arguments.sizes:
            measure(model, size, arguments.repeats)


if __name__ == "__main__":
    main()
