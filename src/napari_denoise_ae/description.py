"""A checkpoint in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from .checkpoint import Checkpoint, TrainingRecord


def describe_checkpoint(checkpoint: Checkpoint) -> list[str]:
    """Return lines about a checkpoint, for a user to read.

    Parameters
    ----------
    checkpoint : Checkpoint
        The checkpoint.

    Returns
    -------
    list of str
        What it is, how it was trained and how well it does.
    """
    network = checkpoint.build(torch.device("cpu"))
    n_parameters = sum(parameter.numel() for parameter in network.parameters())
    options = ", ".join(f"{k}={v}" for k, v in checkpoint.network_options.items())
    colours = "RGB" if network.in_channels == 3 else f"{network.in_channels} channel"
    rows = {
        "model": checkpoint.name,
        "network": f"{checkpoint.network}, {n_parameters:,} parameters, {colours}",
        "options": options or "the network's defaults",
    }
    if checkpoint.record is None:
        rows["training"] = "unknown: the file holds weights only"
    else:
        rows |= _describe_training(checkpoint.record)
    return [f"{name:<18}{value}" for name, value in rows.items()]


def _describe_training(record: TrainingRecord) -> dict[str, str]:
    config = record.config
    low, typical, high = record.noise_estimate
    return {
        "preset": config.preset,
        "noise": config.noise_model.description,
        "measured noise": f"{typical:.1%} of the range ({low:.1%} to {high:.1%}), as "
        "estimate_noise finds it in the noisy validation images",
        "intensity": record.intensity,
        "data": f"{record.dataset}, sha256 {record.dataset_sha256}",
        "split": f"{record.n_train} to train, {record.n_val} to validate, drawn with "
        f"seed {config.seed} (val_fraction {config.val_fraction:g})",
        "loss": config.loss,
        "optimizer": f"{config.optimizer}, learning rate {config.learning_rate:g}, "
        f"batches of {config.batch_size}",
        "augmentation": config.augmentation,
        "epochs": f"{record.epochs_run} run of at most {config.epochs}, patience "
        f"{config.patience}, min_delta {config.min_delta:g}",
        "stopped": record.stop_reason or "before its end",
        "best epoch": f"{record.best_epoch}: validation loss {record.val_loss:.6f}, "
        f"PSNR {record.val_psnr:.2f} dB",
        "receptive field": f"radius {record.receptive_field_radius} pixels, stride "
        f"{record.stride}",
        "made with": f"napari-denoise-ae {record.package_version}, torch "
        f"{record.torch_version}, on {record.device}",
        "date": record.date,
    }
