"""The command `napari-denoise-ae`.

Commands import what they need when they run, so that ``--help`` and mistakes
in the arguments are answered at once.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import warnings
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from .._version import __version__
from ..errors import DenoiseAEError, InvalidInputError
from ..image.intensity import RANGE_OF
from ..models.builtin import DEFAULT_MODEL
from ..models.config import AUGMENTATIONS, OPTIMIZERS, PRESETS, SCHEDULES
from ..noise.normalization import GAUSSIAN, NOISES
from ..training.losses import LOSSES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from ..denoising.denoiser import Denoiser
    from ..evaluation.scoring import Score
    from ..evaluation.tasks import Task
    from ..files.whole import FileJob
    from ..models.devices import DeviceChoice
    from ..training.api import TrainingResult

_SOME_FAILED, _BAD_INPUT, _INTERRUPTED = 1, 2, 130  # exit statuses
# Settings of a training run that are options of `train`, with their help.
_SETTINGS: dict[str, dict[str, Any]] = {
    "noise": {"metavar": "NOISE", "help": "noise to train for, such as gaussian:0.5"},
    "loss": {"choices": LOSSES, "help": "what to minimise"},
    "ssim_weight": {"type": float, "help": "weight of 1 - SSIM in the loss mse_ssim"},
    "optimizer": {"choices": OPTIMIZERS, "help": "how to minimise it"},
    "learning_rate": {"type": float, "help": "step size of the optimizer"},
    "schedule": {"choices": SCHEDULES, "help": "how the step size changes"},
    "batch_size": {"type": int, "help": "images in a batch"},
    "epochs": {"type": int, "help": "most epochs to train"},
    "patience": {
        "type": int,
        "help": "epochs without a lower validation loss after which training stops",
    },
    "min_delta": {"type": float, "help": "how much lower it must be to count"},
    "val_fraction": {"type": float, "help": "share of images held back for validation"},
    "n_test": {
        "type": int,
        "help": "how many of CIFAR-10's test images are kept apart; the others train",
    },
    "augmentation": {
        "choices": AUGMENTATIONS,
        "help": "how training images are varied at random",
    },
    "zoom": {
        "type": float,
        "help": "magnify every other batch by up to this factor",
    },
    "seed": {"type": int, "help": "decides split, first weights, order and noise"},
    "mixed_precision": {
        "action": argparse.BooleanOptionalAction,
        "help": "compute in bfloat16 on CUDA",
    },
    "bfloat16_on_cpu": {
        "action": argparse.BooleanOptionalAction,
        "help": "and on a CPU that has instructions for it",
    },
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; None means those of the process.

    Returns
    -------
    int
        Exit status: 0, 2 for a mistake that the user can mend, 130 if
        interrupted.
    """
    arguments = _parser().parse_args(argv)
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            arguments.command(arguments)
            sys.stdout.flush()
        except DenoiseAEError as error:
            print(f"error: {error}", file=sys.stderr)
            return _BAD_INPUT
        except BrokenPipeError:
            # Whoever read the output, such as `head`, has gone.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except KeyboardInterrupt:
            print("interrupted: nothing was finished, nothing is kept", file=sys.stderr)
            return _INTERRUPTED
    return 0


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"warning: {message}", file=sys.stderr)


# --- train -----------------------------------------------------------------


def _train(arguments: argparse.Namespace) -> None:
    from ..training.api import prepare_run, run_to_the_end

    given = vars(arguments)
    settings = {name: given[name] for name in _SETTINGS if given[name] is not None}
    if arguments.network_option:
        settings["network_options"] = dict(arguments.network_option)
    run = prepare_run(
        arguments.data,
        preset=arguments.preset,
        output=arguments.output,
        device=arguments.device,
        resume=arguments.resume,
        overwrite=arguments.overwrite,
        progress=True,
        settings=settings,
    )
    trainer = run.trainer
    print(f"device      {trainer.device}")
    print(f"data        {trainer.n_train} images to train, {trainer.n_val} to validate")
    print(f"noise       {trainer.config.noise_model.description}")
    print(f"network     {trainer.config.network}, {trainer.n_parameters:,} parameters")
    _print_result(run_to_the_end(run, arguments.data, progress=True))


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
    print(f"checkpoint  {result.files.checkpoint}")
    print(f"history     {result.files.history}")
    print(f"curves      {result.files.curves}")
    if result.files.gallery.exists():
        print(f"gallery     {result.files.gallery}")


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


# --- denoise ---------------------------------------------------------------


def _denoise(arguments: argparse.Namespace) -> None:
    from ..files.batch import is_batch
    from ..files.stream_run import denoise_any_file
    from ..files.whole import FileJob
    from ..io.source import is_zarr
    from ..noise.normalization import NoiseSetting

    job = FileJob(
        input=arguments.input[0],
        output=arguments.output,
        model=arguments.model,
        add_noise=arguments.add_noise,
        seed=arguments.seed,
        reference=arguments.reference,
        figure=arguments.figure,
        axes=arguments.axes,
        intensity_range=_intensity_range(arguments.intensity_range),
        range_of=arguments.range_of,
        device=arguments.device,
        tile_size=arguments.tile_size,
        select=_selections(arguments.select),
        overwrite=arguments.overwrite,
        scheduler=arguments.scheduler,
        setting=NoiseSetting(
            sigma=arguments.sigma,
            noise=arguments.noise,
            strength=arguments.strength,
        ),
    )
    try:
        if is_batch(arguments.input):
            _denoise_batch(arguments.input, job)
        else:
            for line in denoise_any_file(job).lines():
                print(line)
    except KeyboardInterrupt:
        if not (is_zarr(job.output) or is_batch(arguments.input)):
            raise
        print(
            "interrupted: what is finished is kept, and the same command goes on",
            file=sys.stderr,
        )
        raise SystemExit(_INTERRUPTED) from None


def _selections(
    parts: Sequence[tuple[str, tuple[int, int]]],
) -> dict[str, tuple[int, int]]:
    """Return the parts by axis."""
    for axis, times in Counter(axis for axis, _ in parts).items():
        if times > 1:
            raise InvalidInputError(
                f"The axis {axis} is selected from twice. Give one --select for each "
                "axis."
            )
    return dict(parts)


def _denoise_batch(inputs: Sequence[Path], job: FileJob) -> None:
    """Denoise files into a folder, and end with what could not be denoised."""
    from ..files.batch import denoise_files, find_files

    steps = []
    for step in denoise_files(find_files(inputs, job.output), job.output, job):
        steps.append(step)
        for remark in step.remarks:
            _show_warning(f"{step.input}: {remark}")
        print(f"{step.outcome:<10} {step.input}", flush=True)
    counts = Counter(step.outcome for step in steps)
    print(", ".join(f"{counts[name]} {name}" for name in ("done", "skipped", "failed")))
    for step in steps:
        if step.outcome == "failed":
            print(f"failed: {step.input}: {step.reason}", file=sys.stderr)
    if counts["failed"]:
        raise SystemExit(_SOME_FAILED)


def _intensity_range(
    pairs: list[tuple[float, float]] | None,
) -> tuple[float, float] | list[tuple[float, float]] | None:
    """Return one pair for all channels, or one for each."""
    return pairs[0] if pairs is not None and len(pairs) == 1 else pairs


def _demo(arguments: argparse.Namespace) -> None:
    if arguments.viewer:
        from .._napari.viewer.show import require_viewer

        require_viewer()
    from ..evaluation.demo import run_demo

    result = run_demo(arguments.output, model=arguments.model, device=arguments.device)
    for line in result.lines():
        print(line)
    if arguments.viewer:
        from .._napari.viewer.show import show_images

        show_images(
            {"clean": result.clean, "noisy": result.noisy, "denoised": result.denoised}
        )


# --- evaluate, compare and info ---------------------------------------------


def _evaluate(arguments: argparse.Namespace) -> None:
    from ..evaluation.tasks import load_models
    from ..models.devices import choose_device

    _require_fitting_options(arguments)
    _require_outputs(arguments, [arguments.json])
    device = choose_device(arguments.device)
    n_colours = _count_colours(arguments)
    models = load_models([arguments.model], device, n_colours=n_colours)
    task = _task(arguments, models)
    _announce(task, models, device)
    scores = _print_scores(task, models)
    if arguments.json is not None:
        _write_json(scores, arguments.json)


def _compare(arguments: argparse.Namespace) -> None:
    from ..evaluation.comparison_figure import require_figure, save_comparison
    from ..evaluation.tasks import COMPARED_IMAGES, load_models
    from ..models.devices import choose_device

    require_figure(arguments.figure)
    _require_outputs(arguments, [arguments.figure, arguments.json])
    device = choose_device(arguments.device)
    models = load_models(arguments.models, device)
    task = _task(arguments, models, most=COMPARED_IMAGES)
    _announce(task, models, device)
    scores = _print_scores(task, models, baselines=arguments.baselines)
    if arguments.json is not None:
        _write_json(scores, arguments.json)
    save_comparison(task.pairs, models, scores, arguments.figure, task.setting)
    print(f"\nfigure  {arguments.figure}")


def _task(
    arguments: argparse.Namespace,
    models: dict[str, Denoiser],
    most: int | None = None,
) -> Task:
    """Take the noisy images that the arguments name."""
    from ..evaluation.tasks import cifar10_task, folder_task, pair_task
    from ..io.images import read_image
    from ..noise.normalization import NoiseSetting

    if getattr(arguments, "pair", None) is not None:
        noisy, reference = (read_image(path).pixels for path in arguments.pair)
        data_range = None
        if arguments.data_range is not None:
            data_range = _data_range(arguments.data_range, reference)
        setting = NoiseSetting(noise=arguments.assume or GAUSSIAN)
        return pair_task(noisy, reference, models, data_range, setting)
    settings = {
        "noise": arguments.noise,
        "limit": arguments.limit,
        "most": most,
        "seed": arguments.seed,
    }
    if arguments.images is not None:
        return folder_task(arguments.images, models, **settings)
    return cifar10_task(arguments.data, models, **settings)


def _count_colours(arguments: argparse.Namespace) -> int:
    """Return how many colours the images to score on have."""
    from ..evaluation.pairs import read_clean_images
    from ..image.axes import count_colours
    from ..io.images import read_image

    if arguments.data is not None:
        return 3
    if arguments.pair is not None:
        return count_colours(read_image(arguments.pair[1]).pixels.shape, None)
    return count_colours(read_clean_images(arguments.images)[0].shape, None)


def _announce(task: Task, models: Mapping[str, Denoiser], device: DeviceChoice) -> None:
    from ..errors import DenoiseAEWarning
    from ..evaluation.tasks import find_misfits

    print(f"device  {device}")
    print(f"images  {task.origin}")
    print(f"noise   {task.noise}", flush=True)
    for message in find_misfits(task, models):
        warnings.warn(message, DenoiseAEWarning, stacklevel=2)


def _require_outputs(
    arguments: argparse.Namespace, outputs: Sequence[Path | None]
) -> None:
    """Find out now whether outputs can be written, and would replace nothing."""
    from ..io.atomic import require_replaces_nothing, require_writable

    models = [arguments.model] if "model" in arguments else arguments.models
    read = [*models, *(getattr(arguments, "pair", None) or ())]
    if arguments.images is not None:
        read.append(arguments.images)
    for output in outputs:
        if output is not None:
            require_writable(output)
            require_replaces_nothing(output, read)
            read.append(output)


def _require_fitting_options(arguments: argparse.Namespace) -> None:
    """Refuse options that would have no effect."""
    useless = ["data_range", "assume"] if arguments.pair is None else ["noise", "limit"]
    for name in useless:
        if getattr(arguments, name) is not None:
            mode = "without" if arguments.pair is None else "with"
            option = f"--{name.replace('_', '-')}"
            raise InvalidInputError(f"{option} has no effect {mode} --pair. Omit it.")


def _data_range(text: str, reference: NDArray[Any]) -> tuple[float, float]:
    """Read LOW,HIGH, each an intensity, or a percentile of the reference: P99.9."""
    import numpy as np

    try:
        low, high = (
            float(np.nanpercentile(reference, float(part[1:])))
            if part.upper().startswith("P")
            else float(part)
            for part in text.strip().split(",")
        )
    except ValueError:
        raise InvalidInputError(
            f"Cannot read the data range {text!r}: write LOW,HIGH as intensities, such "
            "as 0,255, or as percentiles from 0 to 100, such as P0.1,P99.9."
        ) from None
    return low, high


def _print_scores(
    task: Task, models: Mapping[str, Denoiser], *, baselines: bool = True
) -> list[Score]:
    """Score, and print each line of the table as soon as it is known."""
    from ..evaluation.scoring import score_methods

    width = max(24, 2 + max(map(len, models)))
    print(
        f"{'method':<{width}}{'PSNR / dB':>16}{'SSIM':>18}{'parameters':>13}"
        f"{'ms / image':>12}"
    )
    scores = []
    for score in score_methods(
        task.pairs, models, task.noise, baselines=baselines, setting=task.setting
    ):
        psnr = f"{score.psnr_mean:.2f} ± {score.psnr_std:.2f}"
        ssim = f"{score.ssim_mean:.3f} ± {score.ssim_std:.3f}"
        size = "" if score.n_parameters is None else f"{score.n_parameters:,}"
        milliseconds = f"{1000 * score.seconds_per_image:.2f}"
        name = score.method
        if score.parameter is not None:
            name += f" ({score.parameter:g})"
        print(
            f"{name:<{width}}{psnr:>16}{ssim:>18}{size:>13}{milliseconds:>12}",
            flush=True,
        )
        scores.append(score)
    return scores


def _write_json(scores: Sequence[Score], path: Path) -> None:
    from ..io.atomic import atomic_write

    with atomic_write(path) as temporary:
        records = [score.as_record() for score in scores]
        temporary.write_text(json.dumps(records, indent=2) + "\n", encoding="utf-8")


def _info(arguments: argparse.Namespace) -> None:
    from ..models.checkpoint import load_checkpoint
    from ..models.describe import describe_checkpoint

    for line in describe_checkpoint(load_checkpoint(arguments.model)):
        print(line)


# --- the arguments ---------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="napari-denoise-ae",
        description="Train denoising autoencoders and denoise images with them.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_demo(commands.add_parser("demo", help="denoise an image that comes along"))
    _add_denoise(commands.add_parser("denoise", help="denoise image files"))
    _add_train(commands.add_parser("train", help="train on CIFAR-10"))
    _add_evaluate(
        commands.add_parser("evaluate", help="score a model and classical denoisers")
    )
    _add_compare(
        commands.add_parser("compare", help="score several models side by side")
    )
    _add_info(commands.add_parser("info", help="say what a checkpoint is"))
    return parser


def _add_demo(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_demo)
    _add_model_and_device(parser)
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="folder for demo.png (default: the current one)",
    )
    parser.add_argument(
        "--viewer", action="store_true", help="show the images in napari as well"
    )


def _add_denoise(parser: argparse.ArgumentParser) -> None:
    _allow_negative_numbers(parser)
    parser.set_defaults(command=_denoise)
    parser.add_argument(
        "input",
        type=Path,
        nargs="+",
        help="PNG, JPEG or TIFF file or OME-Zarr; several, or a folder of them",
    )
    parser.add_argument(
        "output", type=Path, help="file or OME-Zarr to write; a folder for several"
    )
    _add_model_and_device(parser)
    _add_noise_setting(parser)
    truth = parser.add_mutually_exclusive_group()
    truth.add_argument(
        "--add-noise",
        metavar="NOISE",
        help="the input is clean: add noise first, write it beside the output, and "
        "print PSNR and SSIM (gaussian:0.1 is clipped to the range, "
        "gaussian:0.1,unclipped is not)",
    )
    truth.add_argument(
        "--reference",
        type=Path,
        metavar="CLEAN",
        help="clean image to compare a noisy input with",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the noise")
    parser.add_argument(
        "--figure",
        type=Path,
        metavar="PNG",
        help="write noisy, denoised and clean side by side",
    )
    parser.add_argument(
        "--axes", help="what the axes are, such as YX, YXS or TCYX, if it is not plain"
    )
    parser.add_argument(
        "--intensity-range",
        type=_two_numbers,
        action="append",
        metavar="LOW,HIGH",
        help="intensities that the network sees as 0 and 1 (default: 0,255 for uint8, "
        "else the lowest and highest value of each channel); once for each channel",
    )
    parser.add_argument(
        "--range-of",
        choices=RANGE_OF,
        default="stack",
        help="what shares an intensity range that is not given (stack)",
    )
    parser.add_argument(
        "--select",
        type=_selection,
        action="append",
        default=[],
        metavar="AXIS=FIRST:END",
        help="part to denoise, such as T=0:10 or X=512:1024; C=1 is one of them; once "
        "for each axis",
    )
    parser.add_argument(
        "--tile-size",
        type=int,
        help="rows and columns computed at once (default: what fits into the memory)",
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace an OME-Zarr that is the result of another run, and in a folder "
        "of results whatever has the name of one",
    )
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="compute on the dask cluster whose scheduler is there; writes OME-Zarr",
    )


def _add_noise_setting(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "noise to remove", "For models that take it, such as the built-in gray and rgb."
    )
    group.add_argument(
        "--sigma",
        type=float,
        help="standard deviation in the image's units (default: estimated)",
    )
    group.add_argument(
        "--noise",
        choices=NOISES,
        default=GAUSSIAN,
        help="gaussian: the same everywhere; poisson-gaussian: photon counts and "
        "cameras, estimated (gaussian)",
    )
    group.add_argument(
        "--strength",
        type=float,
        default=1.0,
        help="how many times that noise to remove, 0 to 10 (1)",
    )


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_train)
    parser.add_argument(
        "--preset", help=f"what to start from: {', '.join(PRESETS)} (default: conv)"
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder with cifar-10-batches-py; fetched if it is not there (170 MB)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("best_denoising_model.pt"),
        help="checkpoint to write (best_denoising_model.pt)",
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with the run at --output"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace the run at --output"
    )
    _add_device(parser)
    settings = parser.add_argument_group("settings", "Left out, they are the preset's.")
    for name, options in _SETTINGS.items():
        settings.add_argument(f"--{name.replace('_', '-')}", default=None, **options)
    settings.add_argument(
        "--network-option",
        type=_network_option,
        action="append",
        metavar="KEY=VALUE",
        help="option of the network, such as base_channels=16; may be repeated",
    )


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    _allow_negative_numbers(parser)
    parser.set_defaults(command=_evaluate)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--data", type=Path, metavar="DIR", help="folder with cifar-10-batches-py"
    )
    source.add_argument(
        "--images", type=Path, metavar="DIR", help="folder of clean images"
    )
    source.add_argument(
        "--pair",
        type=Path,
        nargs=2,
        metavar=("NOISY", "REFERENCE"),
        help="a noisy image, or a stack of repeats, and its reference",
    )
    _add_model_and_device(parser)
    _add_noise_and_limit(
        parser,
        noise="that which the model was trained for",
        limit="all that the model was not trained on",
    )
    parser.add_argument(
        "--data-range",
        metavar="LOW,HIGH",
        help="data range of --pair: intensities, or percentiles of the reference such "
        "as P0.1,P99.9 (default: that of the reference)",
    )
    parser.add_argument(
        "--assume",
        choices=NOISES,
        help="kind of the noise of --pair, for a model that takes its level (gaussian)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the scores")


def _add_compare(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_compare)
    parser.add_argument(
        "models",
        nargs="+",
        metavar="FILE|NAME",
        help="checkpoint files or names of built-in models",
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--data", type=Path, metavar="DIR", help="folder with cifar-10-batches-py"
    )
    source.add_argument(
        "--images", type=Path, metavar="DIR", help="folder of clean images"
    )
    _add_noise_and_limit(
        parser,
        noise="that which the models were trained for, if they agree",
        limit="1000, or all that no model was trained on if they are fewer",
    )
    _add_device(parser)
    parser.add_argument(
        "--no-baselines",
        dest="baselines",
        action="store_false",
        help="leave the classical denoisers out",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the scores")
    parser.add_argument(
        "--figure",
        type=Path,
        default=Path("comparison.png"),
        metavar="PNG",
        help="a few images as each model denoises them (comparison.png)",
    )


def _add_noise_and_limit(
    parser: argparse.ArgumentParser, *, noise: str, limit: str
) -> None:
    parser.add_argument(
        "--noise", help=f"noise to add to clean images (default: {noise})"
    )
    parser.add_argument(
        "--limit",
        type=int,
        metavar="N",
        help=f"take only the first N images (default: {limit})",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the noise")


def _allow_negative_numbers(parser: argparse.ArgumentParser) -> None:
    # argparse takes -5,5 for an option otherwise; there is no public way.
    parser._negative_number_matcher = re.compile(r"^-\d")  # noqa: SLF001


def _add_info(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_info)
    parser.add_argument("model", help="checkpoint file or name of a built-in model")


def _add_model_and_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        default=DEFAULT_MODEL,
        metavar="FILE|NAME",
        help="checkpoint file or name of a built-in model; auto is gray or rgb, by the "
        f"image's colours ({DEFAULT_MODEL})",
    )
    _add_device(parser)


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device", default="auto", help="auto, cpu, cuda, cuda:N or mps (auto)"
    )


def _two_numbers(text: str) -> tuple[float, float]:
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r}: write two numbers, LOW,HIGH"
        ) from None
    return low, high


def _selection(text: str) -> tuple[str, tuple[int, int]]:
    """Read AXIS=FIRST:END or AXIS=INDEX."""
    axis, _, part = text.partition("=")
    first, colon, end = part.partition(":")
    try:
        start = int(first)
        stop = int(end) if colon else start + 1
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r}: write AXIS=FIRST:END, such as T=0:10, or AXIS=INDEX"
        ) from None
    return axis.upper(), (start, stop)
