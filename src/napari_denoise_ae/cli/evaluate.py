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
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ..evaluation.run import Evaluation
    from ..evaluation.score import Score
    from ..evaluation.tasks import ImagePair, ImageSource


# --- evaluate and compare ---------------------------------------------------


def _evaluate(arguments: argparse.Namespace) -> None:
    from ..evaluation.run import Evaluation

    _require_fitting_options(arguments)
    _require_outputs(arguments, [arguments.json])
    evaluation = Evaluation(
        [arguments.model], _image_source(arguments), device=arguments.device
    )
    _report(evaluation, arguments.json)


def _compare(arguments: argparse.Namespace) -> None:
    from ..evaluation.comparison_figure import require_figure
    from ..evaluation.run import Evaluation
    from ..evaluation.tasks import COMPARED_IMAGES

    require_figure(arguments.figure)
    _require_outputs(arguments, [arguments.figure, arguments.json])
    evaluation = Evaluation(
        arguments.models,
        _image_source(arguments, most=COMPARED_IMAGES),
        device=arguments.device,
        baselines=arguments.baselines,
    )
    _report(evaluation, arguments.json)
    evaluation.save_figure(arguments.figure)
    print(f"\nfigure  {arguments.figure}")


def _image_source(
    arguments: argparse.Namespace, most: int | None = None
) -> ImageSource:
    """Return the images that the arguments name."""
    from ..evaluation.tasks import Cifar10Images, FolderImages

    if getattr(arguments, "pair", None) is not None:
        return _image_pair(arguments)
    settings = {
        "noise": arguments.noise,
        "limit": arguments.limit,
        "most": most,
        "seed": arguments.seed,
    }
    if arguments.images is not None:
        return FolderImages(folder=arguments.images, **settings)
    return Cifar10Images(folder=arguments.data, **settings)


def _image_pair(arguments: argparse.Namespace) -> ImagePair:
    from ..evaluation.tasks import ImagePair
    from ..io.images import read_image
    from ..noise.setting import NoiseSetting

    noisy, reference = (read_image(path).pixels for path in arguments.pair)
    data_range = None
    if arguments.data_range is not None:
        data_range = _data_range(arguments.data_range, reference)
    setting = NoiseSetting(noise_type=arguments.noise_type or GAUSSIAN)
    return ImagePair(noisy, reference, data_range, setting)


def _report(evaluation: Evaluation, json_file: Path | None) -> None:
    """Score, print each line of the table as soon as it is known, write the scores."""
    from ..errors import DenoiseAEWarning

    print(f"device  {evaluation.device}")
    print(f"images  {evaluation.task.origin}")
    print(f"noise   {evaluation.task.noise}", flush=True)
    for message in evaluation.misfits():
        warnings.warn(message, DenoiseAEWarning, stacklevel=2)
    width = max(24, 2 + max(map(len, evaluation.models)))
    print(
        f"{'method':<{width}}{'PSNR / dB':>16}{'SSIM':>18}{'parameters':>13}"
        f"{'ms / image':>12}"
    )
    for score in evaluation:
        print(_table_row(score, width), flush=True)
    if json_file is not None:
        _write_json(evaluation.scores, json_file)


def _table_row(score: Score, width: int) -> str:
    psnr = f"{score.psnr_mean:.2f} ± {score.psnr_std:.2f}"
    ssim = f"{score.ssim_mean:.3f} ± {score.ssim_std:.3f}"
    size = "" if score.n_parameters is None else f"{score.n_parameters:,}"
    milliseconds = f"{1000 * score.seconds_per_image:.2f}"
    name = score.method
    if score.parameter is not None:
        name += f" ({score.parameter:g})"
    return f"{name:<{width}}{psnr:>16}{ssim:>18}{size:>13}{milliseconds:>12}"


def _require_outputs(
    arguments: argparse.Namespace, outputs: Sequence[Path | None]
) -> None:
    """Raise now unless the outputs can be written without replacing an input."""
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
    """Raise if an option would have no effect."""
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
        noise="the noise that the model was trained for",
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
        help="kind of noise in --pair, for models that take a noise level (gaussian)",
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write the scores to FILE"
    )


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
        noise="the noise that all models were trained for",
        limit="1000, or all that no model was trained on if there are fewer",
    )
    add_device(parser)
    parser.add_argument(
        "--no-baselines",
        dest="baselines",
        action="store_false",
        help="do not score classical denoisers",
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write the scores to FILE"
    )
    parser.add_argument(
        "--figure",
        type=Path,
        default=Path("comparison.png"),
        metavar="PNG",
        help="figure of a few images, as each model denoises them (comparison.png)",
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
