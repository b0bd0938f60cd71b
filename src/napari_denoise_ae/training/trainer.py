"""The training loop: a generator of frozen results.

The loop knows neither files nor faces. Whoever runs it iterates; what it has
reached lies on the `Trainer`, so that stopping at any point loses nothing but
the unfinished epoch.
"""

from __future__ import annotations

import math
import time
from contextlib import nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from .._version import __version__
from ..errors import TrainingError
from ..models.checkpoint import Checkpoint, TrainingRecord
from ..models.devices import has_fast_bfloat16
from ..models.networks.registry import build_network
from ..models.training_state import TrainingState
from ..noise.synthetic import Gaussian
from ..noise.wavelet import estimate_noise
from .augmentation import add_stripes, magnify, make_dead_leaves, mirror_some
from .checks import require_trainable
from .losses import make_loss
from .optimizers import make_optimizer
from .results import BatchResult, EpochResult
from .split import split_indices, to_gray

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from threading import Event

    from numpy.typing import NDArray
    from torch import Tensor

    from ..io.cifar10 import ImageSet
    from ..models.config import TrainingConfig
    from ..models.devices import DeviceChoice
    from ..models.networks.base import DenoisingNetwork

# Noisy validation images on which the checkpoint's own noise is measured.
_N_NOISE_IMAGES = 256
# Keys that keep the random streams of a run apart.
_WEIGHTS, _ORDER, _NOISE, _VALIDATION = range(4)
_FLIP, _ZOOM, _BRIGHTNESS, _STRIPES, _DEAD_LEAVES = range(4, 9)
# A network that takes a noise level sees intensities relative to the mean of
# an image, of which a patch is a part: anything from dark to bright.
_MEANS = (0.3, 0.7)


class Trainer:
    """Train one network on one set of images.

    Parameters
    ----------
    config : TrainingConfig
        What to do.
    data : ImageSet
        All images; split here, by the config's seed, before anything else.
    device : DeviceChoice
        Where to compute. The images are copied there, as bytes.
    resume_from : TrainingState, optional
        Go on from there; `config` must be that of the run, beside `epochs`,
        `patience` and `min_delta`.

    Attributes
    ----------
    config : TrainingConfig
        What to do.
    history : list of EpochResult
        The finished epochs.
    device : DeviceChoice
        Where it computes.
    n_train, n_val, n_batches : int
        Training images, validation images, and batches in an epoch.
    n_parameters : int
        Weights that are trained.

    Raises
    ------
    InvalidInputError
        If the network's options cannot be used.
    DatasetError
        If there are too few images to split.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_denoise_ae.models.config import TrainingConfig
    >>> from napari_denoise_ae.io.cifar10 import ImageSet
    >>> from napari_denoise_ae.models.devices import choose_device
    >>> images = np.zeros((20, 8, 8, 3), dtype=np.uint8)
    >>> config = TrainingConfig(epochs=1)
    >>> trainer = Trainer(config, ImageSet("black", images), choose_device("cpu"))
    >>> for result in trainer.run():
    ...     print(type(result).__name__, result.epoch)
    BatchResult 1
    EpochResult 1
    """

    def __init__(
        self,
        config: TrainingConfig,
        data: ImageSet,
        device: DeviceChoice,
        resume_from: TrainingState | None = None,
    ) -> None:
        require_trainable(data, config)
        self.config = config
        self.history: list[EpochResult] = []
        self.device = device
        self._device = device.device
        self._data = data
        split = split_indices(len(data.images), config.val_fraction, config.seed)
        self.n_train, self.n_val = len(split.train), len(split.val)
        self.n_batches = -(-self.n_train // config.batch_size)
        self._noise = config.noise_model
        self._loss = make_loss(config.loss, ssim_weight=config.ssim_weight)
        self._network = self._build_network()
        self._train_images = self._to_device(split.train)
        self._val_images = self._to_device(split.val)
        parameters = self._network.parameters()
        self.n_parameters = sum(parameter.numel() for parameter in parameters)
        self._optimizer = make_optimizer(self._network.parameters(), config)
        self._best_weights: dict[str, Tensor] = {}
        if resume_from is not None:
            self._restore(resume_from)
        # The checksum and the noise estimate do not change in a run.
        self._sha256 = data.sha256
        self._noise_estimate = self._estimate_noise()

    @property
    def stop_reason(self) -> str:
        """Why training is over; empty while there is more to do."""
        config, done = self.config, len(self.history)
        if done and self._epochs_without_improvement >= config.patience:
            return f"patience of {config.patience} used up at epoch {done}"
        if done >= config.epochs:
            return "all epochs are done"
        return ""

    @property
    def best_epoch(self) -> EpochResult:
        """The epoch with the lowest validation loss; there must be one."""
        return next(result for result in reversed(self.history) if result.is_best)

    def run(self, stop: Event | None = None) -> Iterator[BatchResult | EpochResult]:
        """Train until `stop_reason` says why it is over.

        Parameters
        ----------
        stop : threading.Event, optional
            Once it is set, by whichever thread, training ends at the next
            batch, also in the middle of a validation. The unfinished epoch
            leaves no trace in `history`.

        Yields
        ------
        BatchResult or EpochResult
            One for each batch, and one after the last batch of an epoch.

        Raises
        ------
        TrainingError
            If the loss is no longer finite, or the device runs out of memory.
        """
        try:
            while not self.stop_reason and not _is_set(stop):
                yield from self._run_epoch(len(self.history) + 1, stop)
        except torch.OutOfMemoryError as error:
            raise TrainingError(
                f"The device {self._device} ran out of memory with a batch_size of "
                f"{self.config.batch_size}. Train with a smaller one."
            ) from error

    def checkpoint(self) -> Checkpoint:
        """Return the best epoch so far; there must be a finished one."""
        return Checkpoint(
            name=self.config.preset,
            network=self.config.network,
            network_options=self.config.network_options,
            state_dict=self._best_weights,
            record=self._record(),
        )

    def state(self) -> TrainingState:
        """Return what is needed to go on later; only between epochs."""
        return TrainingState(
            best=self.checkpoint(),
            record=self._record(),
            state_dict=_copy_weights(self._network),
            optimizer=self._optimizer.state_dict(),
            history=[asdict(result) for result in self.history],
        )

    def example_images(
        self, n_images: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Return the first validation images as noisy, denoised and clean.

        Each is (n_images, Y, X, channels), range [0, 1] beside unclipped noise.
        """
        clean = _to_unit(self._val_images[:n_images])
        noisy, sigma = self._add_noise(clean, self._generator(_VALIDATION, 0))
        self._network.eval()
        with torch.inference_mode():
            denoised = self._denoise(noisy, sigma)
        as_images = [
            tensor.permute(0, 2, 3, 1).float().cpu().numpy()
            for tensor in (noisy, denoised, clean)
        ]
        return as_images[0], as_images[1], as_images[2]

    def _run_epoch(
        self, epoch: int, stop: Event | None
    ) -> Iterator[BatchResult | EpochResult]:
        start = time.perf_counter()
        self._network.train()
        noise = self._generator(_NOISE, epoch)
        flip = self._generator(_FLIP, epoch)
        zoom = np.random.default_rng(self._seed(_ZOOM, epoch))
        brightness = self._generator(_BRIGHTNESS, epoch)
        stripes = self._generator(_STRIPES, epoch)
        dead_leaves = self._generator(_DEAD_LEAVES, epoch)
        total = torch.zeros((), device=self._device)
        for batch, indices in enumerate(self._batches(epoch), start=1):
            self._set_learning_rate((epoch - 1) * self.n_batches + batch - 1)
            clean = _to_unit(self._train_images[indices])
            clean = self._augment(clean, batch, flip, zoom, stripes, dead_leaves)
            mean = clean.new_empty((len(clean), 1, 1, 1))
            mean.uniform_(*_MEANS, generator=brightness)
            loss = self._train_on(clean, noise, mean)
            total += loss * len(indices)
            yield BatchResult(epoch, batch, self.n_batches, loss)
            if _is_set(stop):
                return
        val_loss, val_psnr = self._validate(stop)
        if _is_set(stop):
            return
        train_loss = float(total) / self.n_train
        if not np.isfinite([train_loss, val_loss]).all():
            raise TrainingError(
                f"The loss is no longer finite in epoch {epoch} (training "
                f"{train_loss}, validation {val_loss}). Use a lower learning_rate "
                f"than {self.config.learning_rate:g}."
            )
        is_best = not self.history or (
            val_loss < self.best_epoch.val_loss - self.config.min_delta
        )
        weights = _copy_weights(self._network) if is_best else self._best_weights
        seconds = time.perf_counter() - start
        result = EpochResult(epoch, train_loss, val_loss, val_psnr, is_best, seconds)
        # Together, so that an interrupt does not part them.
        self.history, self._best_weights = [*self.history, result], weights
        yield result

    def _set_learning_rate(self, n_done: int) -> None:
        """Follow the schedule; `n_done` batches have been trained on."""
        if self.config.schedule == "constant":
            return
        progress = n_done / (self.config.epochs * self.n_batches)
        factor = (1.0 + math.cos(math.pi * progress)) / 2.0
        for group in self._optimizer.param_groups:
            group["lr"] = self.config.learning_rate * factor

    def _train_on(
        self, clean: Tensor, generator: torch.Generator, mean: Tensor
    ) -> Tensor:
        noisy, sigma = self._add_noise(clean, generator)
        loss = self._loss(self._denoise(noisy, sigma, mean), clean)
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        return loss.detach()

    def _validate(self, stop: Event | None = None) -> tuple[float, float]:
        """Return the mean loss and the mean PSNR over the validation images.

        If it was stopped, they mean nothing.
        """
        self._network.eval()
        # The same noise after every epoch, so that epochs compare.
        noise = self._generator(_VALIDATION, 0)
        loss = torch.zeros((), device=self._device)
        psnr = torch.zeros((), device=self._device)
        with torch.inference_mode():
            for batch in self._val_images.split(self.config.batch_size):
                if _is_set(stop):
                    break
                clean = _to_unit(batch)
                denoised = self._denoise(*self._add_noise(clean, noise))
                loss += self._loss(denoised, clean) * len(batch)
                squared_error = (denoised - clean).square().mean(dim=(1, 2, 3))
                psnr += -10.0 * squared_error.clamp_min(1e-12).log10().sum()
        return float(loss) / self.n_val, float(psnr) / self.n_val

    def _batches(self, epoch: int) -> tuple[Tensor, ...]:
        """Return shuffled indices of training images, batch by batch."""
        generator = torch.Generator().manual_seed(self._seed(_ORDER, epoch))
        order = torch.randperm(self.n_train, generator=generator)
        batches: tuple[Tensor, ...] = order.to(self._device).split(
            self.config.batch_size
        )
        return batches

    def _augment(
        self,
        clean: Tensor,
        batch: int,
        flip: torch.Generator,
        zoom: np.random.Generator,
        stripes: torch.Generator,
        dead_leaves: torch.Generator,
    ) -> Tensor:
        kind = self.config.augmentation
        if kind != "none":
            clean = mirror_some(clean, flip)
        if batch % 2 == 0 and kind == "dead-leaves":
            clean = make_dead_leaves(clean, dead_leaves)
        elif batch % 2 == 0 and self.config.zoom > 1.0:
            clean = magnify(clean, self.config.zoom, zoom)
        if kind == "dead-leaves" or (batch % 2 == 1 and kind == "stripes"):
            clean = add_stripes(clean, stripes)
        return clean

    def _add_noise(
        self, clean: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor | None]:
        """Return noisy images, and their levels if the network takes them."""
        if isinstance(self._noise, Gaussian) and self._network.takes_noise_level:
            return self._noise.apply_and_tell(clean, generator)
        return self._noise.apply(clean, generator), None

    def _denoise(
        self, noisy: Tensor, sigma: Tensor | None, mean: Tensor | float = 0.5
    ) -> Tensor:
        """Run the network on [0, 1]; one that takes a level around `mean`."""
        with self._autocast():
            if sigma is None:
                denoised: Tensor = self._network(noisy)
                return denoised.float()
            level = sigma.expand_as(noisy[:, :1])
            centered: Tensor = self._network(torch.cat([noisy - mean, level], dim=1))
        return centered.float() + mean

    def _autocast(self) -> AbstractContextManager[Any]:
        kind, config = self._device.type, self.config
        if kind == "cuda":
            wanted = config.mixed_precision
            fast = torch.cuda.is_bf16_supported(including_emulation=False)
        else:
            wanted = config.mixed_precision and config.bfloat16_on_cpu
            fast = kind == "cpu" and has_fast_bfloat16()
        # bfloat16 has the exponents of float32: no loss scaling is needed.
        return (
            torch.autocast(kind, torch.bfloat16) if wanted and fast else nullcontext()
        )

    def _build_network(self) -> DenoisingNetwork:
        # The first weights come from torch's global generator; put it back.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._seed(_WEIGHTS, 0))
            network = build_network(self.config.network, self.config.network_options)
        network.to(self._device)
        if self._device.type == "cuda":
            network.to(memory_format=torch.channels_last)
        self._radius = network.receptive_field_radius
        self._stride = network.stride
        return network

    def _restore(self, state: TrainingState) -> None:
        self._network.load_state_dict(state.state_dict)
        self._optimizer.load_state_dict(dict(state.optimizer))
        self.history = [EpochResult(**result) for result in state.history]
        self._best_weights = dict(state.best.state_dict)

    @property
    def _epochs_without_improvement(self) -> int:
        return len(self.history) - self.best_epoch.epoch

    def _record(self) -> TrainingRecord:
        best = self.best_epoch
        return TrainingRecord(
            config=self.config,
            dataset=self._data.name,
            dataset_sha256=self._sha256,
            n_train=self.n_train,
            n_val=self.n_val,
            epochs_run=len(self.history),
            best_epoch=best.epoch,
            stop_reason=self.stop_reason,
            val_loss=best.val_loss,
            val_psnr=best.val_psnr,
            noise_estimate=self._noise_estimate,
            receptive_field_radius=self._radius,
            stride=self._stride,
            device=str(self._device),
            package_version=__version__,
            torch_version=str(torch.__version__),
            date=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def _estimate_noise(self) -> tuple[float, float, float]:
        noisy, _, _ = self.example_images(_N_NOISE_IMAGES)
        estimates = [estimate_noise(image, channel_axis=-1) for image in noisy]
        usable = [estimate for estimate in estimates if not np.isnan(estimate)]
        if not usable:
            return np.nan, np.nan, np.nan
        low, middle, high = np.percentile(usable, (5, 50, 95))
        return float(low), float(middle), float(high)

    def _to_device(self, indices: NDArray[np.int64]) -> Tensor:
        images = self._data.images[indices]
        if self._network.in_channels == 1:
            images = to_gray(images)
        on_device = torch.from_numpy(images).to(self._device)
        return on_device.permute(0, 3, 1, 2)  # (N, channels, Y, X), channels last

    def _generator(self, stream: int, epoch: int) -> torch.Generator:
        return torch.Generator(self._device).manual_seed(self._seed(stream, epoch))

    def _seed(self, stream: int, epoch: int) -> int:
        # A seed for each stream and epoch: resuming needs no generator's state.
        sequence = np.random.SeedSequence(self.config.seed, spawn_key=(stream, epoch))
        return int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(1))


def _is_set(stop: Event | None) -> bool:
    return stop is not None and stop.is_set()


def _to_unit(images: Tensor) -> Tensor:
    """Turn bytes into [0, 1]."""
    return images.to(torch.float32).div_(255.0)


def _copy_weights(network: DenoisingNetwork) -> dict[str, Tensor]:
    return {
        key: tensor.detach().to("cpu", memory_format=torch.contiguous_format, copy=True)
        for key, tensor in network.state_dict().items()
    }
