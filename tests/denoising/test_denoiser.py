"""What happens when a device has too little memory."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from memory_runs import OTHER, run_through
from synthetic import CPU, random_checkpoint

from napari_denoise_ae import denoise
from napari_denoise_ae.denoising.denoiser import Denoiser
from napari_denoise_ae.errors import DenoiseAEWarning, DeviceError

CPU_DEVICE = torch.device("cpu")


def test_where_memory_runs_out_tiles_are_halved(image, checkpoint, memory_for):
    expected = denoise(image, model=checkpoint)
    denoiser = Denoiser(checkpoint, CPU)
    tried = memory_for(cpu=190**2)
    with pytest.warns(DenoiseAEWarning, match="out of memory on a tile of") as caught:
        result = run_through(image, denoiser)
    np.testing.assert_allclose(result, expected, atol=1e-6)
    assert ["of 150 x 150;" in str(one.message) for one in caught] == [True]
    # What has been found out holds for the next image of the run.
    tried.clear()
    run_through(image, denoiser)
    assert max(pixels for _, pixels in tried) <= 190**2


def test_a_new_run_starts_with_the_usual_tiles_on_the_chosen_device(
    image, checkpoint, memory_for
):
    loaded = Denoiser(checkpoint, OTHER)
    tried = memory_for(meta=0)
    first = loaded.for_new_run("fast")
    with pytest.warns(DenoiseAEWarning, match="ran out of memory"):
        run_through(image, first)
    assert first.device.device == CPU_DEVICE
    once = tried[:]
    for earlier in (loaded, first):
        tried.clear()
        with pytest.warns(DenoiseAEWarning, match="ran out of memory"):
            run_through(image, earlier.for_new_run("fast"))
        assert tried == once


def test_an_error_of_another_kind_is_passed_on(image, checkpoint, memory_for):
    memory_for(RuntimeError("the sizes do not match"), cpu=0)
    with pytest.raises(RuntimeError, match="sizes do not match"):
        run_through(image, Denoiser(checkpoint, CPU))


def test_a_device_that_has_too_little_memory_is_left_for_the_cpu(
    image, checkpoint, memory_for
):
    expected = denoise(image, model=checkpoint)
    denoiser = Denoiser(checkpoint, OTHER)
    memory_for(meta=0)
    with pytest.warns(DenoiseAEWarning) as caught:
        result = run_through(image, denoiser)
    np.testing.assert_allclose(result, expected, atol=1e-6)
    assert denoiser.device.device == CPU_DEVICE
    assert "on the CPU" in str(caught[-1].message)
    assert str(denoiser.device) == "cpu (meta ran out of memory)"


def test_where_nothing_helps_there_is_one_error(image, checkpoint, memory_for):
    denoiser = Denoiser(checkpoint, CPU)
    memory_for(cpu=0)
    with (
        pytest.warns(DenoiseAEWarning),
        pytest.raises(DeviceError, match="even on a tile of 64 x 64 pixels"),
    ):
        run_through(image, denoiser)


def test_an_image_smaller_than_any_tile_is_one_error(checkpoint, memory_for):
    denoiser = Denoiser(checkpoint, CPU)
    memory_for(cpu=0)
    with pytest.raises(DeviceError, match="even on a tile of 19 x 21 pixels"):
        run_through(np.zeros((19, 21, 3)), denoiser)


def test_only_a_gpu_takes_many_small_planes_at_once(checkpoint):
    denoiser = Denoiser(checkpoint, OTHER)
    denoiser.tile_size = 512
    assert [denoiser.n_at_once((side, 256)) for side in (32, 256, 300, 4096)] == [
        *(32, 4, 3, 1)
    ]
    assert Denoiser(checkpoint, CPU).n_at_once((32, 256)) == 1


@pytest.mark.parametrize(
    ("network", "channels", "axes"),
    [("unet", 1, "TYX"), ("unet", 3, "TYXS"), ("unet", 1, "TYXS"), ("conv", 3, "TYX")],
)
@pytest.mark.filterwarnings("ignore:The model")
def test_planes_in_a_batch_have_the_result_that_each_has_alone(
    network, channels, axes, monkeypatch
):
    model = random_checkpoint(network=network, in_channels=channels)
    stack = np.random.default_rng(0).random((5, 60, 70, 3)).astype(np.float32)
    stack[1, 3:5, 4], stack[2, 9, 9], stack[4, 0, 0] = np.nan, 50, -50
    stack = stack if axes == "TYXS" else stack[..., 0]
    options = {"model": model, "axes": axes}
    expected = denoise(stack, **options)
    monkeypatch.setattr(Denoiser, "n_at_once", lambda *_: 3)
    batches, run_network = [], Denoiser.run_network

    def count(self, batch, *noise):
        batches.append(len(batch))
        return run_network(self, batch, *noise)

    monkeypatch.setattr(Denoiser, "run_network", count)
    np.testing.assert_allclose(denoise(stack, **options), expected, atol=1e-4)
    each = 3 if (channels, axes) == (1, "TYXS") else 1
    assert batches == [3 * each, 2 * each]


def test_tiles_are_chosen_anew_for_each_run(checkpoint, monkeypatch):
    free = [2**18]
    monkeypatch.setattr(
        "napari_denoise_ae.denoising.memory.free_memory", lambda _: free[0]
    )
    loaded = Denoiser(checkpoint, CPU)
    assert loaded.tile_size == 64
    free[0] = 10**12
    assert loaded.for_new_run("fast").tile_size == 512
