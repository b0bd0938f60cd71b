"""Convolutional denoising autoencoders for napari, the shell and Python.

The public names are imported on first use, so that importing the package, as
napari does whenever it starts, takes almost no time.
"""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ._version import __version__ as __version__

if TYPE_CHECKING:
    from ._napari.denoise.commands import denoise_layer as denoise_layer
    from .denoising.api import denoise
    from .evaluation.api import compare_models, evaluate
    from .evaluation.metrics import psnr, ssim
    from .evaluation.trust.api import assess
    from .models.config import TrainingConfig
    from .models.export.bioimageio_file import export_bioimageio
    from .models.export.onnx_file import export_onnx
    from .models.load import load_checkpoint
    from .models.presets import PRESETS
    from .noise.add import add_noise
    from .noise.estimate import estimate_noise
    from .noise.measure import measure_noise
    from .noise.noise_estimate import NoiseEstimate
    from .training.api import train

# On Linux, PyTorch's threads wait for each other in GNU OpenMP, and spin for some
# milliseconds. While other programs run, that takes CPU time from the very thread they
# wait for, see benchmarks/threads.py. OpenMP reads this when torch is imported.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "5000")

__all__ = [
    "PRESETS",
    "NoiseEstimate",
    "TrainingConfig",
    "__version__",
    "add_noise",
    "assess",
    "compare_models",
    "denoise",
    "estimate_noise",
    "evaluate",
    "export_bioimageio",
    "export_onnx",
    "load_checkpoint",
    "measure_noise",
    "psnr",
    "ssim",
    "train",
]

# `__all__` lacks `denoise_layer`, because without napari a star import would fail.
_MODULES = {
    "NoiseEstimate": "noise.noise_estimate",
    "PRESETS": "models.presets",
    "TrainingConfig": "models.config",
    "add_noise": "noise.add",
    "assess": "evaluation.trust.api",
    "compare_models": "evaluation.api",
    "denoise": "denoising.api",
    "denoise_layer": "_napari.denoise.commands",
    "estimate_noise": "noise.estimate",
    "evaluate": "evaluation.api",
    "export_bioimageio": "models.export.bioimageio_file",
    "export_onnx": "models.export.onnx_file",
    "load_checkpoint": "models.load",
    "measure_noise": "noise.measure",
    "psnr": "evaluation.metrics",
    "ssim": "evaluation.metrics",
    "train": "training.api",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)


def __dir__() -> list[str]:
    names = set(__all__)
    # Only with napari, because help() and other tools access every listed name.
    if find_spec("napari"):
        names.add("denoise_layer")
    return sorted(names)
