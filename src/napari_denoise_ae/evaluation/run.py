"""Score models and classical denoisers on the same images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..models.devices import choose_device
from .comparison_figure import save_comparison
from .model_names import load_models
from .model_warnings import find_misfits
from .scoring import score_methods

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ..models.checkpoint import Checkpoint
    from .score import Score
    from .tasks import ImageSource


class Evaluation:
    """Models and classical denoisers that are scored on the same images.

    Iterate over it to score; `scores` holds what has been reached, so that
    stopping early loses nothing.

    Parameters
    ----------
    models : sequence of str, path or Checkpoint
        At least one; see `denoise`.
    images : ImageSource
        What to score on.
    device : str
        See `denoise`.
    baselines : bool
        Whether classical denoisers are scored too.

    Attributes
    ----------
    device : DeviceChoice
        Where it computes.
    models : dict of str to Denoiser
        The models by the names that their scores get.
    task : Task
        The noisy images and their truth.
    scores : list of Score
        The scores so far.

    Raises
    ------
    InvalidInputError, DatasetError, CheckpointError, DeviceError
        If the images, a model or the device cannot be used.
    """

    def __init__(
        self,
        models: Sequence[str | Path | Checkpoint],
        images: ImageSource,
        *,
        device: str = "auto",
        baselines: bool = True,
    ) -> None:
        self.device = choose_device(device)
        self.models = load_models(models, self.device, n_colors=images.count_colors())
        self.task = images.make_task(self.models)
        self.scores: list[Score] = []
        self._baselines = baselines

    def __iter__(self) -> Iterator[Score]:
        """Yield the scores of the noisy images, the models and the baselines."""
        self.scores = []
        for score in score_methods(
            self.task.pairs,
            self.models,
            self.task.noise,
            baselines=self._baselines,
            setting=self.task.setting,
        ):
            self.scores.append(score)
            yield score

    def misfits(self) -> list[str]:
        """Say, in words for a user, which models were trained for other noise."""
        return find_misfits(self.task, self.models)

    def save_figure(self, path: Path) -> None:
        """Draw a few images as each model denoises them; all must be scored.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        save_comparison(
            self.task.pairs, self.models, self.scores, path, self.task.setting
        )
