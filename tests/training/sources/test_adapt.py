from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from noisy_sources import (
    OPTIONS,
    SIGMA,
    clean_image,
    config_of,
    make_source,
    noisy_image,
)
from synthetic import CPU

from napari_denoise_ae import denoise, load_checkpoint
from napari_denoise_ae.errors import DatasetError
from napari_denoise_ae.training.api import train
from napari_denoise_ae.training.guard import Verdict
from napari_denoise_ae.training.images.open import open_images
from napari_denoise_ae.training.sources import adapt, judgment
from napari_denoise_ae.training.sources.adapt import AdaptSource

GRAY = load_checkpoint("gray")
#: A run of a few seconds.
QUICK = {"batches_per_epoch": 2, "epochs": 1, "batch_size": 1, "patch_size": 32}


def gray_source(image, **changes):
    config = config_of(network_options=GRAY.network_options, **changes)
    return AdaptSource(open_images([image]), config, CPU.device, GRAY)


def test_targets_are_the_denoised_image():
    image = noisy_image()
    source = gray_source(image)
    denoised = denoise(image, model=GRAY, device="cpu")
    window = source._training[0]
    part = (0, *window.position.region)
    inner = slice(16, -16)
    expected = denoised[part[1:]][inner, inner]
    # Only the surroundings of the window differ.
    found = window.clean[0].numpy()[inner, inner]
    assert np.abs(found - expected).mean() < 1.0


def test_new_noise_has_the_measured_level_each_time():
    source = gray_source(noisy_image(), augmentation="none", batch_size=4)
    first, second = source.batches(1), source.batches(1)
    for batch in first:
        noise = batch.decode(batch.noisy) - batch.target
        assert float(noise.std()) == pytest.approx(float(batch.told[0, 0]), rel=0.1)
    batches = list(second)
    residuals = [batch.decode(batch.noisy) - batch.target for batch in batches]
    assert abs(float((residuals[0] * residuals[1]).mean())) < 0.1 * float(
        residuals[0].var()
    )


def test_validation_compares_two_parts_with_independent_noise():
    image = noisy_image(height=128, width=256)
    source = gray_source(image)
    clean = clean_image(height=128, width=256)
    products, firsts, seconds = [], [], []
    positions = [window.position for window in source._validation]
    for batch in source.validation():
        regions = [positions.pop(0).region for _ in batch.noisy]
        truth = torch.stack(
            [torch.from_numpy(clean[region].astype(np.float32)) for region in regions]
        )[:, None]
        scaling = source._scaling_of(
            source._validation[: len(truth)], source._measured.scaling
        )
        truth = scaling.to_relative(truth)
        first = batch.decode(batch.noisy) - truth
        second = batch.target - truth
        products.append((first * second).mean())
        firsts.append(first.var())
        seconds.append(second.var())
    correlation = np.mean(products) / np.sqrt(np.mean(firsts) * np.mean(seconds))
    assert abs(correlation) < 0.05
    # a² = 1/4: variances of 5/4 and 5 times that of the noise.
    assert np.mean(seconds) / np.mean(firsts) == pytest.approx(4.0, rel=0.1)


def test_noise_that_was_measured_wrongly_harms_and_the_old_model_is_kept(
    tmp_path, monkeypatch
):
    # Learns to remove four times as much noise as there is.
    draw = adapt.draw_measured_noise
    monkeypatch.setattr(
        adapt,
        "draw_measured_noise",
        lambda clean, noise, generator: draw(clean, noise.scaled(4.0), generator),
    )
    image = noisy_image(height=128, width=160)
    output = tmp_path / "model.pt"
    settings = {"batches_per_epoch": 15, "epochs": 2, "learning_rate": 1e-3}
    result = train(adapt=image, output=output, progress=False, **(QUICK | settings))
    assert "not better than gray" in result.judgment
    assert "whose weights are kept" in result.judgment
    for checkpoint in (result.checkpoint, load_checkpoint(output)):
        for name, weights in GRAY.state_dict.items():
            assert torch.equal(weights, checkpoint.state_dict[name])
        assert result.judgment in checkpoint.record.stop_reason


@pytest.mark.parametrize(
    ("ts", "share", "text"),
    [
        ([-3.0], 1.0, "the adapted model is better than gray"),
        ([-0.5, -0.8], 0.7, "a mixture of gray and the adapted model is probably"),
        ([0.5, -1.5], 0.7, "a mixture of gray and the adapted model is better"),
        (
            [-0.5, 0.1],
            0.7,
            "a mixture of gray and the adapted model is kept: it is not",
        ),
        ([-0.5, 1.1], 0.0, "the adapted model is not better than gray"),
    ],
)
def test_a_model_that_is_not_clearly_better_is_mixed(monkeypatch, ts, share, text):
    verdicts = [Verdict(0.1, t) for t in ts]
    monkeypatch.setattr(judgment, "compare_models", lambda *_: verdicts.pop(0))
    weights = {name: each + 1.0 for name, each in GRAY.state_dict.items()}
    adapted = replace(GRAY, name="mine", state_dict=weights)
    found = judgment.judge_adapted(GRAY, adapted, CPU, [])
    assert found.text.startswith(text)
    kept = adapted if found.kept is None else found.kept
    for name, before in GRAY.state_dict.items():
        torch.testing.assert_close(
            kept.state_dict[name].double(), before.double() + share, rtol=0, atol=1e-3
        )


def test_a_better_model_is_kept_and_its_gain_is_stated(tmp_path):
    # A model that removes too little.
    weights = dict(GRAY.state_dict)
    weights["output.weight"] = 0.8 * weights["output.weight"]
    weak = replace(GRAY, name="weak", state_dict=weights)
    result = train(
        adapt=noisy_image(height=128, width=192),
        start_from=weak,
        output=tmp_path / "model.pt",
        progress=False,
        batches_per_epoch=25,
        epochs=2,
        batch_size=2,
        patch_size=32,
    )
    assert "the adapted model is better than weak" in result.judgment
    assert not torch.equal(
        result.checkpoint.state_dict["output.weight"], weights["output.weight"]
    )


def test_the_weights_of_the_model_are_not_changed_in_place(tmp_path):
    before = {name: weights.clone() for name, weights in GRAY.state_dict.items()}
    train(adapt=noisy_image(), output=tmp_path / "model.pt", progress=False, **QUICK)
    for name, weights in GRAY.state_dict.items():
        assert torch.equal(weights, before[name])


def test_photons_are_drawn_for_photons():
    counts = np.random.default_rng(0).poisson(clean_image() / 25).astype(np.uint16)
    source = gray_source(counts, augmentation="none")
    window = source._training[0]
    noise = source._measured.noise_of(window.position)
    assert noise.kind == "poisson-gaussian"
    batch = next(source.batches(1))
    noisy = source._measured.scaling.denormalize(batch.noisy)
    assert torch.isfinite(noisy).all()
    assert torch.isfinite(batch.decode(batch.noisy)).all()


def test_images_without_noise_are_refused():
    flat = np.full((96, 128), 7.0, dtype=np.float32)
    with pytest.raises(DatasetError, match="No noise was detected"):
        make_source("adapt", [flat])


def test_parts_without_known_pixels_are_refused():
    image = noisy_image()
    for part in make_source("adapt", [image])._plan.val:
        image[part.region] = np.nan
    source = make_source("adapt", [image])
    with pytest.raises(DatasetError, match="no known pixels with noise"):
        next(iter(source.validation()))


def test_at_most_four_megapixels_are_trained_on(monkeypatch):
    monkeypatch.setattr(adapt, "TRAINING_PIXELS", 3 * 96 * 64)
    stack = np.stack([noisy_image(seed) for seed in range(8)])
    source = make_source("adapt", {"a": stack}, axes="TYX")
    n_pixels = sum(window.noisy.numel() for window in source._training)
    assert 0 < n_pixels <= 3 * 96 * 64
    again = make_source("adapt", {"a": stack}, axes="TYX")
    positions = [window.position for window in source._training]
    assert positions == [window.position for window in again._training]


def test_small_models_are_adapted_too():
    source = make_source("adapt", network_options=OPTIONS)
    assert source.noise.startswith("measured: noise has one level: sigma")
    sigma = source._measured.noises[0].sigma
    assert sigma == pytest.approx(SIGMA, rel=0.15)
