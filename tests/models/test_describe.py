from __future__ import annotations

import pytest
from synthetic import make_record, random_checkpoint, small_config

from napari_denoise_ae.models.checkpoint import Checkpoint
from napari_denoise_ae.models.describe import describe_model
from napari_denoise_ae.models.networks.registry import build_network
from napari_denoise_ae.models.summary import read_summary, summarize


def test_description_contains_the_whole_record():
    config = small_config(noise="gaussian:0.25,unclipped", seed=42)
    record = make_record(config=config)
    text = "\n".join(describe_model(summarize(random_checkpoint(record=record))))
    for part in (
        "random",
        "conv",
        "RGB",
        "base_channels=4",
        "sigma 0.25 of the range, not clipped",
        "34.0% of the range (31.0% to 37.0%)",
        "mapped linearly to [0, 1]",
        "squares, sha256 " + "0" * 64,
        "36 training and 4 validation images",
        "seed 42",
        "mse",
        "adam, learning rate 0.01, batches of 8",
        "3 of 3 epochs, constant learning rate",
        "none (patience 3)",
        "all epochs are done",
        "2: validation loss 0.012500, PSNR 19.50 dB",
        "radius 14 pixels, stride 8",
        "napari-denoise-ae 0.1.0, torch 2.10.0, on cpu",
        "2026-01-01",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("n_train", "n_val", "expected"),
    [
        (1, 0, "parts of the image for validation (val_fraction 0.1)"),
        (1, 1, "1 training and 1 validation image, drawn with seed 0"),
        (2, 1, "2 training and 1 validation image, drawn with seed 0"),
    ],
)
def test_split_is_described(n_train, n_val, expected):
    record = make_record(n_train=n_train, n_val=n_val)
    text = "\n".join(describe_model(summarize(random_checkpoint(record=record))))
    assert expected in text


@pytest.mark.parametrize(
    ("dataset", "settings", "words"),
    [
        ("CIFAR-10 training set", {}, "all 10,000 images"),
        ("CIFAR-10 training set", {"n_test": 6000}, "first 6,000 of the 10,000 images"),
        ("squares", {"n_test": 6000}, "none: these images have no test set"),
        ("squares", {"loss": "mse_ssim", "ssim_weight": 0.3}, "1 - SSIM 0.3"),
        ("squares", {"schedule": "cosine"}, "3 of 3 epochs, cosine learning rate"),
        ("squares", {"patience": 2, "min_delta": 0.1}, "patience 2, min_delta 0.1"),
    ],
)
def test_description_of_training_settings(dataset, settings, words):
    record = make_record(dataset=dataset, config=small_config(**settings))
    text = "\n".join(describe_model(summarize(random_checkpoint(record=record))))
    assert words in text


@pytest.mark.parametrize(
    ("options", "words"), [({}, "yes"), ({"skip_connections": False}, "no")]
)
def test_skip_connections_are_listed_only_for_networks_with_that_option(options, words):
    network = build_network("residual", options)
    checkpoint = Checkpoint("a", "residual", options, dict(network.state_dict()), None)
    assert f"skip connections  {words}" in describe_model(summarize(checkpoint))
    assert "skip connections" not in "\n".join(
        describe_model(summarize(random_checkpoint()))
    )


def test_conv_has_the_documented_size():
    text = "\n".join(describe_model(read_summary("conv")))
    assert "186,371 parameters, RGB" in text
    assert "the network's defaults" in text


@pytest.mark.parametrize(("channels", "words"), [(1, "1 channel"), (3, "RGB")])
def test_unknown_training_is_stated(channels, words):
    lines = describe_model(summarize(random_checkpoint(in_channels=channels)))
    text = "\n".join(lines)
    assert "training" in text
    assert "unknown" in text
    assert words in text


def test_interrupted_run_is_stated():
    record = make_record(stop_reason="")
    text = "\n".join(describe_model(summarize(random_checkpoint(record=record))))
    assert "stopped           not finished" in text
