from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest
import torch

from napari_denoise_ae import native_libraries
from napari_denoise_ae.models.config import TrainingConfig
from napari_denoise_ae.training.optimizers import make_optimizer


@pytest.mark.parametrize(
    ("name", "kind"), [("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)]
)
def test_optimizer_has_the_configured_type_and_learning_rate(name, kind):
    config = TrainingConfig(optimizer=name, learning_rate=0.25)
    optimizer = make_optimizer([torch.zeros(1, requires_grad=True)], config)
    assert type(optimizer) is kind
    assert optimizer.param_groups[0]["lr"] == 0.25


@pytest.mark.skipif(sys.platform != "linux", reason="RTLD_DEEPBIND is Linux's")
def test_triton_is_loaded_with_deepbind_and_the_flags_are_restored(monkeypatch):
    """A stand-in for triton's library records the flags that it is loaded with."""
    import os

    flags = sys.getdlopenflags()
    loaded = []

    def load(name: str) -> None:
        loaded.append((name, sys.getdlopenflags()))

    monkeypatch.delitem(sys.modules, "triton._C.libtriton", raising=False)
    monkeypatch.setattr(native_libraries, "find_spec", lambda _name: True)
    monkeypatch.setattr(native_libraries, "import_module", load)
    make_optimizer([torch.zeros(1, requires_grad=True)], TrainingConfig())
    assert loaded == [("triton._C.libtriton", flags | os.RTLD_DEEPBIND)]
    assert sys.getdlopenflags() == flags


FLAGS_OF_TRITON = """
import builtins, importlib, os, sys
flags = []
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "triton._C.libtriton":
            flags.append(bool(sys.getdlopenflags() & os.RTLD_DEEPBIND))
sys.meta_path.insert(0, Finder())
import numpy as np
from napari_denoise_ae.io.cifar10 import load_cifar10
from napari_denoise_ae.errors import DatasetError
os.makedirs("cifar-10-batches-py")
try:
    load_cifar10(".", train=True)
except DatasetError:
    pass
from napari_denoise_ae.models.config import TrainingConfig
from napari_denoise_ae.io.cifar10 import ImageSet
from napari_denoise_ae.models.devices import choose_device
from napari_denoise_ae.training.sources.image_set import ImageSetSource
from napari_denoise_ae.training.trainer import Trainer
images = ImageSet("black", np.zeros((20, 8, 8, 3), dtype=np.uint8))
config, device = TrainingConfig(epochs=1), choose_device("cpu")
for _ in Trainer(config, ImageSetSource(images, config, device.device), device).run():
    pass
print(flags)
"""


@pytest.mark.skipif(
    sys.platform != "linux" or not find_spec("triton"), reason="needs triton"
)
def test_triton_is_loaded_with_deepbind_by_every_import_path(tmp_path):
    """torchvision imports it, too, before an optimizer is made."""
    done = subprocess.run(
        [sys.executable, "-c", FLAGS_OF_TRITON],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.stdout.strip() == "[True]", done.stderr
