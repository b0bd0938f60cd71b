"""Draw the figures of the documentation and print the numbers that it quotes.

    python docs/make_figures.py              draw the figures that need no data
    python docs/make_figures.py --data DIR   draw those of CIFAR-10 as well

DIR is the folder that contains cifar-10-batches-py.
"""

from __future__ import annotations

import argparse
import csv
import math
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Polygon
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.data import astronaut, brick, camera, grass, page
from torch import nn

from napari_denoise_ae import add_noise, compare_models, denoise, psnr, ssim
from napari_denoise_ae.errors import DenoiseAEWarning
from napari_denoise_ae.evaluation.baselines import BASELINES
from napari_denoise_ae.evaluation.demo import run_demo
from napari_denoise_ae.evaluation.figures import save_panels
from napari_denoise_ae.image.intensity import IntensityRange
from napari_denoise_ae.io.cifar10 import load_cifar10
from napari_denoise_ae.models.builtin import DEFAULT_MODEL
from napari_denoise_ae.models.networks.registry import build_network
from napari_denoise_ae.noise.sigma import estimate_sigma_of_windows
from napari_denoise_ae.noise.spec import parse_noise
from napari_denoise_ae.training.augmentation import make_dead_leaves
from napari_denoise_ae.training.curves import save_loss_curves
from napari_denoise_ae.training.results import EpochResult

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

DOCS = Path(__file__).parent
BYTES = IntensityRange(0.0, 255.0)
NOISE = "gaussian:0.5"
SIGMAS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7)
CLEAN_VALUES = (0.1, 0.5, 0.9)
# Crop of the astronaut that shows the face.
FACE = (slice(40, 200), slice(130, 290))
# Gray photographs, and the rows and columns of a crop of each: fine textures, letters
# and a face.
CROPS = {
    "brick": (brick, slice(160, 288), slice(160, 288)),
    "grass": (grass, slice(160, 288), slice(160, 288)),
    "page": (page, slice(30, 158), slice(20, 148)),
    "camera": (camera, slice(60, 188), slice(180, 308)),
}
CROP_SIGMA = 25.0  # of 255
# Changes during the training of the built-in models, by the first epoch with each.
CHANGES = {
    "gray": {
        15: "stripes",
        45: "third block, dead leaves",
        63: "blocks at half size",
        158: "loss psnr",
    },
    "rgb": {
        15: "stripes",
        45: "third block, dead leaves",
        65: "blocks at half size",
        112: "loss psnr",
    },
}
# Number of dead leaves images in their figure.
N_DEAD_LEAVES = 8
# Width in pixels to which the figure of the demo is reduced, from 1350.
DEMO_WIDTH = 1000
# Colors that color-blind people can distinguish.
BLUE, RED, GRAY = "#4477aa", "#cc6677", "#bbbbbb"


def main() -> None:
    """Draw all figures that the data allows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="folder that contains CIFAR-10"
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=DOCS / "images",
        help="folder to write to (default: docs/images)",
    )
    arguments = parser.parse_args()
    folder: Path = arguments.output
    folder.mkdir(parents=True, exist_ok=True)
    save_loss_curves(read_history(DOCS / "conv.history.csv"), folder / "curves.png")
    draw_demo(folder / "demo.png", DEFAULT_MODEL)
    draw_demo(folder / "conv-demo.png", "conv")
    draw_shapes(folder / "shapes.png")
    draw_clipping(folder / "clipping.png")
    draw_noise_levels(folder / "noise-levels.png")
    draw_light_noise(folder / "light-noise.png")
    draw_residual(folder / "residual.png")
    draw_ablation(folder / "skip-curves.png")
    print_unet_costs()
    draw_unet(folder / "unet.png")
    draw_built_in_curves(folder / "built-in-curves.png")
    draw_crops(folder / "built-in-crops.png")
    print_weaknesses()
    if arguments.data is not None:
        draw_from_cifar10(arguments.data, folder)
    for path in sorted(folder.glob("*.png")):
        shrink(path)
        print(f"{path.name:<18}{path.stat().st_size / 1000:>6.0f} kB")


def draw_from_cifar10(data: Path, folder: Path) -> None:
    """Draw the figures that need CIFAR-10."""
    draw_cifar10(data, folder / "cifar10.png")
    draw_dead_leaves(data, folder / "dead-leaves.png")
    compare_models(
        ["residual", "residual-no-skips"],
        data,
        baselines=False,
        figure=folder / "skip-pictures.png",
    )


def read_history(path: Path) -> list[EpochResult]:
    """Read a history file written by `train`."""
    with path.open(newline="") as file:
        return [
            EpochResult(
                epoch=int(row["epoch"]),
                train_loss=float(row["train_loss"]),
                val_loss=float(row["val_loss"]),
                val_psnr=float(row["val_psnr"]),
                is_best=row["is_best"] == "True",
                seconds=float(row["seconds"]),
            )
            for row in csv.DictReader(file)
        ]


# --- photographs -----------------------------------------------------------


def draw_demo(path: Path, model: str) -> None:
    """Draw the figure of `napari-denoise-ae demo --model MODEL`."""
    with TemporaryDirectory() as folder:
        result = run_demo(Path(folder), model=model, device="cpu")
        with Image.open(result.figure) as picture:
            height = round(picture.height * DEMO_WIDTH / picture.width)
            picture.resize((DEMO_WIDTH, height), Image.Resampling.LANCZOS).save(path)


def draw_cifar10(data: Path, path: Path) -> None:
    """Draw the first six test images, two per row."""
    images = load_cifar10(data, train=False).images[:6]
    panels = []
    for index, clean in enumerate(images):
        noisy = add_noise(clean, NOISE, rng=index)
        panels.append([noisy, denoise(noisy, model="conv", device="cpu"), clean])
    rows = [[*panels[i], *panels[i + 1]] for i in range(0, len(panels), 2)]
    titles = ["noisy", "denoised", "clean"] * 2
    save_panels(rows, titles, path, intensity_range=BYTES)


def draw_dead_leaves(data: Path, path: Path) -> None:
    """Draw dead leaves images, on which the built-in models were trained as well."""
    images = load_cifar10(data, train=True).images[: 4 * N_DEAD_LEAVES]
    batch = torch.from_numpy(images).permute(0, 3, 1, 2) / 255.0
    dead_leaves = make_dead_leaves(batch, torch.Generator().manual_seed(0))
    panels = list(255.0 * dead_leaves.permute(0, 2, 3, 1).numpy())
    titles = [""] * N_DEAD_LEAVES
    save_panels([panels], titles, path, intensity_range=BYTES, panel_width=1.2)


def draw_light_noise(path: Path) -> None:
    """Draw how `conv` blurs a photograph with little noise."""
    clean = astronaut()
    noisy = add_noise(clean, "gaussian:0.05")
    denoised = denoise_with_conv(noisy)
    titles = [
        f"noisy, {psnr(clean, noisy, data_range=255):.2f} dB",
        f"denoised, {psnr(clean, denoised, data_range=255):.2f} dB",
        "clean",
    ]
    crops = [image[FACE] for image in (noisy, denoised, clean)]
    save_panels([crops], titles, path, intensity_range=BYTES)


def draw_noise_levels(path: Path) -> None:
    """Plot and print the PSNR of a photograph over the noise level."""
    clean = astronaut()
    psnrs = []
    print("astronaut, 512 x 512 RGB, Gaussian noise, clipped, seed 0")
    print(f"{'':>5}{'noisy':>18}{'denoised':>18}")
    print(f"{'sigma':>5}{'PSNR / dB':>12}{'SSIM':>6}{'PSNR / dB':>12}{'SSIM':>6}")
    for sigma in (0.0, *SIGMAS):
        noisy = add_noise(clean, f"gaussian:{sigma}") if sigma else clean
        scores = [score(clean, image) for image in (noisy, denoise_with_conv(noisy))]
        cells = "".join(f"{psnr_:>12.2f}{ssim_:>6.3f}" for psnr_, ssim_ in scores)
        print(f"{sigma:>5.2f}{cells}")
        psnrs.append([psnr_ for psnr_, _ in scores])
    print()
    _plot_noise_levels(psnrs[1:], path)


def _plot_noise_levels(psnrs: list[list[float]], path: Path) -> None:
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.add_subplot()
    noisy, denoised = zip(*psnrs, strict=True)
    axes.plot(SIGMAS, noisy, color=BLUE, marker=".", label="noisy, nothing done")
    axes.plot(SIGMAS, denoised, color=RED, marker=".", label="denoised with conv")
    axes.axvline(0.5, color="0.6", linestyle=":", zorder=0)
    axes.annotate(
        "trained here", (0.5, 28.0), (4, 0), textcoords="offset points", color="0.4"
    )
    axes.set_xlabel("sigma of the noise (fraction of the intensity range)")
    axes.set_ylabel("PSNR / dB")
    axes.set_xlim(0.0, 0.72)
    axes.grid(color="0.9")
    axes.legend(frameon=False)
    save_figure(figure, path)


def score(clean: NDArray[Any], test: NDArray[Any]) -> tuple[float, float]:
    """Return the PSNR in dB and the SSIM of an 8-bit color image."""
    return (
        psnr(clean, test, data_range=255),
        ssim(clean, test, data_range=255, channel_axis=-1),
    )


def denoise_with_conv(noisy: NDArray[Any]) -> NDArray[Any]:
    """Denoise with `conv`, ignoring warnings that it does not fit the noise."""
    return denoise_quietly(noisy, model="conv")


# --- noise -----------------------------------------------------------------


def draw_clipping(path: Path) -> None:
    """Draw histograms of clipped and unclipped noise, and print their statistics."""
    figure = Figure(figsize=(9.0, 3.0), layout="constrained")
    panels = figure.subplots(1, len(CLEAN_VALUES), sharey=True)
    print("Gaussian noise, sigma 0.5, clipped to [0, 1], a million pixels")
    print("clean   mean  std. dev.  exactly 0  exactly 1")
    for axes, value in zip(panels, CLEAN_VALUES, strict=True):
        clipped, unclipped = (noisy_values(value, flag) for flag in ("", ",unclipped"))
        print(
            f"{value:>5.1f}{clipped.mean():>7.2f}{clipped.std():>11.2f}"
            f"{(clipped == 0).mean():>11.0%}{(clipped == 1).mean():>11.0%}"
        )
        _draw_histogram(axes, value, clipped, unclipped)
    print()
    panels[0].set_ylabel("share of pixels")
    panels[1].set_xlabel("noisy value")
    panels[-1].legend(frameon=False, loc="upper left", fontsize=8)
    save_figure(figure, path)


def noisy_values(value: float, flag: str) -> NDArray[np.float32]:
    """Add noise to a million pixels of one clean value."""
    clean = torch.full((1_000_000,), value)
    model = parse_noise(NOISE + flag)
    return model.apply(clean, torch.Generator().manual_seed(0)).numpy()


def _draw_histogram(
    axes: Axes, value: float, clipped: NDArray[Any], unclipped: NDArray[Any]
) -> None:
    edges = np.arange(-1.4, 2.45, 0.1) - 0.05
    for values, style in (
        (unclipped, {"color": GRAY, "label": "not clipped"}),
        (clipped, {"color": BLUE, "histtype": "step", "label": "clipped"}),
    ):
        weights = np.full(len(values), 1 / len(values))
        axes.hist(values, edges, weights=weights, linewidth=1.5, **style)
    axes.axvline(value, color=RED, linestyle=":", label="clean")
    axes.axvline(
        float(clipped.mean()), color=BLUE, linestyle=":", label="mean, clipped"
    )
    axes.set_title(f"clean value {value:g}", fontsize=10)


# --- the network -----------------------------------------------------------


def layers() -> Iterator[tuple[str, tuple[int, ...], int]]:
    """Yield the name, output shape and number of parameters of each layer of `conv`."""
    network = build_network("conv", {})
    image = torch.zeros(1, 3, 32, 32)
    for module in [*network.encoder, *network.decoder]:
        image = module(image)
        n_parameters = sum(parameter.numel() for parameter in module.parameters())
        yield type(module).__name__, tuple(image.shape[1:]), n_parameters


def draw_shapes(path: Path) -> None:
    """Draw the shapes of the features of `conv`, and print its layers."""
    print(f"{'layer':<18}{'output':>14}{'parameters':>12}")
    rows = list(layers())
    for name, shape, n_parameters in rows:
        size = " x ".join(str(length) for length in shape)
        print(f"{name:<18}{size:>14}{n_parameters:>12,}")
    print(f"{'total':<32}{sum(row[2] for row in rows):>12,}\n")
    shapes = [(3, 32, 32), *(row[1] for row in rows[::2])]
    counts = [row[2] for row in rows[::2]]
    figure = Figure(figsize=(10.0, 2.9))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    _draw_blocks(axes, shapes, counts)
    axes.set_aspect("equal")
    axes.autoscale_view()
    axes.margins(0.02)
    save_figure(figure, path)


def _draw_blocks(axes: Axes, shapes: list[tuple[int, ...]], counts: list[int]) -> None:
    left, gap = 0.0, 1.75
    middle = len(shapes) // 2
    for index, (channels, height, _) in enumerate(shapes):
        depth = 0.25 + 0.14 * math.sqrt(channels)
        side = 0.35 + 2.6 * height / 32
        color = "#eeeeee" if index in (0, len(shapes) - 1) else BLUE
        color = RED if index == middle else color
        right = _draw_block(axes, left, depth, side, color)
        center = (left + right) / 2
        axes.text(center, -2.45, _size(channels, height), ha="center")
        if index < len(counts):
            kind = "conv" if index < middle else "transposed\nconv"
            arrow = FancyArrowPatch(
                (right + 0.12, 0.0),
                (right + gap - 0.12, 0.0),
                arrowstyle="-|>",
                mutation_scale=12,
                color="0.3",
            )
            axes.add_patch(arrow)
            words = {"ha": "center", "fontsize": 8, "color": "0.3"}
            axes.text(right + gap / 2, 0.15, kind, va="bottom", **words)
            axes.text(right + gap / 2, -0.15, f"{counts[index]:,}", va="top", **words)
        left = right + gap
    axes.text(0.0, 2.2, "noisy image", ha="left", color="0.3")
    axes.text(left - gap, 2.2, "denoised image", ha="right", color="0.3")
    axes.text((left - gap) / 2, 2.2, "the code", ha="center", color=RED)


def _size(channels: int, side: int) -> str:
    return " \N{MULTIPLICATION SIGN} ".join(map(str, (channels, side, side)))


def _draw_block(
    axes: Axes, left: float, depth: float, side: float, color: str
) -> float:
    """Draw a block in oblique view and return the x coordinate of its right end.

    The channels extend to the right.
    """
    skew = 0.28 * side
    low, high = -side / 2 - skew / 2, side / 2 - skew / 2
    near, far = left, left + depth
    faces = {
        0.85: [(near, low), (far, low), (far, high), (near, high)],
        0.55: [
            (near, high),
            (far, high),
            (far + skew, high + skew),
            (near + skew, high + skew),
        ],
        0.35: [
            (far, low),
            (far + skew, low + skew),
            (far + skew, high + skew),
            (far, high),
        ],
    }
    for alpha, corners in faces.items():
        axes.add_patch(Polygon(corners, facecolor="white", edgecolor="none"))
        axes.add_patch(
            Polygon(corners, facecolor=(color, alpha), edgecolor="0.25", linewidth=0.8)
        )
    return far + skew


# --- skip connections ------------------------------------------------------


def residual_levels() -> Iterator[tuple[str, tuple[int, ...]]]:
    """Return the output shapes of the modules of `residual`, with their kinds."""
    network = build_network("residual", {}).eval()
    shapes: list[tuple[str, tuple[int, ...]]] = []
    parts = {
        "convolution": network.convolutions,
        "halving": network.halvings,
        "doubling": network.doublings,
        "refinement": network.refinements,
    }
    for name, modules in parts.items():
        for module in modules:
            module.register_forward_hook(
                lambda *call, name=name: shapes.append((name, tuple(call[-1].shape)))
            )
    network.bottleneck[1].register_forward_hook(
        lambda *call: shapes.append(("vector", tuple(call[-1].shape)))
    )
    network(torch.zeros(1, 3, 32, 32))
    return iter([(name, shape[1:]) for name, shape in shapes])


def draw_residual(path: Path) -> None:
    """Draw the network `residual`, with the encoder left and the decoder right."""
    shapes: dict[str, list[tuple[int, ...]]] = {}
    for name, shape in residual_levels():
        shapes.setdefault(name, []).append(shape)
    figure = Figure(figsize=(9.0, 4.4))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(-0.2, 10.2)
    axes.set_ylim(-0.4, 4.5)
    image = (3, 32, 32)
    left, right = (1.5, 2.5, 3.5), (8.5, 7.5, 6.5)
    _box(axes, 0.45, 3.9, image, "noisy", "#eeeeee")
    _box(axes, 9.55, 3.9, image, "denoised", "#eeeeee")
    for level in range(3):
        height = 3.9 - 1.1 * level
        _box(axes, left[level], height, shapes["convolution"][level], "conv", BLUE)
        up = shapes["refinement"][2 - level]
        _box(axes, right[level], height, up, "2 conv", BLUE)
        _arrow(axes, (left[level] + 0.42, height), (right[level] - 0.42, height), RED)
        axes.text(5.0, height + 0.1, "skip connection", ha="center", color=RED)
        below = (left[level] + 1.0, height - 0.8) if level < 2 else (3.8, 0.95)
        _arrow(axes, (left[level], height - 0.3), below, "0.3")
        above = (right[level], height - 0.3)
        start = (right[level] - 1.0, height - 0.8) if level < 2 else (6.2, 0.95)
        _arrow(axes, start, above, "0.3")
    _arrow(axes, (0.85, 3.9), (1.08, 3.9), "0.3")
    _arrow(axes, (8.92, 3.9), (9.15, 3.9), "0.3")
    code, vector = shapes["halving"][-1], shapes["vector"][0]
    _box(axes, 3.8, 0.6, code, "code", BLUE)
    _box(axes, 5.0, 0.6, vector, "vector", RED)
    _box(axes, 6.2, 0.6, code, "code", BLUE)
    _arrow(axes, (4.2, 0.6), (4.72, 0.6), "0.3")
    _arrow(axes, (5.25, 0.6), (5.8, 0.6), "0.3")
    notes = {"fontsize": 8, "color": "0.3", "ha": "center"}
    axes.text(5.0, -0.1, "dense bottleneck", **notes)
    axes.text(1.3, 1.2, "down: batch norm,\nReLU, max pooling", **notes)
    axes.text(8.7, 1.2, "up: transposed conv,\nbatch norm, ReLU", **notes)
    save_figure(figure, path)


def _box(
    axes: Axes, x: float, y: float, shape: tuple[int, ...], name: str, color: str
) -> None:
    text = _size(*shape[:2]) if len(shape) == 3 else f"{shape[0]}"
    _box_of(axes, x, y, f"{name}\n{text}", color)


def _arrow(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], color: str
) -> None:
    axes.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=11, color=color, shrinkA=2
        )
    )


def draw_ablation(path: Path) -> None:
    """Draw the validation PSNR of `residual` with and without skip connections."""
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.add_subplot()
    for name, label, color in (
        ("residual", "with skip connections", BLUE),
        ("residual-no-skips", "without", RED),
    ):
        history = read_history(DOCS / f"{name}.history.csv")
        epochs = [result.epoch for result in history]
        decibels = [result.val_psnr for result in history]
        axes.plot(epochs, decibels, color=color, marker=".", label=label)
        axes.annotate(
            f"{decibels[-1]:.2f} dB",
            (epochs[-1], decibels[-1]),
            (0, -14),
            textcoords="offset points",
            ha="right",
            color=color,
        )
    axes.set_xlabel("epoch")
    axes.set_ylabel("PSNR of the validation images / dB")
    axes.grid(color="0.9")
    axes.legend(frameon=False, loc="center right")
    save_figure(figure, path)


# --- the built-in models ---------------------------------------------------


def multiplications(network: nn.Module, side: int = 64) -> float:
    """Return the number of multiplications per pixel of an image."""
    counts = []

    def count(layer: nn.Conv2d, given: tuple[Any, ...], result: torch.Tensor) -> None:
        # Each weight is used once for each pixel of the output, or of the input for a
        # transposed convolution.
        pixels = given[0] if isinstance(layer, nn.ConvTranspose2d) else result
        counts.append(layer.weight.numel() * math.prod(pixels.shape[-2:]))

    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            layer.register_forward_hook(count)
    network(torch.zeros(1, network.n_inputs, side, side))
    return sum(counts) / side**2


def draw_unet(path: Path) -> None:
    """Draw the network `unet`."""
    figure = Figure(figsize=(9.0, 4.4))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(-0.2, 10.2)
    axes.set_ylim(0.0, 4.5)
    _box_of(axes, 0.55, 3.9, "noisy\n1 or 3", "#eeeeee")
    _box_of(axes, 0.55, 3.1, "noise level\n1", RED)
    _box_of(axes, 9.45, 3.9, "denoised\n1 or 3", "#eeeeee")
    _draw_unet_levels(axes)
    for start, end in (
        ((2.4, 2.8), (3.2, 2.3)),
        ((3.6, 1.7), (4.4, 1.1)),
        ((5.6, 1.1), (6.4, 1.7)),
        ((6.8, 2.3), (7.6, 2.8)),
        ((0.95, 3.7), (1.7, 3.35)),
        ((1.0, 3.1), (1.65, 3.1)),
        ((8.2, 3.35), (9.0, 3.7)),
    ):
        _arrow(axes, start, end, "0.3")
    _arrow(axes, (0.85, 3.9), (9.0, 3.9), RED)
    axes.text(5.0, 4.0, "minus what comes out: the noise", ha="center", color=RED)
    notes = {"fontsize": 8, "color": "0.3", "ha": "center"}
    axes.text(1.3, 2.5, "2 x 2 pixels become\n4 times the channels", **notes)
    axes.text(8.75, 2.5, "and 2 x 2\npixels again", **notes)
    axes.text(2.3, 1.5, "down: 2 x 2 convolution,\nstride 2", **notes)
    axes.text(7.8, 1.5, "up: 2 x 2 transposed\nconvolution, stride 2", **notes)
    axes.text(5.0, 0.2, "block: x + conv(ReLU(conv(x))), 3 x 3, no biases", **notes)
    save_figure(figure, path)


def _draw_unet_levels(axes: Axes) -> None:
    """Draw the blocks at 1/2, 1/4 and 1/8 of the size, and the skip connections."""
    heights, left, right = (3.1, 2.0, 0.8), (2.4, 3.6), (7.6, 6.4)
    texts = [
        f"{width} channels at {fraction}\n{blocks}"
        for width, fraction, blocks in zip(
            _widths(), ("1/2", "1/4", "1/8"), _n_blocks(), strict=True
        )
    ]
    for level in range(2):
        _box_of(axes, left[level], heights[level], texts[level], BLUE)
        _box_of(axes, right[level], heights[level], texts[level], BLUE)
        start, end = left[level] + 0.75, right[level] - 0.75
        _arrow(axes, (start, heights[level]), (end, heights[level]), RED)
        axes.text(5.0, heights[level] + 0.1, "added", ha="center", color=RED)
    _box_of(axes, 5.0, heights[2], texts[2], BLUE)


def print_unet_costs() -> None:
    """Print the parameters and multiplications of `gray` and `rgb`."""
    print(f"{'unet':<8}{'parameters':>12}{'multiplications per pixel':>27}")
    for name, channels in (("gray", 1), ("rgb", 3)):
        options = {"in_channels": channels, "correlation": True}
        network = build_network("unet", options)
        size = sum(parameter.numel() for parameter in network.parameters())
        print(f"{name:<8}{size:>12,}{multiplications(network):>27,.0f}")
    print()


def _widths() -> list[int]:
    """Return the number of channels at 1/2, 1/4 and 1/8 of the image size."""
    network = build_network("unet", {})
    layers = (network.entrance, network.down_quarter, network.down_eighth)
    return [layer.out_channels for layer in layers]


def _n_blocks() -> list[str]:
    """Return the number of blocks at 1/2, 1/4 and 1/8 of the image size, as text."""
    network = build_network("unet", {})
    sizes = (network.encoder_half, network.encoder_quarter, network.middle)
    return ["1 block" if len(size) == 1 else f"{len(size)} blocks" for size in sizes]


def draw_built_in_curves(path: Path) -> None:
    """Draw the validation PSNR of the built-in models over their epochs."""
    figure = Figure(figsize=(9.0, 3.6), layout="constrained")
    panels = figure.subplots(1, 2)
    for axes, name in zip(panels, ("gray", "rgb"), strict=True):
        history = read_history(DOCS / f"{name}.history.csv")
        epochs = [result.epoch for result in history]
        decibels = [result.val_psnr for result in history]
        best = next(result for result in reversed(history) if result.is_best)
        print(
            f"{name}: {len(history)} epochs, best {best.epoch}: validation loss "
            f"{best.val_loss:.5f}, PSNR {best.val_psnr:.2f} dB"
        )
        axes.plot(epochs, decibels, color=BLUE, marker=".")
        for step, (since, change) in enumerate(CHANGES[name].items()):
            axes.axvline(since - 0.5, color="0.6", linestyle=":", zorder=0)
            is_late = since > 0.8 * len(history)  # no room for text to its right
            axes.annotate(
                change,
                (since - 0.5, min(decibels)),
                (-4 if is_late else 4, 16 * step),  # each above the previous one
                textcoords="offset points",
                ha="right" if is_late else "left",
                color="0.4",
            )
        axes.set_title(f"{name}, best epoch {best.epoch}: {best.val_psnr:.2f} dB")
        axes.set_xlabel("epoch")
        axes.grid(color="0.9")
    panels[0].set_ylabel("PSNR of the validation images / dB")
    save_figure(figure, path)
    print()


def draw_crops(path: Path) -> None:
    """Draw noisy, denoised and clean crops, and print their PSNR."""
    rows, captions = [], []
    print(f"PSNR / dB of crops, unclipped noise, known sigma {CROP_SIGMA:g} of 255")
    print(f"{'':<8}{'noisy':>8}{'non-local means':>18}{'built-in':>10}")
    for name, (load, rows_drawn, columns_drawn) in CROPS.items():
        clean = load()[rows_drawn, columns_drawn].astype(np.float64)
        images = [*denoised_crops(clean), clean]
        psnrs = [
            psnr(clean, np.clip(image, 0.0, 255.0), data_range=255)
            for image in images[:-1]
        ]
        print(f"{name:<8}{psnrs[0]:>8.2f}{psnrs[1]:>18.2f}{psnrs[2]:>10.2f}")
        rows.append(images)
        captions.append([f"{value:.2f} dB" for value in psnrs])
    print()
    save_panels(
        rows,
        ["noisy", "non-local means", "built-in", "clean"],
        path,
        intensity_range=BYTES,
        row_titles=list(CROPS),
        captions=captions,
        panel_width=2.0,
    )


def denoised_crops(clean: NDArray[Any]) -> list[NDArray[Any]]:
    """Return the noisy image, the best non-local means, and the result of `gray`."""
    noise = f"gaussian:{CROP_SIGMA / 255},unclipped"
    noisy = add_noise(clean, noise, intensity_range=(0, 255))
    baseline = BASELINES["non-local means"]
    candidates = [
        255 * baseline.function(noisy[..., None] / 255, parameter)[..., 0]
        for parameter in baseline.grid
    ]
    best = max(candidates, key=lambda image: psnr(clean, image, data_range=255))
    return [noisy, best, denoise(noisy, sigma=CROP_SIGMA, device="cpu")]


def print_weaknesses() -> None:
    """Print the PSNR of the built-in models for noise that does not suit them."""
    clean = camera()[60:316, 100:356].astype(np.float64)
    rng = np.random.default_rng(0)
    white = rng.standard_normal(clean.shape)
    blurred = gaussian_filter(white, 1.0)
    print("camera, 256 x 256, PSNR / dB")
    print(f"{'':<34}{'noisy':>8}{'blind':>8}{'known':>8}")
    # A Gaussian filter of 1 pixel correlates neighbors by exp(-1/4).
    shared = (math.exp(-0.25),) * 2
    for name, sigma, correlation, noise in (
        ("white, sigma 25", 25.0, None, white),
        ("correlated (blurred by 1 pixel)", 25.0, shared, blurred / blurred.std()),
        ("white, sigma 100", 100.0, None, white),
        ("white, sigma 150", 150.0, None, white),
    ):
        noisy = clean + sigma * noise
        known = denoise_quietly(noisy, sigma=sigma, correlation=correlation)
        pair = (denoise_quietly(noisy), known)
        _print_line(name, clean, 255.0, noisy, *pair)
    hit = add_noise(clean, "salt-pepper:0.1", intensity_range=(0, 255))
    _print_line("10% salt-and-pepper", clean, 255.0, hit, denoise_quietly(hit))
    for photons in (0.5, 1.0, 4.0, 16.0):
        rate = photons * clean / 255
        counts = rng.poisson(rate).astype(np.float64)
        result = denoise_quietly(counts)
        _print_line(f"{photons:g} photons at white", rate, photons, counts, result)
    _print_unequal_colors(rng)
    _print_estimates(clean, rng)


def _print_unequal_colors(rng: np.random.Generator) -> None:
    photograph = astronaut()[:256, 100:356].astype(np.float64)
    noise = rng.standard_normal(photograph.shape) * (5.0, 20.0, 50.0)
    noisy = photograph + noise
    separate = denoise_quietly(np.moveaxis(noisy, -1, 0), axes="CYX")
    print("\nastronaut, sigma 5, 20 and 50 in red, green and blue, blind")
    for name, result in (
        ("rgb, one sigma for all colors", denoise_quietly(noisy)),
        ("gray, each color separately", np.moveaxis(separate, 0, -1)),
    ):
        _print_line(name, photograph, 255.0, noisy, result)


def _print_estimates(clean: NDArray[Any], rng: np.random.Generator) -> None:
    print("\nestimated sigma of crops of camera with true sigma 25, percentiles")
    print(f"{'':<12}{'5th':>6}{'50th':>6}{'95th':>6}")
    for side in (16, 32, 64, 128):
        estimates = []
        for y, x in rng.integers(0, len(clean) - side, (40, 2)):
            crop = clean[y : y + side, x : x + side]
            noisy = crop + 25.0 * rng.standard_normal(crop.shape)
            estimates.append(estimate_sigma_of_windows([noisy[..., None]]))
        low, middle, high = np.percentile(estimates, (5, 50, 95))
        print(f"{f'{side} x {side}':<12}{low:>6.1f}{middle:>6.1f}{high:>6.1f}")
    print()


def _print_line(
    name: str, clean: NDArray[Any], data_range: float, *images: NDArray[Any]
) -> None:
    psnrs = [
        psnr(clean, np.clip(image, 0.0, data_range), data_range=data_range)
        for image in images
    ]
    print(f"{name:<34}" + "".join(f"{value:>8.2f}" for value in psnrs))


def denoise_quietly(noisy: NDArray[Any], **settings: Any) -> NDArray[Any]:
    """Denoise, ignoring warnings that the model does not fit the noise."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DenoiseAEWarning)
        return denoise(noisy, device="cpu", **settings)


def _box_of(axes: Axes, x: float, y: float, text: str, color: str) -> None:
    axes.text(
        x,
        y,
        text,
        ha="center",
        va="center",
        fontsize=8,
        bbox={"boxstyle": "round", "facecolor": (color, 0.35), "edgecolor": "0.25"},
    )


# --- files -----------------------------------------------------------------


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG."""
    FigureCanvasAgg(figure)
    figure.savefig(path, dpi=150)


def shrink(path: Path) -> None:
    """Reduce a PNG to 256 colors, to keep the repository small."""
    with Image.open(path) as picture:
        if picture.mode == "P":
            return
        reduced = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    reduced.save(path, optimize=True)


if __name__ == "__main__":
    main()
