"""The arguments of the subcommand ``denoise``."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..denoising.options import AS_INPUT, DTYPES, FAST, MOST_FRAMES, PRECISIONS
from ..image.ranges import RANGE_OF
from ..io.compression import AUTO as AS_SOURCE
from ..io.compression import COMPRESSIONS
from ..noise.setting import AUTO, NOISE_TYPES
from .arguments import (
    add_model_and_device,
    allow_negative_numbers,
    examples,
    model_names,
    noise_notation,
    two_numbers,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``denoise``."""
    allow_negative_numbers(parser)
    shown = examples(
        "noisy.tif denoised.tif",
        "counts.tif denoised.tif --noise-type poisson-gaussian",
        "clean.png denoised.png --add-noise gaussian:0.1 --figure figure.png",
    )
    parser.epilog = f"{model_names()}\n\n{noise_notation()}\n\n{shown}"
    parser.add_argument(
        "input",
        type=Path,
        nargs="+",
        help="PNG, JPEG, WebP, TIFF, OME-Zarr, NumPy, HDF5 or microscope's image; or "
        "several, or a folder of them",
    )
    parser.add_argument(
        "output",
        type=Path,
        help="image file or OME-Zarr to write, or an existing folder; always a folder "
        "if there are several inputs",
    )
    add_model_and_device(parser)
    _add_noise_setting(parser)
    _add_image(parser)
    _add_comparison(parser)
    _add_trust(parser)
    _add_run(parser)
    _add_json(parser)


def _add_noise_setting(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "noise to remove",
        "For models that take a noise level, such as the built-in gray and rgb.",
    )
    group.add_argument(
        "--sigma",
        type=float,
        help="standard deviation of the noise, in the image's units (default: "
        "measured)",
    )
    group.add_argument(
        "--correlation",
        type=two_numbers,
        metavar="X,Y",
        help="correlation of the noise of neighboring pixels along X and Y, 0 to 0.95 "
        "(default: measured; 0,0 if --sigma is given)",
    )
    group.add_argument(
        "--replace-hot-pixels",
        action="store_true",
        help="replace hot and dead pixels (default: keep them unchanged)",
    )
    group.add_argument(
        "--noise-type",
        choices=NOISE_TYPES,
        default=AUTO,
        help="auto, measured; gaussian, the same everywhere; or poisson-gaussian, "
        "which grows with the intensity (default: %(default)s)",
    )
    group.add_argument(
        "--strength",
        type=float,
        default=1.0,
        metavar="FACTOR",
        help="noise level multiplier, 0 to 10 (default: 1)",
    )


def _add_image(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("image")
    group.add_argument(
        "--axes",
        help="axes of the image, one letter each, such as YX, YXS, or TCYX (default: "
        "from the file)",
    )
    group.add_argument(
        "--series",
        type=int,
        metavar="N",
        help="image of a file that holds several, from 0 (default: pages of one shape "
        "in a TIFF together, else the largest image)",
    )
    group.add_argument(
        "--select",
        type=_selection,
        action="append",
        default=[],
        metavar="AXIS=FIRST:END",
        help="indices to denoise, END excluded, such as T=0:10 or X=512:1024, or a "
        "single index, such as C=1; repeat for several axes (default: the whole image)",
    )
    group.add_argument(
        "--intensity-range",
        type=two_numbers,
        action="append",
        metavar="LOW,HIGH",
        help="for models that take no noise level: intensities, in the image's units, "
        "that the network sees as 0 and 1; repeat to give one for each channel "
        "(default: 0,255 for uint8, otherwise the lowest and highest value of each "
        "channel)",
    )
    group.add_argument(
        "--range-of",
        choices=RANGE_OF,
        default="stack",
        help="stack: the planes of a channel share one intensity range or noise level; "
        "image: each image has its own (default: %(default)s)",
    )
    group.add_argument(
        "--frames",
        type=int,
        default=0,
        metavar="N",
        help="neighboring frames on each side to average with, where nothing moves, "
        f"along T, or Z without T; 0 to {MOST_FRAMES}, for models that take a noise "
        "level (default: 0)",
    )
    group.add_argument(
        "--dtype",
        choices=DTYPES,
        default=AS_INPUT,
        help="dtype of the result: input keeps that of the image, and rounds integers; "
        "float32 does not round, and needs TIFF or OME-Zarr (default: %(default)s)",
    )
    group.add_argument(
        "--compression",
        choices=COMPRESSIONS,
        default=AS_SOURCE,
        help="compression of a TIFF or OME-Zarr; auto: the lossless compression of the "
        "image, another lossless one if the image was compressed otherwise; jpeg is "
        "lossy (default: %(default)s)",
    )


def _add_comparison(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("comparison", "For images that fit into memory.")
    truth = group.add_mutually_exclusive_group()
    truth.add_argument(
        "--add-noise",
        metavar="NOISE",
        help="treat the input as clean: add this synthetic noise first, write the "
        "noisy image beside the output, and print PSNR and SSIM (default: none)",
    )
    truth.add_argument(
        "--reference",
        type=Path,
        metavar="CLEAN",
        help="clean image to compare the noisy input with; prints PSNR and SSIM "
        "(default: none)",
    )
    group.add_argument(
        "--seed",
        type=int,
        default=0,
        help="seed of the synthetic noise, 0 or more (default: %(default)s)",
    )
    group.add_argument(
        "--figure",
        type=Path,
        metavar="PNG",
        help="write the noisy, denoised, and clean images side by side (default: no "
        "figure)",
    )


def _add_trust(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("trust")
    group.add_argument(
        "--report",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="assess the result without a clean image, and write the findings: one "
        "page with pictures (.html) or values (.json); may be given twice (default: "
        "no report)",
    )


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="also write a record of the run to a JSON file: files, options, noise, "
        "warnings, and trust reports; - prints it in place of the report (default: no "
        "record)",
    )


def _add_run(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("run")
    group.add_argument(
        "--precision",
        choices=PRECISIONS,
        default=FAST,
        help="fast: bfloat16 or TF32 where the device is faster with them and the "
        "noise hides their rounding; float32: neither (default: %(default)s)",
    )
    group.add_argument(
        "--tile-size",
        type=int,
        metavar="PIXELS",
        help="rows and columns denoised at once; affects memory, not the result "
        "(default: chosen from the free memory)",
    )
    group.add_argument(
        "--overwrite",
        action="store_true",
        help="replace files that exist, and an OME-Zarr that is a result of other "
        "settings (default: off; results that an earlier run with several inputs wrote "
        "are always replaced)",
    )
    group.add_argument(
        "--recursive",
        action="store_true",
        help="also denoise the images in subfolders of the input, into the same "
        "subfolders of the output (default: off)",
    )
    group.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="address of the scheduler of a dask cluster to compute on; the output "
        "must be an OME-Zarr (default: compute on this machine)",
    )


def _selection(text: str) -> tuple[str, tuple[int, int]]:
    """Parse AXIS=FIRST:END or AXIS=INDEX."""
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
