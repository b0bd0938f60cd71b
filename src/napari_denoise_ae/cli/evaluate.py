"""The subcommands ``evaluate`` and ``compare``."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInputError
from ..noise.setting import GAUSSIAN, NOISE_TYPES
from .arguments import add_device, add_model_and_device, allow_negative_numbers

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ..denoising.denoiser import Denoiser
    from ..evaluation.scoring import Score
    from ..evaluation.tasks import Task
    from ..models.devices import DeviceChoice


# --- evaluate, compare and info ---------------------------------------------


def _evaluate(arguments: argparse.Namespace) -> None:
    from ..evaluation.model_names import load_models
    from ..models.devices import choose_device

    _require_fitting_options(arguments)
    _require_outputs(arguments, [arguments.json])
    device = choose_device(arguments.device)
    n_colors = _count_colors(arguments)
    models = load_models([arguments.model], device, n_colors=n_colors)
    task = _task(arguments, models)
    _announce(task, models, device)
    scores = _print_scores(task, models)
    if arguments.json is not None:
        _write_json(scores, arguments.json)


def _compare(arguments: argparse.Namespace) -> None:
    from ..evaluation.comparison_figure import require_figure, save_comparison
    from ..evaluation.model_names import load_models
    from ..evaluation.tasks import COMPARED_IMAGES
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
    from ..noise.setting import NoiseSetting

    if getattr(arguments, "pair", None) is not None:
        noisy, reference = (read_image(path).pixels for path in arguments.pair)
        data_range = None
        if arguments.data_range is not None:
            data_range = _data_range(arguments.data_range, reference)
        setting = NoiseSetting(noise_type=arguments.noise_type or GAUSSIAN)
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


def _count_colors(arguments: argparse.Namespace) -> int:
    """Return how many colors the images to score on have."""
    from ..evaluation.pairs import read_clean_images
    from ..image.axes import count_colors
    from ..io.images import read_image

    if arguments.data is not None:
        return 3
    if arguments.pair is not None:
        return count_colors(read_image(arguments.pair[1]).pixels.shape, None)
    return count_colors(read_clean_images(arguments.images)[0].shape, None)


def _announce(task: Task, models: Mapping[str, Denoiser], device: DeviceChoice) -> None:
    from ..errors import DenoiseAEWarning
    from ..evaluation.model_warnings import find_misfits

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
    useless = (
        ["data_range", "noise_type"] if arguments.pair is None else ["noise", "limit"]
    )
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


def add_evaluate(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``evaluate``."""
    allow_negative_numbers(parser)
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
    add_model_and_device(parser)
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
        "--noise-type",
        choices=NOISE_TYPES,
        help="kind of the noise of --pair, for a model that takes its level (gaussian)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the scores")


def add_compare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``compare``."""
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
    add_device(parser)
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
