"""The validation losses of a run, to compare with those of other runs."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...errors import InvalidInputError
from ...training.run_files import RunFiles

if TYPE_CHECKING:
    from pathlib import Path

    from ...models.config import TrainingConfig

_LONGEST_NAME = 16


@dataclass(frozen=True, slots=True)
class Quantity:
    """What the validation losses of a run measure.

    Parameters
    ----------
    loss : str
        The loss and its settings, for display.
    noise : str
        Description of the noise of the validation images.
    images : tuple
        What determines the validation images: the checksum of all images, and the
        seed and the fraction of the split.
    """

    loss: str = ""
    noise: str = ""
    images: tuple[str, int, float] = ("", 0, 0.0)

    @classmethod
    def of(
        cls, config: TrainingConfig, *, noise: str, sha256: str, has_truth: bool
    ) -> Quantity:
        """Return what the losses of a run measure.

        Parameters
        ----------
        config : TrainingConfig
            The settings of the run.
        noise : str
            Description of the noise.
        sha256 : str
            Checksum of the images before the split.
        has_truth : bool
            Whether the network's result is compared with clean images. Otherwise, the
            loss includes the noise of the images.
        """
        loss = config.loss
        if loss == "mse_ssim":
            loss += f" (SSIM weight {config.ssim_weight:g})"
        if not has_truth:
            loss += " with noise"
        if config.smoothing > 1:
            loss += f", mean of {config.smoothing} epochs"
        return cls(loss, noise, (sha256, config.seed, config.val_fraction))

    def difference_from(self, other: Quantity) -> str:
        """Say what differs from another quantity; empty if both are the same."""
        if self.loss != other.loss:
            return self.loss
        if self.images != other.images:
            return "other validation images"
        return "other noise" if self.noise != other.noise else ""


@dataclass(frozen=True, slots=True)
class Curve:
    """The validation losses of a run by which its best epoch was chosen.

    Parameters
    ----------
    checkpoint : pathlib.Path
        The checkpoint of the run, which identifies it.
    quantity : Quantity
        What the losses measure. Only losses of the same quantity can be compared.
    losses : tuple of float
        The loss of each epoch.
    """

    checkpoint: Path
    quantity: Quantity
    losses: tuple[float, ...]

    @property
    def name(self) -> str:
        """A name for display, short enough not to widen the dock."""
        name, half = self.checkpoint.name, _LONGEST_NAME // 2
        return name if len(name) <= _LONGEST_NAME else f"{name[:half]}…{name[-half:]}"


def read_curve(checkpoint: Path) -> Curve:
    """Read the losses of a saved run from its checkpoint and the table beside it.

    Parameters
    ----------
    checkpoint : pathlib.Path
        The checkpoint of the run.

    Raises
    ------
    InvalidInputError
        If the table is missing or damaged, or the checkpoint has no training record.
    CheckpointError
        If the checkpoint is missing or damaged.
    """
    # Imported here, because it imports torch.
    from ...models.load import load_checkpoint

    record = load_checkpoint(checkpoint).record
    if record is None:
        raise InvalidInputError(f"{checkpoint} does not say how it was trained.")
    history = RunFiles(checkpoint).history
    try:
        with history.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        # Without smoothing, there is no column of watched losses.
        losses = tuple(float(row.get("watched_loss", row["val_loss"])) for row in rows)
    except OSError as error:
        raise InvalidInputError(f"Cannot read {history}: {error.strerror}.") from error
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(
            f"{history} is not the history of a run: {error}."
        ) from error
    if not losses:
        raise InvalidInputError(f"{history} has no epochs.")
    quantity = Quantity.of(
        record.config,
        noise=record.noise,
        sha256=record.dataset_sha256,
        has_truth="val_psnr" in rows[0],
    )
    return Curve(checkpoint, quantity, losses)
