"""The calls that scripts make, with a progress bar where they take long."""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from tqdm import tqdm

from ..errors import DenoiseAEError, DenoiseAEWarning
from ..evaluation.score import Score
from ..evaluation.test_set import score_test_set
from ..io.cifar10 import ImageSet, load_training_images
from ..io.download import download_cifar10
from ..models.config import preset_config
from ..models.devices import choose_device
from ..models.training_state import load_training_state
from .gallery import save_gallery
from .results import EpochResult
from .run import TrainingRun, resume_run
from .run_files import RunFiles
from .trainer import Trainer

if TYPE_CHECKING:
    from ..models.checkpoint import Checkpoint
    from .results import BatchResult


@dataclass(frozen=True, slots=True, eq=False)
class TrainingResult:
    """What a training run has reached.

    Parameters
    ----------
    checkpoint : Checkpoint
        The best epoch.
    history : tuple of EpochResult
        The finished epochs.
    files : RunFiles
        Where the checkpoint, the history, the curves and the gallery lie.
    stop_reason : str
        Why training ended.
    test_scores : tuple of Score
        How the noisy and the denoised images of the test set do. Empty for
        images in memory, which have no test set, and if interrupted.
    """

    checkpoint: Checkpoint
    history: tuple[EpochResult, ...]
    files: RunFiles
    stop_reason: str
    test_scores: tuple[Score, ...]


def train(
    data: str | Path | ImageSet,
    *,
    preset: str | None = None,
    output: str | Path = "best_denoising_model.pt",
    device: str = "auto",
    resume: bool = False,
    overwrite: bool = False,
    progress: bool = True,
    **settings: Any,
) -> TrainingResult:
    """Train a denoising autoencoder on CIFAR-10.

    Parameters
    ----------
    data : path or ImageSet
        The folder that holds CIFAR-10's ``cifar-10-batches-py``; if it is not
        there, it is fetched (170 MB). Or clean images in memory.
    preset : str, optional
        A key of `napari_denoise_ae.PRESETS`; None means ``"conv"``.
    output : path
        The checkpoint to write; must end in ``.pt``. The history, the curves,
        a gallery of denoised images and what `resume` needs are written
        beside it.
    device : str
        ``"auto"`` (CUDA, else MPS, else CPU) or one of torch's names.
    resume : bool
        Go on with the run whose files lie at `output`.
    overwrite : bool
        Replace a run whose files lie at `output`.
    progress : bool
        Whether to show a progress bar on standard error.
    **settings
        Fields of `napari_denoise_ae.TrainingConfig` that differ from the
        preset; on `resume`, only `epochs` and `patience`, and with a cosine
        schedule only `patience`.

    Returns
    -------
    TrainingResult
        What was reached. Interrupted by Ctrl-C after the first epoch, what
        was reached by then.

    Raises
    ------
    InvalidInputError
        If the preset, a setting or its value cannot be used.
    DatasetError, DeviceError, OutputError, CheckpointError, TrainingError
        If the data, the device, the place to write to, the run to resume or
        the training itself does not work out.
    KeyboardInterrupt
        If interrupted before the first epoch was finished.

    Warns
    -----
    DenoiseAEWarning
        If training worked out and scoring its test set did not.

    Examples
    --------
    >>> result = train("data", noise="gaussian:0.1", epochs=5)  # doctest: +SKIP
    >>> noisy, denoised = result.test_scores  # doctest: +SKIP
    >>> denoised.psnr_mean, denoised.ssim_mean  # doctest: +SKIP
    """
    run = prepare_run(
        data,
        preset=preset,
        output=output,
        device=device,
        resume=resume,
        overwrite=overwrite,
        progress=progress,
        settings=settings,
    )
    return run_to_the_end(run, data, progress=progress)


def prepare_run(
    data: str | Path | ImageSet,
    *,
    preset: str | None,
    output: str | Path,
    device: str,
    resume: bool,
    overwrite: bool,
    progress: bool,
    settings: dict[str, Any],
) -> TrainingRun:
    """Do all of `train` up to the first epoch; see there."""
    # Whatever can be wrong is found before a download, and long before an epoch.
    config = preset_config(preset or "conv", **settings)
    chosen_device = choose_device(device)
    files = RunFiles(Path(output))
    files.require_usable(resume=resume, overwrite=overwrite)
    images = data
    if not isinstance(images, ImageSet):
        # Which images a run was begun with is in its state, not in the settings.
        begun = load_training_state(files.state).record.config if resume else config
        images = _load_images(images, begun.n_test, progress)
    if not resume:
        return TrainingRun(Trainer(config, images, chosen_device), files)
    changes = settings if preset is None else {"preset": preset, **settings}
    return resume_run(files, images, chosen_device, changes)


def run_to_the_end(
    run: TrainingRun, data: str | Path | ImageSet, *, progress: bool
) -> TrainingResult:
    """Do the epochs of `train`, write the last files and score; see there."""
    trainer = run.trainer
    stop_reason = ""
    with _progress_bar(trainer, progress) as bar:
        try:
            for result in run.steps():
                _show(result, bar, trainer)
        except KeyboardInterrupt:
            if not trainer.history:
                raise
            stop_reason = f"interrupted after epoch {len(trainer.history)}"
    run.write_end()
    return TrainingResult(
        checkpoint=trainer.checkpoint(),
        history=tuple(trainer.history),
        files=run.files,
        stop_reason=stop_reason or trainer.stop_reason,
        test_scores=_score_run(
            run, None if isinstance(data, ImageSet) else data, progress=progress
        ),
    )


def _score_run(
    run: TrainingRun, folder: str | Path | None, *, progress: bool
) -> tuple[Score, ...]:
    """Draw the gallery; score the test set, if there is one and training is over."""
    # Whatever happens from here on, what was trained is kept and returned.
    try:
        save_gallery(run, folder)
        if folder is None or not run.trainer.stop_reason:
            return ()
        return _score_test_set(run, folder, progress=progress)
    except KeyboardInterrupt:
        return ()
    except DenoiseAEError as error:
        warnings.warn(
            f"The model is trained and saved, but it was not scored: {error}",
            DenoiseAEWarning,
            stacklevel=4,
        )
        return ()


def _score_test_set(
    run: TrainingRun, folder: str | Path, *, progress: bool
) -> tuple[Score, ...]:
    trainer, scores = run.trainer, []
    with tqdm(desc="test", unit="image", disable=not progress, leave=False) as bar:
        for result in score_test_set(trainer.checkpoint(), folder, trainer.device):
            if isinstance(result, Score):
                scores.append(result)
            else:
                bar.total = result.total
                bar.update(result.done - bar.n)
    return tuple(scores)


def _load_images(folder: str | Path, n_test: int, progress: bool) -> ImageSet:
    fetch = partial(download_cifar10, progress=progress)
    return load_training_images(folder, n_test=n_test, download=fetch)


def _progress_bar(trainer: Trainer, progress: bool) -> tqdm[NoReturn]:
    # The time left is that of all epochs; early stopping can only shorten it.
    return tqdm(
        total=trainer.config.epochs * trainer.n_batches,
        initial=len(trainer.history) * trainer.n_batches,
        disable=not progress,
        unit="batch",
        # A log gets few lines, a person many.
        mininterval=0.5 if sys.stderr.isatty() else 5.0,
        dynamic_ncols=True,
        bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}, at most {remaining} "
        "left, {rate_fmt}{postfix}",
    )


def _show(
    result: BatchResult | EpochResult, bar: tqdm[NoReturn], trainer: Trainer
) -> None:
    if bar.disable:
        return
    if isinstance(result, EpochResult):
        bar.write(describe_epoch(result, trainer.config.epochs), file=sys.stderr)
        return
    # Reading the loss waits for the device: only when the bar is drawn.
    if bar.update():
        epoch = f"epoch {result.epoch}/{trainer.config.epochs}"
        bar.set_description(
            f"{epoch}, batch {result.batch}/{result.n_batches}", refresh=False
        )
        losses = f"loss {float(result.loss):.5f}"
        if trainer.history:
            losses += f", val_loss {trainer.history[-1].val_loss:.5f}"
        bar.set_postfix_str(losses, refresh=False)


def describe_epoch(result: EpochResult, epochs: int) -> str:
    """Return one line about a finished epoch."""
    return (
        f"epoch {result.epoch:>3}/{epochs}  loss {result.train_loss:.5f}  "
        f"val_loss {result.val_loss:.5f}  val_psnr {result.val_psnr:.2f} dB  "
        f"{result.seconds:.1f} s" + ("  best" if result.is_best else "")
    )
