"""The demo: add noise to a bundled photograph and denoise it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skimage.data import astronaut

from ..denoising.array import Denoising
from ..denoising.denoiser import Denoiser
from ..errors import CheckpointError, DenoiseAEWarning, OutputError
from ..image.ranges import resolve_intensity_range
from ..io.atomic import require_writable
from ..models.devices import choose_device
from ..models.load import load_fitting
from ..noise.add import add_noise
from ..noise.spec import parse_noise
from .comparison import compare
from .figures import is_own_figure, save_panels

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from ..models.devices import DeviceChoice
    from .comparison import Comparison

# Noise for models that take the noise level: they were not trained on one noise.
_NOISE = "gaussian:0.1"


@dataclass(frozen=True, slots=True, eq=False)
class DemoResult:
    """The result of the demo.

    Parameters
    ----------
    clean, noisy, denoised : numpy.ndarray
        The images, uint8 of shape (512, 512, 3).
    comparison : Comparison
        PSNR and SSIM of the noisy and the denoised image.
    noise : str
        Description of the noise that was added.
    model : str
        Name of the model.
    device : DeviceChoice
        The device that was used.
    figure : pathlib.Path
        PNG file of the three images side by side.
    """

    clean: NDArray[np.uint8]
    noisy: NDArray[np.uint8]
    denoised: NDArray[np.uint8]
    comparison: Comparison
    noise: str
    model: str
    device: DeviceChoice
    figure: Path

    def lines(self) -> list[str]:
        """Return the result as lines of text for users."""
        return [
            "image      astronaut, 512 x 512 RGB, from scikit-image",
            f"noise      {self.noise}",
            f"model      {self.model}",
            f"device     {self.device}",
            "",
            *self.comparison.lines(),
            "",
            f"figure     {self.figure}",
        ]


def run_demo(
    folder: Path, *, model: str, device: str, overwrite: bool = False
) -> DemoResult:
    """Add the noise that a model was trained on to a photograph, and denoise it.

    The photograph is scikit-image's astronaut.

    Parameters
    ----------
    folder : pathlib.Path
        Folder to write ``demo.png`` to. A figure of an earlier run is replaced.
    model : str
        ``"auto"``, the name of a built-in model, or a checkpoint file with a
        training record.
    device : str
        See `denoise`.
    overwrite : bool
        Whether to replace another file named ``demo.png``.

    Returns
    -------
    DemoResult
        The images, their PSNR and SSIM, and the file.

    Raises
    ------
    CheckpointError, DeviceError, OutputError
        If the model or the device cannot be used, or the file cannot be written.
    """
    figure = folder / "demo.png"
    require_writable(figure)
    if figure.exists() and not (overwrite or is_own_figure(figure)):
        raise OutputError(
            f"Cannot write {figure}: it exists and is not a figure of the demo. Choose "
            "another folder (--output), or replace it (--overwrite)."
        )
    checkpoint = load_fitting(model, n_colors=3)
    if checkpoint.record is None:
        raise CheckpointError(
            f"{checkpoint.name} has no training record, so the noise for the demo is "
            "unknown. Use `denoise --add-noise` instead."
        )
    noise = checkpoint.record.config.noise_model
    if checkpoint.outline().takes_noise_level:
        noise = parse_noise(_NOISE)
    clean = astronaut()
    noisy = add_noise(clean, noise)
    chosen = choose_device(device)
    run = Denoising(noisy, Denoiser(checkpoint, chosen))
    for message in run.find_incompatibilities():
        warnings.warn(message, DenoiseAEWarning, stacklevel=2)
    for _ in run:
        pass
    data_range = resolve_intensity_range(clean)
    comparison = compare(clean, noisy, run.result, axes="YXS", data_range=data_range)
    panels = [noisy, run.result, clean]
    save_panels([panels], comparison.titles(), figure, intensity_range=data_range)
    return DemoResult(
        clean=clean,
        noisy=noisy,
        denoised=run.result,
        comparison=comparison,
        noise=noise.description,
        model=checkpoint.name,
        device=chosen,
        figure=figure,
    )
