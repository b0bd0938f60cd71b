"""Score models and classical denoisers on the same images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..models.devices import choose_device
from .comparison_figure import save_comparison
from .model_names import load_models
from .model_warnings import find_task_incompatibilities
from .scoring import score_methods

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ..models.checkpoint import Checkpoint
    from .score import Score
    from .tasks import ImageSource


class Evaluation:
    """Score models and classical denoisers on the same images.

    Iterate over it to score. `scores` collects the results, so that stopping early
    loses none of them.

    Parameters
    ----------
    models : sequence of str, path, or Checkpoint
        At least one model; see `denoise`.
    images : ImageSource
        Source of the images to score on.
    device : str
        See `denoise`.
    baselines : bool
        Whether to score classical denoisers as well.

    Attributes
    ----------
    device : DeviceChoice
        Device to compute on.
    models : dict of str to ScoredModel
        Models by the names used in the scores.
    task : Task
        Noisy and clean images.
    scores : list of Score
        Scores so far.

    Raises
    ------
    InvalidInputError, DatasetError, CheckpointError, DeviceError
        If the images, a model, or the device is invalid.
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
        self.models = load_models(models, self.device, colors=images.count_colors())
        self.task = images.make_task(self.models)
        self.scores: list[Score] = []
        self._baselines = baselines

    def __iter__(self) -> Iterator[Score]:
        """Yield the scores of the noisy images, each model, and each baseline."""
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

    def find_incompatibilities(self) -> list[str]:
        """Return warnings about the images, and models trained for different noise."""
        return [
            *self.task.notes,
            *find_task_incompatibilities(self.task, self.models),
        ]

    def save_figure(self, path: Path) -> None:
        """Write a figure of a few images, denoised by each model.

        Call it after all methods are scored.

        Parameters
        ----------
        path : pathlib.Path
            PNG file to write.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        save_comparison(
            self.task.pairs, self.models, self.scores, path, self.task.setting
        )
