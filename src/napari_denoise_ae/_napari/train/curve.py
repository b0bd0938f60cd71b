"""The validation losses of a run, to compare with those of other runs."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...errors import InvalidInputError
from ...training.run_config import read_run_config
from ...training.run_files import RunFiles

if TYPE_CHECKING:
    from pathlib import Path

_LONGEST_NAME = 16


@dataclass(frozen=True, slots=True)
class Curve:
    """The validation losses of a run by which its best epoch was chosen.

    Parameters
    ----------
    checkpoint : pathlib.Path
        The checkpoint of the run, which identifies it.
    quantity : str
        What the losses measure, see `describe_quantity`. Only losses of the same
        quantity can be compared.
    losses : tuple of float
        The loss of each epoch.
    """

    checkpoint: Path
    quantity: str
    losses: tuple[float, ...]

    @property
    def name(self) -> str:
        """A name for display, short enough not to widen the dock."""
        name, half = self.checkpoint.name, _LONGEST_NAME // 2
        return name if len(name) <= _LONGEST_NAME else f"{name[:half]}…{name[-half:]}"


def describe_quantity(loss: str, smoothing: int, *, has_truth: bool) -> str:
    """Describe what a validation loss measures.

    Parameters
    ----------
    loss : str
        Name of the loss.
    smoothing : int
        Number of epochs over which it is averaged.
    has_truth : bool
        Whether the network's result is compared with clean images. Otherwise, the loss
        includes the noise of the images.
    """
    mean = f", mean of {smoothing} epochs" if smoothing > 1 else ""
    return f"{loss}{'' if has_truth else ' with noise'}{mean}"


def read_curve(checkpoint: Path) -> Curve:
    """Read the losses of a saved run from the files beside its checkpoint.

    Parameters
    ----------
    checkpoint : pathlib.Path
        The checkpoint of the run.

    Raises
    ------
    InvalidInputError
        If one of the files is missing or damaged.
    """
    files = RunFiles(checkpoint)
    settings = read_run_config(files.run_config).get("settings", {})
    try:
        with files.history.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        # Without smoothing, there is no column of watched losses.
        losses = tuple(float(row.get("watched_loss", row["val_loss"])) for row in rows)
    except OSError as error:
        raise InvalidInputError(
            f"Cannot read {files.history}: {error.strerror}."
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(
            f"{files.history} is not the history of a run: {error}."
        ) from error
    if not losses:
        raise InvalidInputError(f"{files.history} has no epochs.")
    quantity = describe_quantity(
        settings.get("loss", "mse"),
        settings.get("smoothing", 1),
        has_truth="val_psnr" in rows[0],
    )
    return Curve(checkpoint, quantity, losses)
