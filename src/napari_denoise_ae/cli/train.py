"""The subcommand ``train``."""

from __future__ import annotations

import math
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from ..models.presets import PRESETS
from .arguments import add_device, examples, noise_notation, require_names
from .train_options import IMAGES, SETTINGS, add_images, add_settings

if TYPE_CHECKING:
    import argparse

    from ..models.record import TrainingRecord
    from ..training.estimate import RunEstimate
    from ..training.job import TrainingJob
    from ..training.results import RunStep, TrainingResult, TrainingStart


def _train(arguments: argparse.Namespace) -> None:
    require_names(device=arguments.device)
    job = _job(arguments)
    from ..training.api import run_to_the_end
    from ..training.progress_bars import ProgressBars
    from ..training.results import TrainingStart
    from ..training.run import TrainingRun

    def show(step: RunStep) -> None:
        if isinstance(step, TrainingStart):
            _print_start(step)
            _print_estimate(step, run.estimate())
        bars.show(step)

    run = TrainingRun(job)
    with closing(ProgressBars(visible=not arguments.quiet)) as bars:
        try:
            result = run_to_the_end(run, show, arguments.log_dir)
        except KeyboardInterrupt:
            reason = "nothing was trained, so nothing was saved"
            raise KeyboardInterrupt(reason) from None
    _print_result(result)


def _job(arguments: argparse.Namespace) -> TrainingJob:
    from ..training.run_config import make_job

    given = vars(arguments)
    settings = {name: given[name] for name in SETTINGS if given[name] is not None}
    if arguments.network_option:
        settings["network_options"] = dict(arguments.network_option)
    names = (*IMAGES, "axes", "channel", "start_from", "preset", "output")
    values = {name: given[name] for name in names} | {"settings": settings}
    values["device"] = None if arguments.device == "auto" else arguments.device
    flags = {name: given[name] for name in ("resume", "overwrite", "download")}
    return make_job(arguments.config, values, **flags)


def _print_start(start: TrainingStart) -> None:
    print(f"device      {start.device}")
    print(f"data        {start.images}")
    print(f"noise       {start.noise}")
    for note in start.notes:
        print(f"note        {note}")
    print(f"network     {start.network}, {start.n_parameters:,} parameters")


def _print_estimate(start: TrainingStart, estimate: RunEstimate | None) -> None:
    n_left = start.epochs - len(start.history)
    if estimate is None or n_left <= 0:
        return
    epochs = f"{n_left} epoch{'s' * (n_left != 1)}"
    batches = f"{start.n_batches:,} batch{'es' * (start.n_batches != 1)}"
    print(f"estimate    {estimate}, {epochs} of {batches}")


def _print_result(result: TrainingResult) -> None:
    record = result.checkpoint.record
    print(f"stopped     {result.stop_reason}")
    if result.judgment:
        print(f"compared    {result.judgment}")
    if record is not None:
        print(f"best epoch  {record.best_epoch}, {_validation(record)}")
    for score in result.test_scores:
        name = "noisy" if score.method == "noisy" else "denoised"
        print(
            f"{'test':<12}{name} {score.psnr_mean:.2f} dB, SSIM {score.ssim_mean:.3f}, "
            f"mean of {score.n:,} test images"
        )
    files = result.files
    names = ("checkpoint", "history", "curves", "gallery")
    paths = {name: getattr(files, name) for name in names}
    for name, path in (paths | {"settings": files.run_config}).items():
        # Ctrl-C while the curves or the gallery are drawn leaves them out.
        if path.exists():
            print(f"{name:<12}{path}")


def _validation(record: TrainingRecord) -> str:
    if math.isnan(record.val_psnr):
        return f"validation loss {record.val_loss:.5f}"
    return f"validation {record.val_psnr:.2f} dB"


def add_train(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``train``."""
    parser.set_defaults(command=_train)
    shown = examples(
        "--data data --download --preset conv --output quick.pt --epochs 2",
        "--output quick.pt --epochs 4 --resume",
        "--data data --noise poisson:50 --loss l1",
        "--images photos --start-from gray --output mine.pt",
        "--config quick.run.toml --output again.pt",
    )
    parser.epilog = f"{_presets()}\n\n{noise_notation()}\n\n{shown}"
    add_images(parser)
    _add_run(parser)
    add_device(parser)
    add_settings(parser)


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--preset",
        metavar="NAME",
        help=f"preset to start from: {', '.join(PRESETS)} (default: conv, or with "
        "--resume that of the run)",
    )
    parser.add_argument(
        "--start-from",
        metavar="FILE|NAME",
        help="checkpoint or built-in model whose weights training begins with "
        "(default: random weights, with --adapt the built-in model that suits the "
        "images)",
    )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="NAME.run.toml of a run to repeat; other options override it",
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
        metavar="FILE",
        help="checkpoint to write, .safetensors or .pt (default: "
        "best_denoising_model.pt for conv and residual, .safetensors for other "
        "presets; with --config NAME.pt or NAME.safetensors beside it)",
    )
    parser.add_argument(
        "--log-dir",
        type=Path,
        metavar="DIR",
        help="also log each epoch and the gallery for TensorBoard, in a subfolder of "
        "this folder (default: no log)",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="resume the run saved at --output, on the images of its settings "
        "(default: off)",
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace the run saved at --output (default: off)",
    )


def _presets() -> str:
    """Return the section of the help text that describes the presets."""
    width = max(map(len, PRESETS))
    lines = (
        f"  {name:<{width}}  network {config.network}, {config.noise}"
        for name, config in PRESETS.items()
    )
    return "\n".join(["presets:", *lines])
