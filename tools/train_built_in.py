"""Train `gray` or `rgb` further on folders of images, with noise of any correlation.

    python tools/train_built_in.py rgb rgb.pt --images DIR [DIR ...] --minutes 60

starts from a built-in model, or from a checkpoint of a `unet` that takes the noise
level, and writes a checkpoint. A network that takes no correlation yet gets the two
additional inputs, with weights of 0, so that it starts with the same results.

Patches are drawn at random places of the images. The noise is Gaussian, unclipped,
with a sigma of 0 to 75 of 255 for each patch. In a part of the batches, 40 % unless
`--correlated` says otherwise, it is blurred, isotropically or along one axis, half of
the time with a long tail, and in color images often shared by the colors. A part of the
batches of gray patches, 20 % unless `--counted` says otherwise, are stabilized photon
counts instead, as `denoise` shows them to the network: at most 0.3 to 200 photons a
pixel, with or without read noise. The loss is the PSNR of each patch. The learning rate
follows a cosine over the given time, and the weights are averaged exponentially.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from napari_denoise_ae import load_checkpoint
from napari_denoise_ae.models.checkpoint_file import save_checkpoint
from napari_denoise_ae.models.networks.unet import UNet
from napari_denoise_ae.noise.anscombe import inverse_anscombe, stabilized_sigma
from napari_denoise_ae.noise.blur import blurred_normal
from napari_denoise_ae.noise.curve import NoiseCurve

if TYPE_CHECKING:
    from napari_denoise_ae.models.checkpoint import Checkpoint

STRONGEST = 75 / 255
WIDEST_BLUR = 1.6
# Of photon counts: the photons of their brightest pixels, the largest read noise in
# photons, and the relative error of the level that the network is told.
PHOTONS, READ_NOISE, LEVEL_ERROR = (0.3, 200.0), 2.0, 0.05
WARM_UP = 50
AVERAGING = 0.999
SECONDS_BETWEEN_REPORTS = 100


class Patches:
    """Random patches of images that are held in memory as 8-bit integers.

    A pixel of a folder of weight 0.5 is half as likely as one of a folder of weight 1.
    """

    def __init__(
        self, folders: list[Path], weights: list[float], side: int, n_channels: int
    ) -> None:
        mode = "L" if n_channels == 1 else "RGB"
        self.images: list[Tensor] = []
        areas = []
        for folder, weight in zip(folders, weights, strict=True):
            for file in sorted(folder.iterdir()):
                image = np.atleast_3d(np.asarray(Image.open(file).convert(mode)))
                if min(image.shape[:2]) >= side:
                    self.images.append(
                        torch.from_numpy(image.transpose(2, 0, 1).copy())
                    )
                    areas.append(weight * image.shape[0] * image.shape[1])
        self.areas = torch.tensor(areas)
        self.side = side

    def draw(self, count: int) -> Tensor:
        """Return patches, (count, channels, side, side), in [0, 1]."""
        chosen = torch.multinomial(self.areas, count, replacement=True)
        batch = torch.stack([self._cut(self.images[number]) for number in chosen])
        batch = batch.float().div_(255)
        if torch.rand(()) < 0.5:
            batch = batch.transpose(2, 3)
        batch = batch.flip([axis for axis in (2, 3) if torch.rand(()) < 0.5])
        # In any order, so that all colors are treated alike.
        return batch[:, torch.randperm(batch.shape[1])].contiguous()

    def _cut(self, image: Tensor) -> Tensor:
        y, x = (
            int(torch.randint(0, length - self.side + 1, ()))
            for length in image.shape[1:]
        )
        return image[:, y : y + self.side, x : x + self.side]


def draw_noise(
    clean: Tensor, generator: torch.Generator, correlated: float
) -> tuple[Tensor, Tensor]:
    """Return noise of variance 1, and its correlations along X and Y, (N, 2).

    `correlated` is the probability that it is not white.
    """
    count = len(clean)
    if torch.rand(()) >= correlated:
        return torch.randn(clean.shape), torch.zeros(count, 2)
    kind, wide, other = torch.rand(3, count, 1, 1, 1)
    wide, other = WIDEST_BLUR * wide, WIDEST_BLUR * other
    narrow = torch.where(kind < 0.7, wide, torch.where(kind < 0.85, 0.0, other))
    swap = torch.rand(count, 1, 1, 1) < 0.5
    blur_y, blur_x = torch.where(swap, wide, narrow), torch.where(swap, narrow, wide)
    noise, correlation = blurred_normal(clean, generator, blur_y, blur_x)
    if torch.rand(()) < 0.5:
        blur, share = 1.5 + 1.5 * torch.rand(count, 1, 1, 1), 0.35 * torch.rand(count)
        tail, of_tail = blurred_normal(clean, generator, blur, blur)
        part = share[:, None, None, None]
        noise = (1 - part).sqrt() * noise + part.sqrt() * tail
        correlation = (1 - share)[:, None] * correlation + share[:, None] * of_tail
    if clean.shape[1] > 1 and torch.rand(()) < 0.5:
        noise = share_colors(noise, 0.6 * torch.rand(count, 1, 1, 1))
    return noise, correlation


def share_colors(noise: Tensor, share: Tensor) -> Tensor:
    """Correlate the noise of the colors, as demosaicking and compression do."""
    mixed = share * noise[:, :1] + (1 - share.square()).sqrt() * noise.roll(1, 1)
    deviation = noise.std((2, 3), keepdim=True)
    return mixed / mixed.std((2, 3), keepdim=True) * deviation


@dataclass(frozen=True)
class Counts:
    """Stabilized photon counts, as `denoise` shows them to a network.

    `noisy` and its mean `target`, (N, 1, Y, X), have a spread of about 1. `slope` is
    the derivative of the intensity with respect to `target`, at most 1, and `sigma`,
    (N, 1), the level that the network is told.
    """

    noisy: Tensor
    target: Tensor
    slope: Tensor
    sigma: Tensor


def draw_counts(clean: Tensor, generator: torch.Generator) -> Counts:
    """Count the photons of clean patches, and stabilize the counts."""
    draw = partial(torch.rand, len(clean), 1, 1, 1)
    low, high = clean.amin((2, 3), keepdim=True), clean.amax((2, 3), keepdim=True)
    floor = 0.3 * draw().square()
    stretched = floor + (1 - floor) * (clean - low) / (high - low).clamp_min(0.02)
    fewest, most = map(math.log, PHOTONS)
    peak = torch.exp(fewest + (most - fewest) * draw())
    photons = peak * torch.where(draw() < 0.5, clean, stretched).clamp_min(0)
    read = torch.where(draw() < 0.6, 0.0, READ_NOISE * draw().square())
    counts = torch.poisson(photons, generator=generator)
    counts += read * torch.randn(clean.shape, generator=generator)
    noisy = 2 * (counts + 3 / 8 + read.square()).clamp_min(0).sqrt()
    target = _interpolate(photons + read.square(), *_means_of_stabilized())
    blocks = avg_pool2d(counts, 8).flatten(1)
    bright = torch.quantile(blocks, 0.9, dim=1).clamp_min(0) + read.flatten().square()
    sigma = _interpolate(bright, *_levels_of_stabilized())
    sigma = (sigma * torch.exp(LEVEL_ERROR * torch.randn(len(clean))))[:, None]
    spread = target.amax((2, 3)) - target.amin((2, 3)) + sigma
    slope = target / target.amax((2, 3), keepdim=True)
    scale = spread[:, :, None, None]
    return Counts(noisy / scale, target / scale, slope, sigma / spread)


def _interpolate(values: Tensor, known: Tensor, results: Tensor) -> Tensor:
    """Return the result of the next larger known value."""
    index = torch.searchsorted(known, values.contiguous())
    return results[index.clamp_max(len(known) - 1)]


@cache
def _means_of_stabilized() -> tuple[Tensor, Tensor]:
    """Return photons, and the stabilized values that `inverse_anscombe` maps there."""
    stabilized = np.linspace(math.sqrt(1.5), 80.0, 200_000)
    photons = inverse_anscombe(stabilized, NoiseCurve(1.0, 0.0))
    return torch.from_numpy(photons).float(), torch.from_numpy(stabilized).float()


@cache
def _levels_of_stabilized() -> tuple[Tensor, Tensor]:
    """Return photons, and the standard deviation of their stabilized counts."""
    photons = np.concatenate([[0.0], np.geomspace(1e-3, 4.0, 400)])
    levels = [stabilized_sigma(float(each)) for each in photons]
    return torch.from_numpy(photons).float(), torch.tensor(levels)


def with_correlation(checkpoint: Checkpoint) -> UNet:
    """Return the network of a checkpoint with inputs for the correlation."""
    network = UNet(**{**checkpoint.network_options, "correlation": True})
    weights = {name: each.float() for name, each in checkpoint.state_dict.items()}
    first = weights["entrance.weight"]
    missing = network.entrance.in_channels - first.shape[1]
    zeros = torch.zeros(first.shape[0], missing, *first.shape[2:])
    weights["entrance.weight"] = torch.cat([first, zeros], dim=1)
    network.load_state_dict(weights)
    return network


class Training:
    """A network in training, and the exponential average of its weights.

    `correlated` and `counted` are the fractions of batches with correlated noise, and
    of stabilized photon counts.
    """

    def __init__(
        self, network: UNet, learning_rate: float, correlated: float, counted: float
    ) -> None:
        self.correlated, self.counted = correlated, counted
        self.network, self.learning_rate, self.step = network, learning_rate, 0
        self.average = {
            name: each.clone() for name, each in network.state_dict().items()
        }
        self.generator = torch.Generator().manual_seed(torch.initial_seed())
        self.optimizer = torch.optim.AdamW(
            network.parameters(), weight_decay=1e-4, betas=(0.9, 0.99)
        )

    def train(self, clean: Tensor, progress: float) -> float:
        """Train on one batch at a fraction of the time; return its loss."""
        warm_up = min(1.0, (self.step + 1) / WARM_UP)
        factor = warm_up * 0.5 * (1 + math.cos(math.pi * progress))
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate * factor
        loss = torch.log(self._errors(clean) + 1e-6).mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        weight = 1 - min(AVERAGING, self.step / (self.step + 20))
        for name, tensor in self.network.state_dict().items():
            self.average[name].lerp_(tensor, weight)
        return float(loss.detach())

    def _errors(self, clean: Tensor) -> Tensor:
        if clean.shape[1] == 1 and torch.rand(()) < self.counted:
            counts = draw_counts(clean, self.generator)
            white = torch.zeros(len(clean), 2)
            denoised = self._denoise(counts.noisy, counts.target, counts.sigma, white)
            errors = (denoised - counts.target) * counts.slope
        else:
            sigma = torch.rand(len(clean), 1) * STRONGEST
            noise, correlation = draw_noise(clean, self.generator, self.correlated)
            noisy = clean + sigma[..., None, None] * noise
            errors = self._denoise(noisy, clean, sigma, correlation) - clean
        return errors.square().mean((1, 2, 3))

    def _denoise(
        self, noisy: Tensor, clean: Tensor, sigma: Tensor, correlation: Tensor
    ) -> Tensor:
        center = clean.mean((1, 2, 3), keepdim=True)
        center = center + 0.15 * torch.randn(len(clean), 1, 1, 1)
        told = torch.cat([sigma, sigma * correlation], dim=1)[:, :, None, None]
        inputs = [noisy - center, told.expand(-1, -1, *clean.shape[2:])]
        with torch.autocast("cpu", torch.bfloat16):
            denoised: Tensor = self.network(torch.cat(inputs, dim=1)).float()
        return denoised + center


def main() -> None:
    """Parse the arguments, train by the clock, and write the model now and then."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", help="built-in model or checkpoint to start from")
    parser.add_argument("output", type=Path, help="checkpoint to write")
    parser.add_argument("--images", type=Path, nargs="+", required=True, metavar="DIR")
    parser.add_argument(
        "--weights", type=float, nargs="+", help="one for each folder (default: 1)"
    )
    parser.add_argument("--correlated", type=float, default=0.4, metavar="FRACTION")
    parser.add_argument("--counted", type=float, default=0.2, metavar="FRACTION")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--patch", type=int, default=96, help="side, in pixels")
    parser.add_argument("--learning-rate", type=float, default=5e-4)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    checkpoint = load_checkpoint(arguments.model)
    training = Training(
        with_correlation(checkpoint),
        arguments.learning_rate,
        arguments.correlated,
        arguments.counted,
    )
    weights = arguments.weights or [1.0] * len(arguments.images)
    channels = training.network.in_channels
    patches = Patches(arguments.images, weights, arguments.patch, channels)
    options = {**checkpoint.network_options, "correlation": True}
    begin, seconds, losses, reported = time.monotonic(), 60 * arguments.minutes, [], 0.0
    while (spent := time.monotonic() - begin) < seconds:
        losses.append(
            training.train(patches.draw(arguments.batch_size), spent / seconds)
        )
        if spent - reported > SECONDS_BETWEEN_REPORTS:
            print(f"{spent:.0f} s  step {training.step}  loss {np.mean(losses):.4f}")
            reported, losses = spent, []
    saved = replace(checkpoint, network_options=options, state_dict=training.average)
    save_checkpoint(saved, arguments.output)


if __name__ == "__main__":
    main()
