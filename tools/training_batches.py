"""Patches of images, and noise, for `train_built_in.py`; all of it on one device.

No function waits for the device, and none depends on what was drawn, so that a CUDA
graph can repeat them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch.nn.functional import avg_pool2d

from napari_denoise_ae.noise.anscombe import inverse_anscombe, stabilized_sigma
from napari_denoise_ae.noise.curve import NoiseCurve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torch import Tensor

# Magnifications of the images, and how often a place of an image is seen at each.
SCALES = {1.0: 0.5, 1.3: 0.25, 1.7: 0.25}
WIDEST_BLUR = 1.6
# The tail of correlated noise: its blur in pixels, and its largest share.
TAIL_BLURS, LARGEST_TAIL = (1.5, 3.0), 0.35
# Kernels are truncated here, at four times the widest blur, in pixels.
REACH = 12
# Of photon counts: the photons of their brightest pixels, the largest read noise in
# photons, and the relative error of the level that the network is told.
PHOTONS, READ_NOISE, LEVEL_ERROR = (0.3, 200.0), 2.0, 0.05


class Patches:
    """Random patches of images, which lie on the device as 8-bit integers.

    A pixel of a folder of weight 0.5 is half as likely as one of a folder of weight 1.
    Images without colors, as those of microscopes are, are also shown inverted and with
    another gamma.
    """

    def __init__(
        self,
        folders: list[Path],
        weights: list[float],
        side: int,
        n_channels: int,
        device: torch.device,
    ) -> None:
        self.side, self.n_channels, self.device = side, n_channels, device
        pixels, shapes, areas, colorless = [], [], [], []
        for folder, weight in zip(folders, weights, strict=True):
            for file in sorted(folder.iterdir()):
                for planes, share, is_gray in _scaled_images(file, n_channels):
                    if min(planes.shape[1:]) >= side:
                        pixels.append(planes.ravel())
                        shapes.append(planes.shape[1:])
                        areas.append(weight * share)
                        colorless.append(is_gray)
        if not pixels:
            least = f"at least {side} x {side} pixels"
            raise SystemExit(f"No image in {', '.join(map(str, folders))} has {least}.")
        self.pixels = torch.from_numpy(np.concatenate(pixels)).to(device)
        sizes = torch.tensor([0, *map(len, pixels)][:-1])
        self.begins = sizes.cumsum(0).to(device)
        self.shapes = torch.tensor(shapes, device=device)
        likelihood = torch.tensor(areas, dtype=torch.float64).cumsum(0)
        self.likelihood = (likelihood / likelihood[-1]).float().to(device)
        self.colorless = torch.tensor(colorless, device=device)

    def draw(self, count: int) -> Tensor:
        """Return patches, (count, channels, side, side), in [0, 1]."""
        where, y, x, flip_y, flip_x, turn, invert = torch.rand(
            7, count, device=self.device
        )
        number = torch.searchsorted(self.likelihood, where)
        number = number.clamp_max(len(self.likelihood) - 1)
        height, width = self.shapes[number].T
        rows = self._span(height, y, flip_y)[:, None, :, None]
        columns = self._span(width, x, flip_x)[:, None, None, :]
        # In any order, so that all colors are treated alike.
        order = torch.rand(count, self.n_channels, device=self.device).argsort(dim=1)
        begin = self.begins[number][:, None] + order * (height * width)[:, None]
        index = begin[:, :, None, None] + rows * _per_patch(width) + columns
        batch = self.pixels[index].float() / 255
        batch = torch.where(_per_patch(turn < 0.5), batch.mT, batch)
        varied = _per_patch(self.colorless[number])
        gamma = torch.exp(0.4 * torch.randn(count, device=self.device))
        batch = torch.where(varied, batch.pow(_per_patch(gamma)), batch)
        return torch.where(varied & _per_patch(invert < 0.5), 1 - batch, batch)

    def _span(self, length: Tensor, place: Tensor, flip: Tensor) -> Tensor:
        """Return rows or columns of patches, (count, side)."""
        begin = (place * (length - self.side + 1)).long()
        steps = torch.arange(self.side, device=self.device)
        return begin[:, None] + torch.where(flip[:, None] < 0.5, steps, steps.flip(0))


def _scaled_images(
    file: Path, n_channels: int
) -> Iterator[tuple[np.ndarray, float, bool]]:
    """Yield an image at each scale, (channels, Y, X), its share, and if it is gray."""
    with Image.open(file) as opened:
        colors = opened.convert("RGB")
    is_gray = bool((np.ptp(np.asarray(colors), axis=2) == 0).all())
    image = colors.convert("L") if n_channels == 1 else colors
    area = image.width * image.height
    for scale, share in SCALES.items():
        size = (round(image.width * scale), round(image.height * scale))
        resized = image.resize(size, Image.Resampling.LANCZOS)
        planes = np.atleast_3d(np.asarray(resized)).transpose(2, 0, 1)
        yield planes, share * area, is_gray


def _per_patch(values: Tensor) -> Tensor:
    """Return a value for each patch, (count,), as (count, 1, 1, 1)."""
    return values[:, None, None, None]


def correlated_noise(clean: Tensor) -> tuple[Tensor, Tensor]:
    """Return noise of variance 1, and its correlations along X and Y, (count, 2).

    It is blurred, isotropically or along one axis, half of the time with a long tail,
    and half of the time the colors share a part of it.
    """
    count, device = len(clean), clean.device
    kind, wide, other, swap, tail, share, of_colors = torch.rand(
        7, count, device=device
    )
    wide, other = WIDEST_BLUR * wide, WIDEST_BLUR * other
    narrow = torch.where(kind < 0.7, wide, other * (kind >= 0.85))
    blur_y = torch.where(swap < 0.5, wide, narrow)
    blur_x = torch.where(swap < 0.5, narrow, wide)
    noise, correlation = blurred_noise(clean, blur_y, blur_x)
    shortest, longest = TAIL_BLURS
    blur = shortest + (longest - shortest) * torch.rand(count, device=device)
    with_tail, of_tail = blurred_noise(clean, blur, blur)
    share = LARGEST_TAIL * share * (tail >= 0.5)
    part = _per_patch(share)
    noise = (1 - part).sqrt() * noise + part.sqrt() * with_tail
    correlation = (1 - share)[:, None] * correlation + share[:, None] * of_tail
    if clean.shape[1] > 1:
        mixed = share_colors(noise, 0.6 * torch.rand(count, 1, 1, 1, device=device))
        noise = torch.where(_per_patch(of_colors < 0.5), mixed, noise)
    return noise, correlation


def blurred_noise(
    clean: Tensor, blur_y: Tensor, blur_x: Tensor
) -> tuple[Tensor, Tensor]:
    """Return blurred noise of variance 1, and its correlations along X and Y."""
    count, channels, rows, columns = clean.shape
    shape = (count, channels, rows + 2 * REACH, columns + 2 * REACH)
    noise = torch.randn(shape, device=clean.device)
    along_y, of_y = _band(blur_y, rows)
    along_x, of_x = _band(blur_x, columns)
    filtered = along_y[:, None] @ noise @ along_x.mT[:, None]
    return filtered, torch.stack([of_x, of_y], dim=1)


def _band(blur: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """Return matrices that filter, (count, length, length + 2 REACH).

    And the correlations of neighbors, (count,).
    """
    steps = torch.arange(length + 2 * REACH, device=blur.device)
    offsets = steps[None] - steps[:length, None] - REACH
    scaled = offsets / blur.clamp_min(1e-3)[:, None, None]
    band = torch.exp(-0.5 * scaled.square()) * (offsets.abs() <= REACH)
    band = band / band.norm(dim=2, keepdim=True)
    return band, (band[:, 0] * band[:, 1]).sum(dim=1)


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


class PhotonCounter:
    """Counts the photons of clean patches, and stabilizes the counts."""

    def __init__(self, device: torch.device) -> None:
        stabilized = np.linspace(math.sqrt(1.5), 80.0, 200_000)
        means = inverse_anscombe(stabilized, NoiseCurve(1.0, 0.0))
        photons = np.concatenate([[0.0], np.geomspace(1e-3, 4.0, 400)])
        levels = [stabilized_sigma(float(each)) for each in photons]
        # Photons, and the stabilized values that `inverse_anscombe` maps there.
        self.means = _float_tensor(means, device), _float_tensor(stabilized, device)
        # Photons, and the standard deviation of their stabilized counts.
        self.levels = _float_tensor(photons, device), _float_tensor(levels, device)

    def count(self, clean: Tensor) -> Counts:
        """Return stabilized counts for clean patches, (N, 1, Y, X), in [0, 1]."""
        number = len(clean)
        floor, peak, is_clean, has_read, read = (
            _per_patch(each) for each in torch.rand(5, number, device=clean.device)
        )
        low, high = clean.amin((2, 3), keepdim=True), clean.amax((2, 3), keepdim=True)
        floor = 0.3 * floor.square()
        stretched = floor + (1 - floor) * (clean - low) / (high - low).clamp_min(0.02)
        fewest, most = map(math.log, PHOTONS)
        peak = torch.exp(fewest + (most - fewest) * peak)
        photons = peak * torch.where(is_clean < 0.5, clean, stretched).clamp_min(0)
        read = READ_NOISE * read.square() * (has_read >= 0.6)
        counts = torch.poisson(photons) + read * torch.randn_like(photons)
        noisy = 2 * (counts + 3 / 8 + read.square()).clamp_min(0).sqrt()
        target = _interpolate(photons + read.square(), *self.means)
        blocks = avg_pool2d(counts, 8).flatten(1)
        blocks = blocks.sort(dim=1).values[:, round(0.9 * (blocks.shape[1] - 1))]
        bright = blocks.clamp_min(0) + read.flatten().square()
        error = torch.exp(LEVEL_ERROR * torch.randn_like(bright))
        sigma = (_interpolate(bright, *self.levels) * error)[:, None]
        spread = target.amax((2, 3)) - target.amin((2, 3)) + sigma
        slope = target / target.amax((2, 3), keepdim=True)
        scale = spread[:, :, None, None]
        return Counts(noisy / scale, target / scale, slope, sigma / spread)


def _float_tensor(values: np.ndarray | list[float], device: torch.device) -> Tensor:
    return torch.tensor(values, dtype=torch.float32, device=device)


def _interpolate(values: Tensor, known: Tensor, results: Tensor) -> Tensor:
    """Return the result of the next larger known value."""
    index = torch.searchsorted(known, values.contiguous())
    return results[index.clamp_max(len(known) - 1)]
