from __future__ import annotations

import pytest
import torch
from synthetic import CPU, smooth_images

from napari_denoise_ae.models.config import TrainingConfig
from napari_denoise_ae.models.networks.registry import build_network
from napari_denoise_ae.training.augmentation import add_stripes
from napari_denoise_ae.training.seeds import Seeds, Stream
from napari_denoise_ae.training.step import TrainingStep

SEEDS = Seeds(0, CPU.device)
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


def images(n_images: int = 8) -> torch.Tensor:
    """Return images as a trainer stores them: uint8, (N, 3, 16, 16)."""
    return torch.from_numpy(smooth_images(n_images)).permute(0, 3, 1, 2)


def loss_of(step: TrainingStep, *, batch: int = 1, epoch: int = 1) -> float:
    generators = SEEDS.epoch_generators(epoch)
    return float(step.train(images(), batch, generators))


def test_train_updates_the_parameters_and_lowers_the_loss():
    step = make_step(noise="gaussian:0.01")
    before = [parameter.clone() for parameter in step.network.parameters()]
    losses = [loss_of(step) for _ in range(20)]
    changed = zip(step.network.parameters(), before, strict=True)
    assert all(not torch.equal(*pair) for pair in changed)
    assert losses[-1] < losses[0]


def test_validate_sums_over_the_batch_and_computes_no_gradients():
    step = make_step(noise="gaussian:0.1")
    step.network.eval()
    with torch.inference_mode():
        loss, psnr = step.validate(images(), SEEDS.generator(Stream.VALIDATION))
        _, denoised, clean = step.show(images(), SEEDS.generator(Stream.VALIDATION))
    errors = (denoised - clean).square().mean(dim=(1, 2, 3))
    assert float(loss) == pytest.approx(float(errors.sum()), rel=1e-5)
    assert float(psnr) == pytest.approx(float(-10 * errors.log10().sum()), rel=1e-5)
    assert all(parameter.grad is None for parameter in step.network.parameters())


def test_noise_differs_between_epochs():
    step = make_step()
    first, again, other = (
        step.show(images(), SEEDS.epoch_generators(epoch).noise)[0]
        for epoch in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_bfloat16_is_used_on_a_cpu_only_if_enabled_and_fast(monkeypatch):
    def set_fast(answer: bool) -> None:
        name = "napari_denoise_ae.training.step.has_fast_bfloat16"
        monkeypatch.setattr(name, lambda: answer)

    set_fast(True)
    exact, rounded = (
        loss_of(make_step(**LEVEL, bfloat16_on_cpu=enabled))
        for enabled in (False, True)
    )
    assert exact != rounded
    assert rounded == pytest.approx(exact, rel=0.05)
    set_fast(False)
    assert loss_of(make_step(**LEVEL, bfloat16_on_cpu=True)) == exact


def test_cosine_schedule_decreases_the_learning_rate_to_zero():
    step = make_step(schedule="cosine")
    rates = []
    for progress in (0.0, 0.25, 0.5, 1.0):
        step.follow_schedule(progress)
        rates.append(step.optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([0.01, 0.01 * 0.8535534, 0.005, 0.0])


def test_constant_schedule_keeps_the_learning_rate():
    step = make_step(schedule="constant")
    step.follow_schedule(0.9)
    assert step.optimizer.param_groups[0]["lr"] == 0.01


@pytest.mark.parametrize(
    ("kind", "sides"), [("stripes", [16]), ("dead-leaves", [16, 32])]
)
def test_stripes_are_added_to_images_and_to_dead_leaves(monkeypatch, kind, sides):
    striped = []

    def record(images, generator):
        striped.append(images.shape[-1])
        return add_stripes(images, generator)

    monkeypatch.setattr("napari_denoise_ae.training.augmentation.add_stripes", record)
    step = make_step(augmentation=kind)
    for batch in (1, 2):
        loss_of(step, batch=batch)
    assert striped == sides
