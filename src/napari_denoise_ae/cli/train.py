"""The subcommand ``train``."""

from __future__ import annotations

import argparse
import json
import math
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..models.config import AUGMENTATIONS, OPTIMIZERS, PRESETS, SCHEDULES
from ..training.losses import LOSSES
from .arguments import add_device, examples, noise_notation, require_names

if TYPE_CHECKING:
    from ..models.checkpoint import TrainingRecord
    from ..training.job import TrainingJob
    from ..training.results import RunStep, TrainingResult, TrainingStart

# Settings of a training run that are options of `train`; the defaults are added.
_SETTINGS: dict[str, dict[str, Any]] = {
    "noise": {"metavar": "NOISE", "help": "synthetic noise to train for"},
    "loss": {"choices": LOSSES, "help": "loss function to minimize"},
    "ssim_weight": {
        "type": float,
        "metavar": "WEIGHT",
        "help": "weight of 1 - SSIM in the loss mse_ssim, between 0 and 1",
    },
    "optimizer": {"choices": OPTIMIZERS, "help": "optimizer of the parameters"},
    "learning_rate": {
        "type": float,
        "metavar": "RATE",
        "help": "learning rate of the optimizer",
    },
    "schedule": {"choices": SCHEDULES, "help": "schedule of the learning rate"},
    "batch_size": {"type": int, "metavar": "N", "help": "images in a batch"},
    "epochs": {"type": int, "metavar": "N", "help": "maximum number of epochs"},
    "patience": {
        "type": int,
        "metavar": "N",
        "help": "epochs without improvement of the validation loss before training "
        "stops",
    },
    "min_delta": {
        "type": float,
        "metavar": "LOSS",
        "help": "smallest decrease of the validation loss that counts as an "
        "improvement",
    },
    "val_fraction": {
        "type": float,
        "metavar": "FRACTION",
        "help": "fraction of the training images used for validation, between 0 and 1",
    },
    "n_test": {
        "type": int,
        "metavar": "N",
        "help": "number of CIFAR-10's 10,000 test images in the test set; the others "
        "are used for training and validation",
    },
    "augmentation": {
        "choices": AUGMENTATIONS,
        "help": "random augmentation of training images",
    },
    "zoom": {
        "type": float,
        "metavar": "FACTOR",
        "help": "magnify every other batch by a random factor from 1 to this",
    },
    "seed": {
        "type": int,
        "metavar": "N",
        "help": "seed of the split, initial weights, order, and noise, 0 or more",
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


def _train(arguments: argparse.Namespace) -> None:
    require_names(device=arguments.device)
    job = _job(arguments)
    from ..training.api import ProgressBars, run_to_the_end
    from ..training.results import TrainingStart
    from ..training.run import TrainingRun

    def show(step: RunStep) -> None:
        if isinstance(step, TrainingStart):
            _print_start(step)
        bars.show(step)

    run = TrainingRun(job)
    with closing(ProgressBars(visible=True)) as bars:
        try:
            result = run_to_the_end(run, show)
        except KeyboardInterrupt:
            reason = "nothing was trained, so nothing was saved"
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
        download=arguments.download,
    )


def _print_start(start: TrainingStart) -> None:
    print(f"device      {start.device}")
    print(f"data        {start.n_train} images to train, {start.n_val} to validate")
    print(f"noise       {start.noise}")
    for note in start.notes:
        print(f"note        {note}")
    print(f"network     {start.network}, {start.n_parameters:,} parameters")


def _print_result(result: TrainingResult) -> None:
    record = result.checkpoint.record
    print(f"stopped     {result.stop_reason}")
    if record is not None:
        print(f"best epoch  {record.best_epoch}, {_validation(record)}")
    for score in result.test_scores:
        name = "noisy" if score.method == "noisy" else "denoised"
        print(
            f"{'test':<12}{name} {score.psnr_mean:.2f} dB, SSIM {score.ssim_mean:.3f}, "
            f"mean of {score.n:,} test images"
        )
    files = result.files
    for name in ("checkpoint", "history", "curves", "gallery"):
        path = getattr(files, name)
        # Ctrl-C while the curves or the gallery are drawn leaves them out.
        if path.exists():
            print(f"{name:<12}{path}")


def _validation(record: TrainingRecord) -> str:
    if math.isnan(record.val_psnr):
        return f"validation loss {record.val_loss:.5f}"
    return f"validation {record.val_psnr:.2f} dB"


def _network_option(text: str) -> tuple[str, int | float | bool]:
    """Parse KEY=VALUE."""
    key, equals, value = text.partition("=")
    try:
        # Lower case, because Python writes True and False.
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
    shown = examples(
        "--data data --download --preset conv --output quick.pt --epochs 2",
        "--data data --output quick.pt --epochs 4 --resume",
        "--data data --noise poisson:50 --loss l1",
    )
    parser.epilog = f"{_presets()}\n\n{noise_notation()}\n\n{shown}"
    _add_run(parser)
    add_device(parser)
    _add_settings(parser)


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--preset",
        metavar="NAME",
        help=f"preset to start from: {', '.join(PRESETS)} (default: conv, or with "
        "--resume that of the run)",
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder that contains CIFAR-10's cifar-10-batches-py",
    )
    parser.add_argument(
        "--download",
        action="store_true",
        help="download CIFAR-10 to --data if it is missing (170 MB); the folder must "
        "be new or empty (default: off)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("best_denoising_model.pt"),
        metavar="FILE",
        help="checkpoint to write (default: %(default)s)",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="resume the run saved at --output (default: off)",
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace the run saved at --output (default: off)",
    )


def _add_settings(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "settings", "Override the settings of the preset, which are the defaults."
    )
    for name, options in _SETTINGS.items():
        text = f"{options['help']} (default: {_defaults(name)})"
        group.add_argument(
            f"--{name.replace('_', '-')}", default=None, **options | {"help": text}
        )
    group.add_argument(
        "--network-option",
        type=_network_option,
        action="append",
        metavar="KEY=VALUE",
        help="option of the network, such as base_channels=16; repeat for several "
        "(default: those of the preset)",
    )


def _defaults(setting: str) -> str:
    """Return a setting's default, or the defaults and the presets that have them."""
    presets: dict[str, list[str]] = {}
    for name, config in PRESETS.items():
        presets.setdefault(_as_text(getattr(config, setting)), []).append(name)
    if len(presets) == 1:
        return next(iter(presets))
    return ", ".join(f"{text} ({', '.join(names)})" for text, names in presets.items())


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _presets() -> str:
    """Return the section of the help text that describes the presets."""
    width = max(map(len, PRESETS))
    lines = (
        f"  {name:<{width}}  network {config.network}, {config.noise}"
        for name, config in PRESETS.items()
    )
    return "\n".join(["presets:", *lines])
