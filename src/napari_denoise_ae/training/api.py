"""Train a model from Python, with progress bars."""

from __future__ import annotations

import warnings
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

from ..errors import DenoiseAEWarning
from .progress_bars import ProgressBars
from .run import TrainingRun
from .run_config import make_job
from .tensorboard_log import TensorBoardLog

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import ArrayLike

    from ..io.cifar10 import ImageSet
    from ..models.checkpoint import Checkpoint
    from .results import RunStep, TrainingResult

    #: Files, folders, patterns and arrays of images.
    Images = str | Path | ArrayLike | Sequence[str | Path | ArrayLike]


def train(  # noqa: PLR0913 - all but the first are keyword-only
    data: str | Path | ImageSet | None = None,
    *,
    images: Images | None = None,
    pairs: tuple[Images, Images] | None = None,
    repeats: Images | None = None,
    adapt: Images | None = None,
    noise2void: Images | None = None,
    axes: str | None = None,
    channel: int | None = None,
    start_from: str | Path | Checkpoint | None = None,
    preset: str | None = None,
    config: str | Path | None = None,
    output: str | Path | None = None,
    device: str = "auto",
    resume: bool = False,
    overwrite: bool = False,
    download: bool = False,
    progress: bool = True,
    log_dir: str | Path | None = None,
    **settings: Any,
) -> TrainingResult:
    """Train a denoising autoencoder on CIFAR-10 or on your own images.

    Pass exactly one of `data`, `images`, `pairs`, `repeats`, `adapt` and
    `noise2void`. Your own images are files in any format that `denoise` reads,
    folders of them, patterns such as ``"cells/*.tif"``, NumPy, dask or Zarr arrays,
    or a list of these, of any size, dtype and axes. They are read as needed.

    Parameters
    ----------
    data : path or ImageSet, optional
        Folder that contains CIFAR-10's ``cifar-10-batches-py``, or clean images of
        equal size in memory.
    images : path, array or list, optional
        Clean images, to which the noise of the settings is added.
    pairs : tuple of two, optional
        Noisy images, and clean images of the same scenes, matched by name.
    repeats : path, array or list, optional
        Noisy images of the same static scene: frames along T, or two images. Each
        is denoised towards the others [1]_.
    adapt : path, array or list, optional
        Noisy images to which the model `start_from` is adapted. It learns to remove
        noise like theirs from its own result for them. A model that gains nothing on
        a part that is kept out is not changed.
    noise2void : path, array or list, optional
        Noisy images from which a network learns from nothing, with blind spots [2]_.
    axes : str, optional
        Axes of your own images, such as ``"TYX"``. None infers them.
    channel : int, optional
        Index along C of the channel to train on. None takes all, each a gray image.
    start_from : str, path or Checkpoint, optional
        Model whose weights training begins with: a built-in model or a checkpoint.
        None means random weights, or, for `adapt`, the built-in model that suits
        the images.
    preset : str, optional
        A key of `napari_denoise_ae.PRESETS`. None means ``"conv"`` for CIFAR-10;
        for your own images that of `start_from`, or ``"rgb"`` for color images and
        ``"gray"`` for others, with settings that suit them; with `resume`, the
        preset of the run.
    config : path, optional
        ``NAME.run.toml`` of a run to repeat. Other arguments override it.
    output : path, optional
        Checkpoint to write; must end in ``.safetensors`` or ``.pt``, the format of
        `torch.save`. The history, the loss curves, a gallery of denoised images, the
        settings, and the state to resume from are written to the same folder. None
        means ``"best_denoising_model.pt"`` for the presets conv and residual, else
        ``"best_denoising_model.safetensors"``; with `config` a file with its name,
        beside it.
    device : str
        ``"auto"`` (CUDA if available, else MPS, else CPU) or a torch device name.
    resume : bool
        Resume the run saved at `output`. Its images are those that its settings name,
        unless others are passed; those in memory must be passed. If no epoch is left,
        its other files are written and the test set is scored.
    overwrite : bool
        Replace the run saved at `output`.
    download : bool
        Download CIFAR-10 (170 MB) to the folder `data` if it is missing. The folder
        must be new or empty.
    progress : bool
        Whether to show progress bars on standard error.
    log_dir : path, optional
        Folder in which to log the losses, the PSNR, and the learning rate of each
        epoch, and the gallery, for TensorBoard. The log of a run is in a subfolder
        with the name of `output`. Needs the package tensorboard.
    **settings
        Fields of `napari_denoise_ae.TrainingConfig` that override the preset.
        With `resume`, only `epochs` and `patience` may change, and with a cosine
        schedule only `patience`.

    Returns
    -------
    TrainingResult
        The best epoch, the history, and the scores. After Ctrl-C, the results of
        the finished epochs, or of the first one if it was not finished.

    Raises
    ------
    InvalidInputError
        If the preset, a setting or its value is invalid.
    DatasetError, DeviceError, OutputError, CheckpointError, TrainingError
        If the data, the device, the output, the run to resume, or the training
        itself fails.
    KeyboardInterrupt
        If interrupted before the first batch is trained.

    Warns
    -----
    DenoiseAEWarning
        If training succeeds but scoring the test set fails.

    References
    ----------
    .. [1] Lehtinen et al., Noise2Noise: learning image restoration without clean
       data, ICML 2018, arXiv:1803.04189.
    .. [2] Krull, Buchholz and Jug, Noise2Void: learning denoising from single noisy
       images, CVPR 2019, arXiv:1811.10980.

    Examples
    --------
    >>> result = train("data", noise="gaussian:0.1", epochs=5)  # doctest: +SKIP
    >>> noisy, denoised = result.test_scores  # doctest: +SKIP
    >>> denoised.psnr_mean, denoised.ssim_mean  # doctest: +SKIP
    """
    arguments: dict[str, Any] = {
        "data": data,
        "images": images,
        "pairs": pairs,
        "repeats": repeats,
        "adapt": adapt,
        "noise2void": noise2void,
        "axes": axes,
        "channel": channel,
        "start_from": start_from,
        "preset": preset,
        "output": output,
        "settings": settings,
        "device": None if device == "auto" else device,
    }
    job = make_job(
        config, arguments, resume=resume, overwrite=overwrite, download=download
    )
    with closing(ProgressBars(visible=progress)) as bars:
        return run_to_the_end(TrainingRun(job), bars.show, log_dir)


def run_to_the_end(
    run: TrainingRun,
    show: Callable[[RunStep], None],
    log_dir: str | Path | None = None,
) -> TrainingResult:
    """Run until the end, or until Ctrl-C, and return the result.

    Parameters
    ----------
    run : TrainingRun
        The run.
    show : callable
        Called with each step.
    log_dir : path, optional
        See `train`.

    Returns
    -------
    TrainingResult
        The result. After Ctrl-C, it covers the finished epochs, or the first one even
        if it was not finished, and their files are written.

    Raises
    ------
    KeyboardInterrupt
        If interrupted before the first batch is trained.

    Warns
    -----
    DenoiseAEWarning
        If training succeeds but scoring the test set fails.
    """
    if log_dir is None:
        _finish(run, [show])
    else:
        with closing(TensorBoardLog(log_dir, run)) as log:
            _finish(run, [show, log.show])
    result = run.result
    if result is None:
        raise KeyboardInterrupt
    if result.scoring_error:
        warnings.warn(
            "The model was trained and saved, but scoring it failed: "
            f"{result.scoring_error}",
            DenoiseAEWarning,
            stacklevel=3,
        )
    return result


def _finish(run: TrainingRun, shows: Sequence[Callable[[RunStep], None]]) -> None:
    try:
        _show_all(run, shows)
    except KeyboardInterrupt:
        run.stop.set()
        # A second Ctrl-C skips the curves or the gallery.
        with suppress(KeyboardInterrupt):
            _show_all(run, shows)


def _show_all(run: TrainingRun, shows: Sequence[Callable[[RunStep], None]]) -> None:
    for step in run.steps():
        for show in shows:
            show(step)
