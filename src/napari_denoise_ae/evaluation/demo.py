"""The demonstration: a photograph made noisy and denoised, with nothing to fetch."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skimage.data import astronaut

from ..denoising.array import Denoising
from ..denoising.denoiser import Denoiser
from ..errors import CheckpointError, DenoiseAEWarning
from ..image.ranges import resolve_intensity_range
from ..io.atomic import require_writable
from ..models.devices import choose_device
from ..models.load import load_fitting
from ..noise.add import add_noise
from ..noise.spec import parse_noise
from .comparison import compare
from .figures import save_panels

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from ..models.devices import DeviceChoice
    from .comparison import Comparison

# For models that suit any noise.
_NOISE = "gaussian:0.1"


@dataclass(frozen=True, slots=True, eq=False)
class DemoResult:
    """What the demonstration made.

    Parameters
    ----------
    clean, noisy, denoised : numpy.ndarray
        (512, 512, 3), uint8.
    comparison : Comparison
        Their figures.
    noise, model : str
        The noise that was added, and the model that removed it.
    device : DeviceChoice
        Where it was computed.
    figure : pathlib.Path
        The three images side by side.
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
        """Return a report for a user to read."""
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


def run_demo(folder: Path, *, model: str, device: str) -> DemoResult:
    """Add to a photograph the noise that a model was trained for, and denoise it.

    Parameters
    ----------
    folder : pathlib.Path
        Where ``demo.png`` goes.
    model : str
        A built-in model's name, or a checkpoint file that says its noise.
    device : str
        See `denoise`.

    Returns
    -------
    DemoResult
        The images and their figures.

    Raises
    ------
    CheckpointError, DeviceError, OutputError
        If the model, the device or the folder cannot be used.
    """
    figure = folder / "demo.png"
    require_writable(figure)
    checkpoint = load_fitting(model, n_colors=3)
    if checkpoint.record is None:
        raise CheckpointError(
            f"{checkpoint.name} does not say which noise it was trained for, so there "
            "is nothing to demonstrate. Use `denoise --add-noise` instead."
        )
    noise = checkpoint.record.config.noise_model
    if checkpoint.outline().takes_noise_level:
        noise = parse_noise(_NOISE)
    clean = astronaut()
    noisy = add_noise(clean, noise)
    chosen = choose_device(device)
    run = Denoising(noisy, Denoiser(checkpoint, chosen))
    for message in run.misfits():
        warnings.warn(message, DenoiseAEWarning, stacklevel=2)
    for _ in run:
        pass
    scale = resolve_intensity_range(clean)
    comparison = compare(clean, noisy, run.result, axes="YXS", data_range=scale)
    panels = [noisy, run.result, clean]
    save_panels([panels], comparison.titles(), figure, intensity_range=scale)
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
