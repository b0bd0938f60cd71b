from __future__ import annotations

import numpy as np
import pytest
from synthetic import CPU, random_checkpoint, smooth_photo

from napari_denoise_ae.denoising.denoiser import Denoiser
from napari_denoise_ae.evaluation.apply import apply_model, denoise_together
from napari_denoise_ae.noise.setting import NoiseSetting

#: Options of small networks, with and without a noise level, for color and gray.
MODELS = {
    "color": {},
    "gray": {"in_channels": 1},
    "level": {"network": "unet"},
    "gray with a level": {"network": "unet", "in_channels": 1},
}


def noisy_photos(n_images: int = 3) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 0.1, (n_images, 32, 40, 3))
    return smooth_photo(32, 40) + noise


@pytest.mark.parametrize("options", MODELS.values(), ids=MODELS)
def test_denoise_together_equals_apply_model(options):
    denoiser = Denoiser(random_checkpoint(**options), CPU)
    images = noisy_photos()
    together = denoise_together(images, denoiser)
    one_by_one = [apply_model(image, denoiser=denoiser) for image in images]
    np.testing.assert_allclose(together, one_by_one, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "takes_level"), [(MODELS["level"], True), (MODELS["color"], False)]
)
def test_noise_settings_affect_only_models_that_take_a_noise_level(
    options, takes_level
):
    denoiser = Denoiser(random_checkpoint(**options), CPU)
    image = noisy_photos()[0]
    estimated = apply_model(image, denoiser=denoiser)
    given = apply_model(image, denoiser=denoiser, setting=NoiseSetting(sigma=0.3))
    assert (not np.array_equal(estimated, given)) == takes_level
