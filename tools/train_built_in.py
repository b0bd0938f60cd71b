"""Train `gray` or `rgb` further on folders of images, with noise of any correlation.

    python tools/train_built_in.py rgb rgb.pt --images DIR [DIR ...] --minutes 60

starts from a built-in model, or from a checkpoint of a `unet` that takes the noise
level, and writes a checkpoint, now and then and at the end. A network that takes no
correlation yet gets the two additional inputs, with weights of 0, so that it starts
with the same results. On a GPU, each step is one CUDA graph.

Patches are drawn at random places of the images, at three scales. The noise is
Gaussian, unclipped, with a sigma of 0 to 75 of 255 for each patch. In a part of the
patches, 40 % unless `--correlated` says otherwise, it is blurred, isotropically or
along one axis, half of the time with a long tail, and in color images often shared by
the colors. A part of the gray patches, 20 % unless `--counted` says otherwise, are
stabilized photon counts instead, as `denoise` shows them to the network: at most 0.3 to
200 photons a pixel, with or without read noise. The loss is the PSNR of each patch. The
learning rate follows a cosine over the given time, the weights are averaged
exponentially, and the last part of the time computes in float32.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from training_batches import Patches, PhotonCounter, correlated_noise

from napari_denoise_ae import load_checkpoint
from napari_denoise_ae.models.checkpoint_file import save_checkpoint
from napari_denoise_ae.models.networks.unet import UNet

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_denoise_ae.models.checkpoint import Checkpoint

STRONGEST = 75 / 255
WARM_UP = 200
AVERAGING = 0.999
# The last part of the time computes in float32, the others in bfloat16.
EXACT_PART = 0.12
SECONDS_BETWEEN_REPORTS = 30
# A GPU may be this many steps behind.
STEPS_AHEAD = 16


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

    `correlated` and `counted` are the fractions of patches with correlated noise, and
    of stabilized photon counts; they are rounded to whole patches of each batch.
    """

    def __init__(
        self,
        network: UNet,
        patches: Patches,
        batch_size: int,
        correlated: float,
        counted: float,
    ) -> None:
        self.network = network.to(patches.device)
        self.patches, self.batch_size = patches, batch_size
        self.n_correlated = round(correlated * batch_size)
        is_gray = patches.n_channels == 1
        self.n_counted = round(counted * batch_size) if is_gray else 0
        if self.n_correlated + self.n_counted > batch_size:
            raise SystemExit("--correlated and --counted add up to more than 1.")
        self.counter = PhotonCounter(patches.device)
        self.average = {
            name: each.clone() for name, each in self.network.state_dict().items()
        }
        self.learning_rate = torch.zeros((), device=patches.device)
        self.sum_of_losses = torch.zeros((), device=patches.device)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(),
            lr=self.learning_rate,
            weight_decay=1e-4,
            betas=(0.9, 0.99),
            fused=True,
            capturable=patches.device.type == "cuda",
        )

    def stepper(self, *, exact: bool) -> Callable[[], None]:
        """Return a function that trains on one batch, in float32 if `exact`."""
        step = partial(self._step, exact)
        if self.patches.device.type != "cuda":
            return step
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                step()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            step()
        replay: Callable[[], None] = graph.replay
        return replay

    def _step(self, exact: bool) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        errors = self._errors(exact).square().mean((1, 2, 3))
        loss = torch.log(errors + 1e-6).mean()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.sum_of_losses += loss.detach()
        weights = list(self.network.state_dict().values())
        torch._foreach_lerp_(list(self.average.values()), weights, 1 - AVERAGING)

    def _errors(self, exact: bool) -> Tensor:
        """Return the errors of the pixels of a batch."""
        clean = self.patches.draw(self.batch_size)
        counted, clean = clean[: self.n_counted], clean[self.n_counted :]
        sigma = STRONGEST * torch.rand(len(clean), 1, device=clean.device)
        noise, correlation = self._draw_noise(clean)
        noisy, slope = clean + sigma[..., None, None] * noise, torch.ones_like(clean)
        if self.n_counted:
            counts = self.counter.count(counted)
            clean = torch.cat([counts.target, clean])
            noisy, slope = (
                torch.cat([counts.noisy, noisy]),
                torch.cat([counts.slope, slope]),
            )
            sigma = torch.cat([counts.sigma, sigma])
            white = correlation.new_zeros(self.n_counted, 2)
            correlation = torch.cat([white, correlation])
        denoised = self._denoise(noisy, clean, sigma, correlation, exact)
        return (denoised - clean) * slope

    def _draw_noise(self, clean: Tensor) -> tuple[Tensor, Tensor]:
        n_white = len(clean) - self.n_correlated
        noise = torch.randn_like(clean[:n_white])
        correlation = noise.new_zeros(n_white, 2)
        if self.n_correlated:
            blurred, of_blurred = correlated_noise(clean[n_white:])
            noise = torch.cat([noise, blurred])
            correlation = torch.cat([correlation, of_blurred])
        return noise, correlation

    def _denoise(
        self,
        noisy: Tensor,
        clean: Tensor,
        sigma: Tensor,
        correlation: Tensor,
        exact: bool,
    ) -> Tensor:
        center = clean.mean((1, 2, 3), keepdim=True)
        center = center + 0.15 * torch.randn_like(center)
        told = torch.cat([sigma, sigma * correlation], dim=1)[:, :, None, None]
        inputs = [noisy - center, told.expand(-1, -1, *clean.shape[2:])]
        # A graph must not keep the cast weights of its first run.
        autocast = torch.autocast(
            noisy.device.type, torch.bfloat16, enabled=not exact, cache_enabled=False
        )
        with autocast:
            denoised: Tensor = self.network(torch.cat(inputs, dim=1)).float()
        return denoised + center


def rate_at(progress: float, n_steps: int) -> float:
    """Return the factor of the learning rate at a fraction of the time."""
    warm_up = min(1.0, (n_steps + 1) / WARM_UP)
    return warm_up * 0.5 * (1 + math.cos(math.pi * progress))


def train(
    training: Training, seconds: float, learning_rate: float, save: Callable[[], None]
) -> None:
    """Train by the clock; report and save now and then, and save at the end."""
    pixels = training.batch_size * training.patches.side**2
    begin = reported = time.monotonic()
    step, exact, n_steps, last = training.stepper(exact=False), False, 0, 0
    while (progress := (time.monotonic() - begin) / seconds) < 1:
        if progress > 1 - EXACT_PART and not exact:
            step, exact = training.stepper(exact=True), True
        training.learning_rate.fill_(learning_rate * rate_at(progress, n_steps))
        step()
        n_steps += 1
        if n_steps % STEPS_AHEAD == 0 and training.patches.device.type == "cuda":
            torch.cuda.synchronize()
        spent = time.monotonic() - reported
        if spent > SECONDS_BETWEEN_REPORTS:
            loss = float(training.sum_of_losses) / (n_steps - last)
            speed = (n_steps - last) * pixels / spent / 1e6
            print(
                f"{time.monotonic() - begin:.0f} s  step {n_steps}  loss {loss:.4f}  "
                f"{speed:.1f} Mpx/s",
                flush=True,
            )
            save()
            training.sum_of_losses.zero_()
            reported, last = time.monotonic(), n_steps
    save()


def main() -> None:
    """Parse the arguments, train, and write the model."""
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
    parser.add_argument(
        "--device", default="cuda" if torch.cuda.is_available() else "cpu"
    )
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    torch.backends.cudnn.benchmark = True
    checkpoint = load_checkpoint(arguments.model)
    network = with_correlation(checkpoint)
    weights = arguments.weights or [1.0] * len(arguments.images)
    patches = Patches(
        arguments.images,
        weights,
        arguments.patch,
        network.in_channels,
        torch.device(arguments.device),
    )
    training = Training(
        network,
        patches,
        arguments.batch_size,
        arguments.correlated,
        arguments.counted,
    )

    def save() -> None:
        average = {name: each.cpu() for name, each in training.average.items()}
        options = {**checkpoint.network_options, "correlation": True}
        saved = replace(checkpoint, network_options=options, state_dict=average)
        save_checkpoint(saved, arguments.output)

    train(training, 60 * arguments.minutes, arguments.learning_rate, save)


if __name__ == "__main__":
    main()
