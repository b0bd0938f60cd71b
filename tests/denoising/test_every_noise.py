"""Noise of every kind gives the same result in memory, lazily and streamed."""

import dask.array as da
import numpy as np
import pytest
import tifffile
from scipy.ndimage import gaussian_filter
from skimage.data import camera

from napari_denoise_ae import denoise
from napari_denoise_ae.cli.main import main

CLEAN = np.tile(camera().astype(np.float64), (2, 2))[:520, :540]


def white(blur=0.0):
    noise = np.random.default_rng(0).standard_normal((2, *CLEAN.shape))
    blurred = gaussian_filter(noise, (0, blur, blur)) if blur else noise
    return blurred / blurred.std()


def with_outliers(image):
    image = image.copy()
    image[np.random.default_rng(1).random(image.shape) < 1e-3] = 4095
    image[:, :20] = -9999
    return image


IMAGES = {
    "white": CLEAN + 20 * white(),
    "photons": np.random.default_rng(0).poisson(CLEAN / 10, (2, *CLEAN.shape)),
    "correlated": CLEAN + 25 * white(1.0),
    "clipped": np.clip(1.4 * (CLEAN - 40) + 25 * white(), 0, 255).astype(np.uint8),
    "outliers": with_outliers(np.rint(CLEAN + 20 * white()).astype(np.int16)),
}


@pytest.mark.parametrize("name", IMAGES)
def test_every_noise_is_removed_alike_in_memory_lazily_and_streamed(
    name, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    image = IMAGES[name].astype(
        np.float32 if IMAGES[name].dtype.kind == "f" else IMAGES[name].dtype.str
    )
    image = image.astype(np.uint16) if name == "photons" else image
    expected = denoise(image, axes="TYX", dtype="float32")
    lazy = denoise(
        da.from_array(image, chunks=(1, 256, 300)), axes="TYX", dtype="float32"
    )
    np.testing.assert_allclose(lazy.compute(), expected, atol=0.02)
    tifffile.imwrite("in.tif", image, metadata={"axes": "TYX"}, tile=(128, 128))
    assert main(["denoise", "in.tif", "out.tif", "--dtype", "float32"]) == 0
    np.testing.assert_allclose(tifffile.imread("out.tif"), expected, atol=0.02)
    assert not np.array_equal(expected, image)
