"""The subcommands ``evaluate`` and ``compare``."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInputError
from ..noise.setting import AUTO, NOISE_TYPES
from .arguments import (
    add_device,
    add_model_and_device,
    allow_negative_numbers,
    examples,
    model_names,
    noise_notation,
    require_names,
)
from .score_table import as_json, report_checks, report_scores
from .streams import is_standard_output, silent_output

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from ..evaluation.run import Evaluation
    from ..evaluation.tasks import ImagePair, ImageSource


def _evaluate(arguments: argparse.Namespace) -> None:
    require_names(
        models=[arguments.model], noise=arguments.noise, device=arguments.device
    )
    _require_fitting_options(arguments)
    _require_outputs(arguments, [arguments.json])
    from ..evaluation.run import Evaluation

    evaluation = Evaluation(
        [arguments.model], _image_source(arguments), device=arguments.device
    )
    with _writing_scores(arguments, evaluation):
        report_scores(evaluation)
    if arguments.images is not None and not is_standard_output(arguments.json):
        report_checks(evaluation)


def _compare(arguments: argparse.Namespace) -> None:
    require_names(
        models=arguments.models, noise=arguments.noise, device=arguments.device
    )
    from ..evaluation.comparison_figure import require_figure
    from ..evaluation.run import Evaluation
    from ..evaluation.tasks import COMPARED_IMAGES

    require_figure(arguments.figure)
    _require_outputs(arguments, [arguments.figure, arguments.json])
    evaluation = Evaluation(
        arguments.models,
        _image_source(arguments, max_images=COMPARED_IMAGES),
        device=arguments.device,
        baselines=arguments.baselines,
    )
    with _writing_scores(arguments, evaluation):
        report_scores(evaluation)
    evaluation.save_figure(arguments.figure)
    if not is_standard_output(arguments.json):
        print(f"\nfigure  {arguments.figure}")


@contextmanager
def _writing_scores(
    arguments: argparse.Namespace, evaluation: Evaluation
) -> Iterator[None]:
    """Write the scores as JSON after the body, or print them in place of the report."""
    from ..io.atomic import atomic_write

    path: Path | None = arguments.json
    is_printed = is_standard_output(path)
    with silent_output() if is_printed else nullcontext():
        yield
    if is_printed:
        print(as_json(evaluation.scores), end="")
    elif path is not None:
        with atomic_write(path) as temporary:
            temporary.write_text(as_json(evaluation.scores), encoding="utf-8")


def _image_source(
    arguments: argparse.Namespace, max_images: int | None = None
) -> ImageSource:
    """Return the images that the arguments ask for."""
    from ..evaluation.tasks import Cifar10Images, FolderImages

    if getattr(arguments, "pair", None) is not None:
        return _image_pair(arguments)
    settings = {
        "noise": arguments.noise,
        "limit": arguments.limit,
        "max_images": max_images,
        "seed": arguments.seed,
        "measured": arguments.measured,
    }
    if arguments.images is not None:
        return FolderImages(folder=arguments.images, **settings)
    return Cifar10Images(folder=arguments.data, **settings)


def _image_pair(arguments: argparse.Namespace) -> ImagePair:
    from ..evaluation.tasks import ImagePair
    from ..io.images import read_image
    from ..noise.setting import NoiseSetting

    files = [read_image(path) for path in arguments.pair]
    noisy, reference = (file.pixels for file in files)
    notes = tuple(
        f"{path}: {note}"
        for path, file in zip(arguments.pair, files, strict=True)
        for note in file.notes
    )
    data_range = None
    if arguments.data_range is not None:
        data_range = _data_range(arguments.data_range, reference)
    setting = NoiseSetting(noise_type=arguments.noise_type or AUTO)
    return ImagePair(noisy, reference, data_range, setting, notes)


def _require_outputs(
    arguments: argparse.Namespace, outputs: Sequence[Path | None]
) -> None:
    """Raise unless the outputs can be written without replacing an input."""
    from ..io.atomic import require_replaces_nothing, require_writable

    models = [arguments.model] if "model" in arguments else arguments.models
    read = [*models, *(getattr(arguments, "pair", None) or ())]
    if arguments.images is not None:
        read.append(arguments.images)
    for output in outputs:
        if output is not None and not is_standard_output(output):
            require_writable(output)
            require_replaces_nothing(output, read)
            read.append(output)


def _require_fitting_options(arguments: argparse.Namespace) -> None:
    """Raise if an option would have no effect."""
    of_pairs, of_clean = ["data_range", "noise_type"], ["noise", "limit", "measured"]
    for name in of_pairs if arguments.pair is None else of_clean:
        value = getattr(arguments, name)
        if value is not None and value is not False:
            mode = "without" if arguments.pair is None else "with"
            option = f"--{name.replace('_', '-')}"
            raise InvalidInputError(f"{option} has no effect {mode} --pair. Omit it.")


def _data_range(text: str, reference: NDArray[Any]) -> tuple[float, float]:
    """Parse LOW,HIGH: intensities, or percentiles of the reference such as P99.9."""
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


def add_evaluate(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``evaluate``."""
    allow_negative_numbers(parser)
    parser.set_defaults(command=_evaluate)
    shown = examples(
        "--data data --limit 1000 --model conv",
        "--images photos --noise gaussian:0.1",
        "--pair noisy.tif reference.tif --noise-type poisson-gaussian",
    )
    parser.epilog = f"{model_names()}\n\n{noise_notation()}\n\n{shown}"
    _add_images(parser).add_argument(
        "--pair",
        type=Path,
        nargs=2,
        metavar=("NOISY", "REFERENCE"),
        help="a noisy image, or a stack of repeats, and its clean reference",
    )
    add_model_and_device(parser)
    _add_noise_and_limit(
        parser,
        noise="the noise that the model was trained for",
        limit="all images that the model was not trained on",
    )
    parser.add_argument(
        "--data-range",
        metavar="LOW,HIGH",
        help="with --pair: data range of PSNR and SSIM, as intensities or as "
        "percentiles of the reference, such as P0.1,P99.9 (default: 0,255 for uint8, "
        "otherwise the lowest and highest value of the reference)",
    )
    parser.add_argument(
        "--noise-type",
        choices=NOISE_TYPES,
        help="with --pair: kind of noise to remove, for models that take a noise "
        f"level (default: {AUTO})",
    )
    _add_json(parser)


def add_compare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``compare``."""
    parser.set_defaults(command=_compare)
    shown = examples(
        "residual residual-no-skips --data data",
        "a.pt b.pt --images photos --noise gaussian:0.1 --no-baselines",
    )
    parser.epilog = f"{model_names()}\n\n{noise_notation()}\n\n{shown}"
    parser.add_argument(
        "models",
        nargs="+",
        metavar="FILE|NAME",
        help="checkpoint files or names of built-in models",
    )
    _add_images(parser)
    _add_noise_and_limit(
        parser,
        noise="the noise that the models were trained for, if it is the same for all",
        limit="1000, or all images that no model was trained on if they are fewer",
    )
    add_device(parser)
    parser.add_argument(
        "--no-baselines",
        dest="baselines",
        action="store_false",
        help="do not score classical denoisers (default: score them)",
    )
    _add_json(parser)
    parser.add_argument(
        "--figure",
        type=Path,
        default=Path("comparison.png"),
        metavar="PNG",
        help="figure to write: a few images, denoised by each model (default: "
        "%(default)s)",
    )


def _add_images(
    parser: argparse.ArgumentParser,
) -> argparse._MutuallyExclusiveGroup:
    """Add ``--data`` and ``--images``, one of which must be given."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder that contains CIFAR-10's cifar-10-batches-py",
    )
    source.add_argument(
        "--images", type=Path, metavar="DIR", help="folder of clean images"
    )
    return source


def _add_noise_and_limit(
    parser: argparse.ArgumentParser, *, noise: str, limit: str
) -> None:
    parser.add_argument(
        "--noise", help=f"synthetic noise to add to clean images (default: {noise})"
    )
    parser.add_argument(
        "--limit",
        type=int,
        metavar="N",
        help=f"use only the first N images (default: {limit})",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        help="seed of the synthetic noise, 0 or more (default: %(default)s)",
    )
    parser.add_argument(
        "--measured",
        action="store_true",
        help="let models that take a noise level measure it in each image, as denoise "
        "does (default: give them the level of the synthetic noise, where it is known)",
    )


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="also write the scores to a JSON file; - prints them in place of the "
        "report (default: no file)",
    )
