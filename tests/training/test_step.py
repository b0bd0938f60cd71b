from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from synthetic import CPU, smooth_images

from napari_denoise_ae.models.config import TrainingConfig
from napari_denoise_ae.models.networks.registry import build_network
from napari_denoise_ae.training.batch import Batch
from napari_denoise_ae.training.losses import LOSSES
from napari_denoise_ae.training.seeds import Seeds, Stream
from napari_denoise_ae.training.step import TrainingStep

SEEDS = Seeds(0, CPU.device)
N_IMAGES = 8
#: Settings of a small network that takes the noise level.
LEVEL = {
    "network": "unet",
    "network_options": {"base_channels": 4},
    "noise": "gaussian:0..0.25,unclipped",
}


def make_step(**changes) -> TrainingStep:
    settings = {"network_options": {"base_channels": 4}, "learning_rate": 0.01}
    config = TrainingConfig(**(settings | changes))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build_network(config.network, config.network_options)
    return TrainingStep(network, config, CPU.device)


def make_batch(step: TrainingStep, *, sigma: float = 0.1, told=None) -> Batch:
    """Return images of 16 x 16 pixels with noise."""
    clean = torch.from_numpy(smooth_images(N_IMAGES)).permute(0, 3, 1, 2) / 255
    noise = torch.randn(clean.shape, generator=SEEDS.generator(Stream.NOISE))
    if step.network.takes_noise_level:
        told = torch.tensor([[sigma, 0.0, 0.0]]).expand(N_IMAGES, 3)
    noisy = clean + sigma * noise
    return Batch(noisy=noisy, target=clean, n_images=N_IMAGES, told=told)


def loss_of(step: TrainingStep, **changes) -> float:
    return float(step.train(replace(make_batch(step), **changes)))


def test_train_updates_the_parameters_and_lowers_the_loss():
    step = make_step()
    before = [parameter.clone() for parameter in step.network.parameters()]
    losses = [loss_of(step) for _ in range(20)]
    changed = zip(step.network.parameters(), before, strict=True)
    assert all(not torch.equal(*pair) for pair in changed)
    assert losses[-1] < losses[0]


def changed_by_training(**settings) -> set[str]:
    """Return the first words of the names of the parameters that a step changes."""
    step = make_step(**settings)
    before = {name: p.clone() for name, p in step.network.named_parameters()}
    loss_of(step)
    return {
        name.partition(".")[0]
        for name, parameter in step.network.named_parameters()
        if not torch.equal(parameter, before[name])
    }


def test_coarse_layers_alone_are_trained():
    everything = changed_by_training(**LEVEL)
    coarse = changed_by_training(**LEVEL, trained_layers="coarse")
    fine = {"entrance", "encoder_half", "decoder_half", "output"}
    assert everything - coarse == fine
    # A network without a coarse part is trained as a whole.
    assert changed_by_training(trained_layers="coarse") == changed_by_training()


def test_validate_sums_over_the_batch_and_computes_no_gradients():
    step = make_step()
    step.network.eval()
    batch = make_batch(step)
    with torch.inference_mode():
        loss, psnr = step.validate(batch)
        denoised = step.denoise(batch)
    errors = (denoised - batch.target).square().mean(dim=(1, 2, 3))
    assert float(loss) == pytest.approx(float(errors.sum()), rel=1e-5)
    assert float(psnr) == pytest.approx(float(-10 * errors.log10().sum()), rel=1e-5)
    assert all(parameter.grad is None for parameter in step.network.parameters())


def test_output_is_decoded_before_it_is_compared():
    step = make_step()
    batch = make_batch(step)
    batch = replace(batch, target=2 * batch.target, decode=lambda output: 2 * output)
    with torch.inference_mode():
        plain = step.denoise(replace(batch, decode=None))
        assert torch.equal(step.denoise(batch), 2 * plain)
        loss, _ = step.validate(batch)
    errors = (2 * plain - batch.target).square().mean(dim=(1, 2, 3))
    assert float(loss) == pytest.approx(float(errors.sum()), rel=1e-5)


@pytest.mark.parametrize("loss", ["mse", "l1", "psnr", "mse_ssim"])
def test_pixels_that_do_not_count_change_neither_loss_nor_parameters(loss):
    counted = torch.zeros(1, 1, 16, 16, dtype=torch.bool)
    counted[..., :8, :] = True
    results = []
    for value in (0.0, 9.0):
        step = make_step(loss=loss)
        batch = make_batch(step)
        target = torch.where(counted, batch.target, value)
        results.append(loss_of(step, target=target, counted=counted))
        results.append([p.detach().clone() for p in step.network.parameters()])
    first_loss, first, second_loss, second = results
    assert first_loss == second_loss
    assert all(map(torch.equal, first, second))


def test_center_does_not_change_what_a_shift_equivariant_network_learns():
    """A network without biases sees the image less the center."""
    step = make_step(**LEVEL)
    batch = make_batch(step)
    seen = []
    step.network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    step.denoise(replace(batch, center=0.25))
    torch.testing.assert_close(seen[0][:, :3], batch.noisy - 0.25)


def test_bfloat16_is_used_on_a_cpu_only_if_enabled_and_fast(monkeypatch):
    def set_fast(answer: bool) -> None:
        name = "napari_denoise_ae.training.step.has_fast_bfloat16"
        monkeypatch.setattr(name, lambda _: answer)

    set_fast(True)
    exact, rounded = (
        loss_of(make_step(**LEVEL, bfloat16_on_cpu=enabled))
        for enabled in (False, True)
    )
    assert exact != rounded
    assert rounded == pytest.approx(exact, rel=0.05)
    set_fast(False)
    assert loss_of(make_step(**LEVEL, bfloat16_on_cpu=True)) == exact


def rates(step: TrainingStep, *n_done: int) -> list[float]:
    """Return the learning rates after some of 100 batches."""
    found = []
    for number in n_done:
        step.follow_schedule(number, 100)
        found.append(step.optimizer.param_groups[0]["lr"])
    return found


def test_cosine_schedule_decreases_the_learning_rate_to_zero():
    step = make_step(schedule="cosine")
    expected = [0.01, 0.01 * 0.8535534, 0.005, 0.0]
    assert rates(step, 0, 25, 50, 100) == pytest.approx(expected)


def test_constant_schedule_keeps_the_learning_rate():
    assert rates(make_step(schedule="constant"), 0, 90) == [0.01, 0.01]


def test_warm_up_raises_the_learning_rate_batch_by_batch():
    step = make_step(warm_up=3)
    expected = [0.0025, 0.005, 0.0075, 0.01, 0.01]
    assert rates(step, 0, 1, 2, 3, 50) == pytest.approx(expected)


# --- too little memory ------------------------------------------------------


OUT_OF_MEMORY = torch.OutOfMemoryError("CUDA out of memory")


def limit_memory(
    monkeypatch, step: TrainingStep, n_images: int, error: Exception = OUT_OF_MEMORY
) -> None:
    """Let memory run out in passes of more than a number of images."""
    forward = step.network.forward

    def limited(images: torch.Tensor) -> torch.Tensor:
        if len(images) > n_images:
            raise error
        return forward(images)

    monkeypatch.setattr(step.network, "forward", limited)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    "settings",
    [
        {},
        LEVEL,
        {
            "network": "unet",
            "network_options": {"base_channels": 4, "noise_level": False},
        },
    ],
)
def test_batches_in_parts_give_the_same_result(monkeypatch, loss, settings):
    """Even if the decoding and the counted pixels differ between images."""
    whole, parts = (
        make_step(loss=loss, optimizer="adam", **settings) for _ in range(2)
    )
    limit_memory(monkeypatch, parts, 3)
    scale = torch.linspace(0.5, 1.5, N_IMAGES)[:, None, None, None]
    counted = torch.rand(N_IMAGES, 1, 16, 16) < 0.7
    center = torch.linspace(0.3, 0.7, N_IMAGES)[:, None, None, None]
    changes = {"decode": scale.mul, "counted": counted, "center": center}
    for _ in range(3):
        assert loss_of(parts, **changes) == pytest.approx(loss_of(whole, **changes))
    assert parts.max_images == 2
    for first, second in zip(
        parts.network.parameters(), whole.network.parameters(), strict=True
    ):
        torch.testing.assert_close(first, second, rtol=1e-3, atol=1e-4)
    batch = make_batch(whole)
    assert (whole.n_parts(batch), parts.n_parts(batch)) == (1, 4)
    with torch.inference_mode():
        torch.testing.assert_close(
            parts.denoise(batch), whole.denoise(batch), rtol=1e-3, atol=1e-3
        )


def test_validation_is_computed_in_parts_if_memory_runs_out(monkeypatch):
    step = make_step()
    batch = make_batch(step)
    step.network.eval()
    with torch.inference_mode():
        expected = step.validate(batch)
        limit_memory(monkeypatch, step, 5)
        assert [float(v) for v in step.validate(batch)] == pytest.approx(
            [float(v) for v in expected]
        )
    assert step.max_images == N_IMAGES / 2


@pytest.mark.parametrize(
    "error",
    [RuntimeError("DefaultCPUAllocator: can't allocate memory"), MemoryError()],
)
def test_lack_of_memory_is_recognized_on_every_device(monkeypatch, error):
    step = make_step()
    limit_memory(monkeypatch, step, 5, error)
    step.train(make_batch(step))
    assert step.max_images == N_IMAGES / 2


def test_other_errors_are_raised(monkeypatch):
    step = make_step()
    limit_memory(monkeypatch, step, 5, RuntimeError("shapes differ"))
    with pytest.raises(RuntimeError, match="shapes differ"):
        step.train(make_batch(step))


def test_a_single_image_that_is_too_large_is_an_error(monkeypatch):
    step = make_step()
    limit_memory(monkeypatch, step, 0)
    before = [parameter.clone() for parameter in step.network.parameters()]
    with pytest.raises(torch.OutOfMemoryError):
        step.train(make_batch(step))
    assert step.max_images == 1
    assert all(map(torch.equal, before, step.network.parameters()))


def test_batches_are_not_split_with_batch_normalization(monkeypatch):
    """The statistics of a part are not those of the batch."""
    step = make_step(network="residual", network_options={})
    clean = torch.zeros(4, 3, 32, 32)
    limit_memory(monkeypatch, step, 3)
    with pytest.raises(torch.OutOfMemoryError):
        step.train(Batch(noisy=clean, target=clean, n_images=4))
    assert step.max_images > 4
