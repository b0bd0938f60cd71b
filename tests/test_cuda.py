"""Training and denoising on a CUDA device; skipped if there is none."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import dask.array as da
import numpy as np
import pytest
import torch
from synthetic import (
    equal_weights,
    image_set,
    image_trainer,
    random_checkpoint,
    small_config,
)

from napari_denoise_ae import denoise
from napari_denoise_ae.errors import DenoiseAEWarning
from napari_denoise_ae.models.devices import choose_device
from napari_denoise_ae.models.training_state import (
    load_training_state,
    save_training_state,
)
from napari_denoise_ae.training.results import EpochResult

if TYPE_CHECKING:
    from napari_denoise_ae.training.trainer import Trainer

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


def make_trainer(**changes) -> Trainer:
    return image_trainer(small_config(**changes), image_set(), choose_device("cuda"))


def run(trainer: Trainer, epochs: int = 10**9) -> Trainer:
    for result in trainer.run():
        if isinstance(result, EpochResult) and result.epoch >= epochs:
            break
    return trainer


@pytest.mark.parametrize("mixed_precision", [True, False])
def test_training_lowers_the_validation_loss(mixed_precision):
    settings = {"epochs": 40, "patience": 40, "noise": "gaussian:0.2"}
    trainer = run(make_trainer(mixed_precision=mixed_precision, **settings))
    assert trainer.best_epoch.val_loss < 0.6 * trainer.history[0].val_loss
    weights = trainer.checkpoint().state_dict.values()
    assert {(tensor.device.type, tensor.dtype) for tensor in weights} == {
        ("cpu", torch.float32)
    }
    assert all(tensor.is_contiguous() for tensor in weights)


def test_a_run_can_be_resumed_from_a_file(tmp_path):
    interrupted = run(make_trainer(epochs=4), epochs=2)
    save_training_state(interrupted.state(), tmp_path / "a.resume")
    state = load_training_state(tmp_path / "a.resume")
    config, device = small_config(epochs=4), choose_device("cuda")
    resumed = image_trainer(config, image_set(), device, state)
    assert equal_weights(resumed.state().state_dict, interrupted.state().state_dict)
    assert len(run(resumed).history) == 4


def counts(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Return photon counts with hot pixels and, if possible, unknown ones."""
    rng = np.random.default_rng(0)
    image = rng.poisson(rng.uniform(50, 60, shape)).astype(dtype)
    image[..., 9, 9], image[..., 0, 0] = 127, 127
    if dtype.startswith("float"):
        image[..., 20:23, 30] = np.nan
    return image


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32"])
@pytest.mark.parametrize("noise_type", ["gaussian", "poisson-gaussian"])
def test_integers_are_those_of_the_cpu(dtype, noise_type):
    assert_equal_results(counts((90, 100), dtype), noise_type=noise_type, atol=1)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("noise_type", ["gaussian", "poisson-gaussian"])
def test_floats_are_those_of_the_cpu_to_a_millionth_of_the_range(dtype, noise_type):
    atol = 0.1 if dtype == "float16" else 1e-5 * 150
    assert_equal_results(counts((90, 100), dtype), noise_type=noise_type, atol=atol)


@pytest.mark.parametrize(
    ("shape", "axes"), [((5, 64, 72), "TYX"), ((2, 3, 64, 72), "TCYX")]
)
def test_planes_in_a_batch_are_those_of_the_cpu(shape, axes):
    assert_equal_results(counts(shape, "float32"), axes=axes, atol=1e-5 * 150)


@pytest.mark.parametrize("network", ["conv", "residual"])
def test_models_without_a_noise_level_give_the_result_of_the_cpu(network):
    image = np.random.default_rng(0).random((70, 90, 3))
    model = random_checkpoint(network=network)
    on_cpu, on_cuda = (
        denoise(image, model=model, device=device, precision="float32")
        for device in ("cpu", "cuda")
    )
    np.testing.assert_allclose(on_cuda, on_cpu, atol=1e-5)


def test_fast_results_differ_by_less_than_the_noise():
    image = counts((90, 100), "float32")
    options = {"model": "gray", "device": "cuda"}
    fast, exact = (
        denoise(image, precision=name, **options) for name in ("fast", "float32")
    )
    assert 0 < np.nanstd(fast - exact) < 0.02 * np.sqrt(55)


@pytest.mark.filterwarnings("ignore::napari_denoise_ae.errors.DenoiseAEWarning")
def test_tiles_and_lazy_arrays_give_the_same_result():
    image = counts((300, 280), "uint16")
    options = {"model": "gray", "sigma": 7, "device": "cuda", "precision": "float32"}
    whole = denoise(image, **options).astype(int)
    tiled = denoise(image, tile_size=64, **options)
    lazy = denoise(da.from_array(image, chunks=128), **options).compute()
    assert np.abs(tiled - whole).max() <= 1
    assert np.abs(lazy - whole).max() <= 1


def assert_equal_results(image: np.ndarray, *, atol: float, **options) -> None:
    """Compare the results of `gray` in float32; unknown pixels are the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DenoiseAEWarning)
        on_cpu, on_cuda = (
            denoise(image, model="gray", device=device, precision="float32", **options)
            for device in ("cpu", "cuda")
        )
    assert on_cuda.dtype == image.dtype
    difference = on_cuda.astype(np.float64) - on_cpu.astype(np.float64)
    np.testing.assert_array_equal(np.isnan(difference), np.isnan(image))
    assert np.nanmax(np.abs(difference)) <= atol
