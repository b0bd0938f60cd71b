"""torch's triton and Mesa's OpenGL must work in one process."""

import subprocess
import sys

import pytest

# A canvas loads Mesa's LLVM, the first optimizer triton's.
_CANVAS = """
import napari, numpy as np
viewer = napari.Viewer()
viewer.add_image(np.zeros((8, 8)))
viewer.screenshot(flash=False)
"""
_TRAIN = """
from napari_denoise_ae.models.config import TrainingConfig
from napari_denoise_ae.io.cifar10 import ImageSet
from napari_denoise_ae.models.devices import choose_device
from napari_denoise_ae.training.sources.image_set import ImageSetSource
from napari_denoise_ae.training.trainer import Trainer
images = ImageSet("black", np.zeros((20, 8, 8, 3), dtype=np.uint8))
config, device = TrainingConfig(epochs=1), choose_device("cpu")
for _ in Trainer(config, ImageSetSource(images, config, device.device), device).run():
    pass
"""
# Reading CIFAR-10 imports torchvision, which also imports triton.
_LOAD_CIFAR10 = """
import sys, tempfile
from pathlib import Path
from napari_denoise_ae.io.cifar10 import load_cifar10
from napari_denoise_ae.errors import DatasetError
folder = Path(tempfile.mkdtemp())
(folder / "cifar-10-batches-py").mkdir()
try:
    load_cifar10(folder, train=True)
except DatasetError:
    assert "torchvision" in sys.modules
"""
_END = """
viewer.close()
print("survived")
"""


@pytest.mark.parametrize("work", [_TRAIN, _LOAD_CIFAR10], ids=["train", "load"])
@pytest.mark.skipif(
    sys.platform != "linux", reason="Mesa and triton are used together only on Linux"
)
def test_torch_beside_a_canvas_does_not_crash(work):
    done = subprocess.run(
        [sys.executable, "-c", _CANVAS + work + _END],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "survived"), done.stderr
