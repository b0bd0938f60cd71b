from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from synthetic import CPU, equal_weights, image_set, image_trainer, small_config

from napari_denoise_ae.errors import (
    DatasetError,
    DenoiseAEError,
    InvalidInputError,
    TrainingError,
)
from napari_denoise_ae.io.cifar10 import ImageSet
from napari_denoise_ae.models.networks.conv import ConvAutoencoder
from napari_denoise_ae.models.training_state import (
    load_training_state,
    save_training_state,
)
from napari_denoise_ae.training import epoch as epoch_module
from napari_denoise_ae.training.results import (
    BatchResult,
    EpochResult,
    SmallerBatches,
)
from napari_denoise_ae.training.split import split_indices
from napari_denoise_ae.training.step import TrainingStep
from napari_denoise_ae.training.validation import validate

if TYPE_CHECKING:
    from napari_denoise_ae.training.trainer import Trainer


def new_trainer(**changes) -> Trainer:
    return image_trainer(small_config(**changes), image_set())


def run(trainer: Trainer, epochs: int = 10**9) -> Trainer:
    """Train until the end, or until the given number of epochs is done."""
    for result in trainer.run():
        if isinstance(result, EpochResult) and result.epoch >= epochs:
            break
    return trainer


def losses(trainer: Trainer) -> list[EpochResult]:
    """Return the history without the durations."""
    return [replace(result, seconds=0) for result in trainer.history]


#: Settings of a small network that takes the noise level, similar to a preset.
LEVEL = {
    "network": "unet",
    "network_options": {"base_channels": 4, "in_channels": 1},
    "noise": "gaussian:0..0.25,unclipped",
    "augmentation": "stripes",
    "zoom": 2.0,
}


# --- yielded results -------------------------------------------------------


def test_run_yields_every_batch_and_every_epoch():
    trainer = new_trainer(epochs=2)
    results = list(trainer.run())
    kinds = [type(result) for result in results]
    assert (trainer.n_train, trainer.n_val, trainer.n_batches) == (36, 4, 5)
    assert kinds == ([BatchResult] * 5 + [EpochResult]) * 2
    batches = [result for result in results if isinstance(result, BatchResult)]
    assert [batch.batch for batch in batches] == [1, 2, 3, 4, 5] * 2
    assert [batch.epoch for batch in batches] == [1] * 5 + [2] * 5
    assert {batch.n_batches for batch in batches} == {5}
    assert trainer.stop_reason == "all epochs are done"


def test_training_loss_is_the_mean_over_the_images():
    trainer = new_trainer(epochs=1)
    *batches, epoch = trainer.run()
    sizes = [8, 8, 8, 8, 4]
    expected = np.average([float(batch.loss) for batch in batches], weights=sizes)
    assert epoch.train_loss == pytest.approx(expected, rel=1e-5)


def test_finished_trainer_yields_nothing():
    trainer = run(new_trainer(epochs=1))
    assert list(trainer.run()) == []


# --- learning --------------------------------------------------------------


def test_training_lowers_the_validation_loss():
    trainer = run(new_trainer(epochs=40, patience=40, noise="gaussian:0.2"))
    before, after = trainer.history[0], trainer.best_epoch
    assert after.val_loss < 0.6 * before.val_loss
    assert after.val_psnr > before.val_psnr + 2
    assert trainer.history[-1].train_loss < 0.6 * trainer.history[0].train_loss


@pytest.mark.parametrize(
    "changes",
    [
        {"loss": "l1"},
        {"loss": "mse_ssim"},
        {"loss": "mse_ssim", "ssim_weight": 0.5},
        {"schedule": "cosine"},
        {"optimizer": "adamw"},
        {"augmentation": "flip"},
        {"augmentation": "stripes"},
        {"augmentation": "dead-leaves"},
        {"zoom": 2.0},
        {"noise": "gaussian:0.5,unclipped"},
        {"learning_rate": 1e-3},
        {"batch_size": 16},
        {"network_options": {"base_channels": 2}},
    ],
    ids=str,
)
def test_every_setting_makes_a_difference(changes):
    changed, plain = run(new_trainer(epochs=2, **changes)), run(new_trainer(epochs=2))
    assert losses(changed) != losses(plain)
    assert all(np.isfinite(result.val_loss) for result in changed.history)


def test_ssim_weight_makes_a_difference():
    light, heavy = (
        run(new_trainer(epochs=1, loss="mse_ssim", ssim_weight=weight))
        for weight in (0.1, 0.9)
    )
    assert losses(light) != losses(heavy)


def test_cosine_schedule_decreases_the_learning_rate_to_nearly_zero():
    trainer = new_trainer(epochs=4, schedule="cosine", learning_rate=0.01)
    rates = [
        trainer._step.optimizer.param_groups[0]["lr"]
        for result in trainer.run()
        if isinstance(result, BatchResult)
    ]
    assert rates[0] == 0.01
    assert rates == sorted(rates, reverse=True)
    assert rates[len(rates) // 2] == pytest.approx(0.005)
    assert 0 < rates[-1] < 0.01 * 0.02


def test_training_on_gray_images():
    config = small_config(epochs=1, network_options={"in_channels": 1})
    assert run(image_trainer(config, image_set(channels=1))).history[0].val_loss < 1


# --- validation ------------------------------------------------------------


@pytest.mark.parametrize("in_channels", [1, 3])
def test_network_that_takes_a_noise_level_learns_to_denoise_color_images(in_channels):
    options = LEVEL["network_options"] | {"in_channels": in_channels}
    trainer = run(new_trainer(**(LEVEL | {"network_options": options, "epochs": 12})))
    first, last = trainer.history[0], trainer.history[-1]
    assert last.val_loss < 0.8 * first.val_loss
    noisy, denoised, clean = trainer.example_images(4)
    assert noisy.shape == (4, 16, 16, in_channels)
    assert np.abs(denoised - clean).mean() < np.abs(noisy - clean).mean()


@pytest.mark.parametrize(
    "noise",
    [
        "gaussian:0.1",
        "poisson:30",
        "gaussian:0.1,unclipped+salt-pepper:0.1",
    ],
)
def test_network_that_takes_a_noise_level_rejects_other_noise(noise):
    with pytest.raises(InvalidInputError, match="unclipped Gaussian noise"):
        new_trainer(**(LEVEL | {"noise": noise}))


def test_correlated_noise_needs_a_network_that_takes_the_correlation():
    noise = "gaussian:0..0.2,blur=0..1.5,unclipped"
    with pytest.raises(InvalidInputError, match="Set the network option correlation"):
        new_trainer(**LEVEL | {"noise": noise})
    options = LEVEL["network_options"] | {"correlation": True}
    changes = LEVEL | {"noise": noise, "network_options": options, "epochs": 12}
    history = run(new_trainer(**changes)).history
    assert history[-1].val_loss < 0.8 * history[0].val_loss


def test_network_without_a_noise_level_accepts_any_noise():
    options = LEVEL["network_options"] | {"noise_level": False}
    changes = LEVEL | {"network_options": options, "noise": "salt-pepper:0.1"}
    assert len(run(new_trainer(**changes, epochs=1)).history) == 1


def test_validation_noise_is_the_same_after_every_epoch():
    trainer = new_trainer()
    first = validate(trainer._step, trainer._source)
    assert validate(trainer._step, trainer._source) == first
    noisy, _, clean = trainer.example_images(4)
    run(trainer)
    again, _, _ = trainer.example_images(4)
    np.testing.assert_array_equal(noisy, again)
    assert np.abs(noisy - clean).mean() > 0.1


def test_validation_loss_and_psnr_equal_those_of_the_denoised_images():
    trainer = run(new_trainer(epochs=1))
    _, denoised, clean = trainer.example_images(trainer.n_val)
    squared = ((denoised - clean) ** 2).mean(axis=(1, 2, 3))
    result = trainer.history[0]
    assert result.val_psnr == pytest.approx(np.mean(-10 * np.log10(squared)), rel=1e-4)
    assert result.val_loss == pytest.approx(squared.mean(), rel=1e-4)


def test_validation_images_do_not_affect_training():
    images = image_set().images
    config = small_config(epochs=2)
    first = run(image_trainer(config, ImageSet("a", images)))
    changed = images.copy()
    changed[split_indices(len(images), config.val_fraction, config.seed).val] ^= 255
    second = run(image_trainer(config, ImageSet("b", changed)))
    assert [r.train_loss for r in first.history] == [
        r.train_loss for r in second.history
    ]
    assert [r.val_loss for r in first.history] != [r.val_loss for r in second.history]


# --- reproducibility -------------------------------------------------------


def test_the_same_seed_gives_the_same_result():
    first, again = run(new_trainer(seed=5)), run(new_trainer(seed=5))
    assert losses(first) == losses(again)
    assert equal_weights(first.state().state_dict, again.state().state_dict)


def test_another_seed_gives_another_result():
    first, other = run(new_trainer(seed=5)), run(new_trainer(seed=6))
    assert losses(first) != losses(other)


def test_global_generator_of_torch_is_neither_used_nor_changed():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = run(new_trainer(augmentation="flip"))
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(2)
    assert losses(run(new_trainer(augmentation="flip"))) == losses(first)


# --- early stopping and the best epoch -------------------------------------


def with_validation_losses(monkeypatch, values, **changes) -> Trainer:
    """Return a trainer whose epochs end with the given validation losses."""
    trainer = new_trainer(epochs=50, **changes)
    remaining = iter(values)
    monkeypatch.setattr(epoch_module, "validate", lambda *_: (next(remaining), 10.0))
    return trainer


@pytest.mark.parametrize(
    ("values", "settings", "n_epochs", "best"),
    [
        ([5, 4, 4, 4, 4], {"patience": 3}, 5, 2),
        ([5, 4, 6, 6, 3, 6, 6, 6], {"patience": 3}, 8, 5),
        ([5, 5], {"patience": 1}, 2, 1),
        ([5, 4.9, 4.8, 4.7, 4.7], {"patience": 2, "min_delta": 0.15}, 5, 3),
        ([5, 4.9, 4.9], {"patience": 2, "min_delta": 0.5}, 3, 1),
    ],
)
def test_early_stopping_after_patience_epochs(
    monkeypatch, values, settings, n_epochs, best
):
    trainer = run(with_validation_losses(monkeypatch, values, **settings))
    assert len(trainer.history) == n_epochs
    assert trainer.best_epoch.epoch == best
    assert trainer.stop_reason.startswith(f"patience of {settings['patience']} used up")
    assert trainer.checkpoint().record.stop_reason == trainer.stop_reason


@pytest.mark.parametrize(
    ("values", "n_epochs", "best"),
    [
        # The means are 5, 3, 2.5, 3, 4: a single low loss is not the best.
        ([5, 1, 4, 2, 6], 5, 3),
        # Epochs are compared once there are two; until then the last one is kept.
        ([1, 5, 5, 5], 4, 2),
    ],
)
def test_best_epoch_is_chosen_by_the_smoothed_loss(monkeypatch, values, n_epochs, best):
    trainer = with_validation_losses(monkeypatch, values, patience=2, smoothing=2)
    run(trainer)
    assert len(trainer.history) == n_epochs
    assert trainer.best_epoch.epoch == best


def test_patience_above_epochs_disables_early_stopping(monkeypatch):
    trainer = new_trainer(epochs=4, patience=99)
    monkeypatch.setattr(epoch_module, "validate", lambda *_: (1.0, 10.0))
    assert run(trainer).stop_reason == "all epochs are done"


def test_checkpoint_contains_the_state_dict_of_the_best_epoch(monkeypatch):
    trainer = with_validation_losses(monkeypatch, [5, 3, 4, 4], patience=2)
    after_epoch = {}
    for result in trainer.run():
        if isinstance(result, EpochResult):
            after_epoch[result.epoch] = trainer.state().state_dict
    checkpoint = trainer.checkpoint()
    assert checkpoint.record.best_epoch == 2
    assert checkpoint.record.epochs_run == 4
    assert equal_weights(checkpoint.state_dict, after_epoch[2])
    assert not equal_weights(checkpoint.state_dict, after_epoch[4])


def test_checkpoint_reproduces_the_validation_loss_of_its_record():
    trainer = run(new_trainer(epochs=8, learning_rate=0.05, patience=8))
    checkpoint = trainer.checkpoint()
    network = checkpoint.build(CPU.device)
    noisy, _, clean = trainer.example_images(trainer.n_val)
    with torch.inference_mode():
        denoised = network(torch.from_numpy(noisy).permute(0, 3, 1, 2))
    loss = np.mean((denoised.permute(0, 2, 3, 1).numpy() - clean) ** 2)
    assert checkpoint.record.val_loss == pytest.approx(float(loss), rel=1e-4)
    assert checkpoint.record.val_loss == min(r.val_loss for r in trainer.history)


def test_stopping_during_an_epoch_keeps_the_finished_epochs():
    trainer = new_trainer(epochs=5)
    steps = trainer.run()
    for result in steps:
        if result.epoch == 3:
            break
    steps.close()
    assert len(trainer.history) == 2
    assert trainer.checkpoint().record.epochs_run == 2
    assert trainer.checkpoint().record.stop_reason == ""


# --- resuming --------------------------------------------------------------


@pytest.mark.parametrize("through_a_file", [False, True])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimizer": "adamw", "augmentation": "flip", "loss": "l1"},
        {"schedule": "cosine", "noise": "gaussian:0..0.5+salt-pepper:0.1"},
        # Its batch normalization has running statistics, which must be restored.
        {"network": "residual", "network_options": {"base_channels": 2}},
    ],
)
def test_resumed_run_equals_an_uninterrupted_one(changes, through_a_file, tmp_path):
    images = image_set(side=32)
    config = small_config(epochs=4, **changes)
    whole = run(image_trainer(config, images))
    interrupted = run(image_trainer(config, images), epochs=2)
    state = interrupted.state()
    if through_a_file:
        save_training_state(state, tmp_path / "a.resume")
        state = load_training_state(tmp_path / "a.resume")
    resumed = run(image_trainer(config, images, CPU, state))
    assert losses(resumed) == losses(whole)
    end, expected = resumed.state(), whole.state()
    assert equal_weights(end.state_dict, expected.state_dict)
    assert equal_weights(end.best.state_dict, expected.best.state_dict)
    for index, moments in expected.optimizer["state"].items():
        assert equal_weights(end.optimizer["state"][index], moments)
    assert replace(end.record, date="") == replace(expected.record, date="")


def test_state_is_independent_of_further_training():
    trainer = run(new_trainer(epochs=4), epochs=1)
    state = trainer.state()
    weights = {key: value.clone() for key, value in state.state_dict.items()}
    best = {key: value.clone() for key, value in state.best.state_dict.items()}
    run(trainer)
    assert equal_weights(dict(state.state_dict), weights)
    assert equal_weights(dict(state.best.state_dict), best)


# --- the record ------------------------------------------------------------


def test_record_describes_the_run():
    data = image_set()
    config = small_config()
    trainer = run(image_trainer(config, data))
    record = trainer.checkpoint().record
    assert record.config == config
    assert (record.dataset, record.dataset_sha256) == (data.name, data.sha256)
    assert (record.n_train, record.n_val, record.epochs_run) == (36, 4, 3)
    assert (record.receptive_field_radius, record.stride) == (14, 8)
    assert record.val_psnr == trainer.best_epoch.val_psnr
    assert record.torch_version == torch.__version__
    low, middle, high = record.noise_estimate
    assert 0.2 < low <= middle <= high < 0.5


def test_training_on_images_too_small_for_a_noise_estimate():
    images = np.full((20, 8, 8, 3), 0, dtype=np.uint8)
    config = small_config(epochs=1, noise="gaussian:1e-30")
    trainer = run(image_trainer(config, ImageSet("black", images)))
    assert len(trainer.checkpoint().record.noise_estimate) == 3


# --- errors ----------------------------------------------------------------


@pytest.mark.parametrize("side", [4, 12, 28])
def test_sides_that_are_no_multiple_of_the_stride_are_rejected(side):
    images = np.zeros((20, side, side, 3), dtype=np.uint8)
    with pytest.raises(DenoiseAEError, match="8"):
        run(image_trainer(small_config(), ImageSet("odd", images)))


@pytest.mark.parametrize("side", [16, 64])
def test_images_that_do_not_have_the_size_of_the_network_are_rejected(side):
    config = small_config(network="residual", network_options={})
    with pytest.raises(DatasetError, match=rf"32 x 32 pixels, got {side} x {side}"):
        image_trainer(config, image_set(side=side))


def test_dead_leaves_are_rejected_for_a_network_of_fixed_size():
    config = small_config(
        network="residual", network_options={}, augmentation="dead-leaves"
    )
    with pytest.raises(InvalidInputError, match=r"'residual'.*twice that size"):
        image_trainer(config, image_set(side=32))


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_images_with_other_channels_are_rejected(channels):
    images = np.zeros((20, 16, 16, channels), dtype=np.uint8)
    with pytest.raises(DenoiseAEError, match="channels"):
        run(image_trainer(small_config(), ImageSet("odd", images)))


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((20, 16, 16)),
        np.zeros((20, 16, 16, 3)),
        np.zeros((20, 16, 16, 3), bool),
    ],
    ids=["no channels", "float64", "bool"],
)
def test_images_that_are_not_uint8_color_images_are_rejected(images):
    with pytest.raises(DenoiseAEError):
        run(image_trainer(small_config(), ImageSet("odd", images)))


def test_loss_that_is_not_finite_raises_with_advice(monkeypatch):
    trainer = run(new_trainer(epochs=5), epochs=1)
    monkeypatch.setattr(trainer._step, "_loss", lambda a, _: (a * torch.nan).mean())
    with pytest.raises(TrainingError, match=r"epoch 2.*learning_rate than 0\.01"):
        run(trainer)
    # The previous epoch is kept.
    assert trainer.checkpoint().record.epochs_run == 1
    assert all(
        torch.isfinite(t).all() for t in trainer.checkpoint().state_dict.values()
    )


def test_running_out_of_memory_raises_with_advice(monkeypatch):
    def forward(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    trainer = new_trainer()
    monkeypatch.setattr(ConvAutoencoder, "forward", forward)
    with pytest.raises(TrainingError, match=r"batch_size of 8\. Use a smaller"):
        run(trainer)


def test_networks_with_batch_normalization_say_why_batches_are_not_split(monkeypatch):
    def fail(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    config = small_config(network="residual", network_options={})
    trainer = image_trainer(config, image_set(side=32))
    monkeypatch.setattr(TrainingStep, "_run_network", fail)
    with pytest.raises(TrainingError, match=r"normalizes each batch.*smaller batch_s"):
        list(trainer.run())


def test_batches_become_smaller_if_memory_runs_out(monkeypatch):
    forward = ConvAutoencoder.forward

    def limited(self, images):
        if len(images) > 4:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, images)

    whole, trainer = run(new_trainer(epochs=2)), new_trainer(epochs=2)
    monkeypatch.setattr(ConvAutoencoder, "forward", limited)
    steps = list(trainer.run())
    assert [s for s in steps if isinstance(s, SmallerBatches)] == [SmallerBatches(2)]
    assert "in 2 parts" in steps[0].description
    found = [result.val_loss for result in trainer.history]
    assert found == pytest.approx([r.val_loss for r in whole.history], rel=1e-4)


def test_network_that_is_too_large_is_rejected():
    config = small_config(network_options={"base_channels": 10**6})
    with pytest.raises(DenoiseAEError):
        image_trainer(config, image_set())


def test_invalid_network_options_are_rejected():
    with pytest.raises(InvalidInputError, match="base_channels"):
        image_trainer(small_config(network_options={"base_channels": 0}), image_set())
