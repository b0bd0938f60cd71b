"""torch's triton and Mesa's OpenGL must live in one process."""

import subprocess
import sys

import pytest

# A canvas loads Mesa's LLVM; the first optimizer then loads triton's.
_TRAIN_BESIDE_A_CANVAS = """
import napari, numpy as np
viewer = napari.Viewer()
viewer.add_image(np.zeros((8, 8)))
viewer.screenshot(flash=False)
from napari_denoise_ae.config import TrainingConfig
from napari_denoise_ae.data import ImageSet
from napari_denoise_ae.devices import choose_device
from napari_denoise_ae.training import Trainer
images = ImageSet("black", np.zeros((20, 8, 8, 3), dtype=np.uint8))
for _ in Trainer(TrainingConfig(epochs=1), images, choose_device("cpu")).run():
    pass
viewer.close()
print("survived")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Mesa and triton meet on Linux")
def test_training_beside_a_canvas_does_not_crash():
    done = subprocess.run(
        [sys.executable, "-c", _TRAIN_BESIDE_A_CANVAS],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "survived"), done.stderr
