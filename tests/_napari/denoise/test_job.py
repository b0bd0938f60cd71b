from dataclasses import replace

import numpy as np
import pytest

from napari_denoise_ae._napari.denoise.denoise_job import prepare
from napari_denoise_ae._napari.denoise.job import DenoiseJob
from napari_denoise_ae.denoising.options import DenoiseOptions


@pytest.mark.parametrize(("noise", "matches"), [(None, True), ("gaussian:0.1", False)])
def test_a_prepared_layer_depends_on_the_seed_only_with_noise(noise, matches):
    image = np.random.default_rng(0).integers(0, 256, (40, 50), np.uint8)
    job = DenoiseJob(
        data=image, model="conv", options=DenoiseOptions(axes="YX"), noise=noise
    )
    assert prepare(job).matches(replace(job, seed=1)) == matches
