"""The subcommand ``train``."""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..models.config import AUGMENTATIONS, OPTIMIZERS, PRESETS, SCHEDULES
from ..training.losses import LOSSES
from .arguments import add_device

if TYPE_CHECKING:
    from ..training.job import TrainingJob
    from ..training.results import RunStep, TrainingResult, TrainingStart

# Settings of a training run that are options of `train`, with their help.
_SETTINGS: dict[str, dict[str, Any]] = {
    "noise": {"metavar": "NOISE", "help": "noise to train for, such as gaussian:0.5"},
    "loss": {"choices": LOSSES, "help": "loss function to minimize"},
    "ssim_weight": {"type": float, "help": "weight of 1 - SSIM in the loss mse_ssim"},
    "optimizer": {"choices": OPTIMIZERS, "help": "optimizer of the parameters"},
    "learning_rate": {"type": float, "help": "learning rate of the optimizer"},
    "schedule": {"choices": SCHEDULES, "help": "how the learning rate changes"},
    "batch_size": {"type": int, "help": "images in a batch"},
    "epochs": {"type": int, "help": "maximum number of epochs"},
    "patience": {
        "type": int,
        "help": "epochs without a lower validation loss after which training stops",
    },
    "min_delta": {
        "type": float,
        "help": "how much lower the loss must be to count as lower",
    },
    "val_fraction": {
        "type": float,
        "help": "fraction of the images used for validation",
    },
    "n_test": {
        "type": int,
        "help": "number of CIFAR-10 test images in the test set; the others train",
    },
    "augmentation": {
        "choices": AUGMENTATIONS,
        "help": "random augmentation of training images",
    },
    "zoom": {
        "type": float,
        "help": "magnify every other batch by up to this factor",
    },
    "seed": {
        "type": int,
        "help": "seed of the split, initial weights, order and noise",
    },
    "mixed_precision": {
        "action": argparse.BooleanOptionalAction,
        "help": "compute in bfloat16 on CUDA",
    },
    "bfloat16_on_cpu": {
        "action": argparse.BooleanOptionalAction,
        "help": "compute in bfloat16 on CPUs that support it",
    },
}


# --- train -----------------------------------------------------------------


def _train(arguments: argparse.Namespace) -> None:
    from ..training.api import ProgressBars, run_to_the_end
    from ..training.results import TrainingStart
    from ..training.run import TrainingRun

    def show(step: RunStep) -> None:
        if isinstance(step, TrainingStart):
            _print_start(step)
        bars.show(step)

    run = TrainingRun(_job(arguments))
    with closing(ProgressBars(visible=True)) as bars:
        try:
            result = run_to_the_end(run, show)
        except KeyboardInterrupt:
            reason = "no epoch was finished, so nothing was saved"
            raise KeyboardInterrupt(reason) from None
    _print_result(result)


def _job(arguments: argparse.Namespace) -> TrainingJob:
    from ..training.job import TrainingJob

    given = vars(arguments)
    settings = {name: given[name] for name in _SETTINGS if given[name] is not None}
    if arguments.network_option:
        settings["network_options"] = dict(arguments.network_option)
    return TrainingJob(
        data=arguments.data,
        output=arguments.output,
        preset=arguments.preset,
        settings=settings,
        device=arguments.device,
        resume=arguments.resume,
        overwrite=arguments.overwrite,
    )


def _print_start(start: TrainingStart) -> None:
    print(f"device      {start.device}")
    print(f"data        {start.n_train} images to train, {start.n_val} to validate")
    print(f"noise       {start.noise}")
    print(f"network     {start.network}, {start.n_parameters:,} parameters")


def _print_result(result: TrainingResult) -> None:
    record = result.checkpoint.record
    print(f"stopped     {result.stop_reason}")
    if record is not None:
        print(f"best epoch  {record.best_epoch}, validation {record.val_psnr:.2f} dB")
    for score in result.test_scores:
        name = "noisy" if score.method == "noisy" else "denoised"
        print(
            f"{'test':<12}{name} {score.psnr_mean:.2f} dB, SSIM {score.ssim_mean:.3f}, "
            f"mean of {score.n:,} test images"
        )
    files = result.files
    for name in ("checkpoint", "history", "curves", "gallery"):
        path = getattr(files, name)
        # An interrupt while they are drawn leaves out the curves and the gallery.
        if path.exists():
            print(f"{name:<12}{path}")


def _network_option(text: str) -> tuple[str, int | float | bool]:
    key, equals, value = text.partition("=")
    try:
        # Python's spelling of true and false, too.
        parsed = json.loads(value.lower())
    except json.JSONDecodeError:
        parsed = None
    if not equals or not isinstance(parsed, (int, float)):
        raise argparse.ArgumentTypeError(
            f"{text!r}: write KEY=VALUE with a number, true or false"
        )
    return key, parsed


def add_train(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``train``."""
    parser.set_defaults(command=_train)
    parser.add_argument(
        "--preset", help=f"preset to start from: {', '.join(PRESETS)} (default: conv)"
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder with cifar-10-batches-py; downloaded if missing (170 MB)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("best_denoising_model.pt"),
        help="checkpoint to write (best_denoising_model.pt)",
    )
    parser.add_argument(
        "--resume", action="store_true", help="resume the run saved at --output"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace the run saved at --output"
    )
    add_device(parser)
    settings = parser.add_argument_group(
        "settings", "Omitted settings are those of the preset."
    )
    for name, options in _SETTINGS.items():
        settings.add_argument(f"--{name.replace('_', '-')}", default=None, **options)
    settings.add_argument(
        "--network-option",
        type=_network_option,
        action="append",
        metavar="KEY=VALUE",
        help="option of the network, such as base_channels=16; may be repeated",
    )
