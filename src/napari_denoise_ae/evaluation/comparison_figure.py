"""Draw the results of several models side by side."""

from __future__ import annotations

import textwrap
from functools import partial
from typing import TYPE_CHECKING

from ..errors import InvalidInputError
from ..image.intensity import IntensityRange
from ..io.atomic import require_writable
from .apply import apply_model, denoise_pair
from .figures import save_panels
from .metrics import psnr

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from ..noise.setting import NoiseSetting
    from .fitting import ScoredModel
    from .pairs import Pair
    from .score import Score

_N_IMAGES = 5
_PANEL_WIDTH = 2.0  # inches
_TITLE_WIDTH = 24  # characters that fit above a panel
_UNIT = IntensityRange(0.0, 1.0)


def require_figure(path: Path) -> None:
    """Raise unless a figure can be written to a path.

    Call this before a long computation.

    Parameters
    ----------
    path : pathlib.Path
        The PNG file.

    Raises
    ------
    InvalidInputError
        If its name does not end in .png.
    OutputError
        If it cannot be written.
    """
    if path.suffix.lower() != ".png":
        raise InvalidInputError(f"The name of a figure must end in .png, got {path}.")
    require_writable(path)


def save_comparison(
    pairs: Sequence[Pair],
    models: Mapping[str, ScoredModel],
    scores: Sequence[Score],
    path: Path,
    setting: NoiseSetting | None = None,
) -> None:
    """Draw the first five images: noisy, denoised by each model, and clean.

    Each image is a row, with its PSNR below the noisy and the denoised images.

    Parameters
    ----------
    pairs : sequence of Pair
        The noisy and clean images.
    models : mapping
        The models by name.
    scores : sequence of Score
        The scores of ``"noisy"`` and of all models, and possibly of other
        methods. The mean PSNR is drawn above each column.
    path : pathlib.Path
        The PNG file.
    setting : NoiseSetting, optional
        See `score_methods`.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    means = {score.method: score.psnr_mean for score in scores}
    titles = [
        f"{textwrap.fill(name, _TITLE_WIDTH)}\nmean {means[name]:.2f} dB"
        for name in ("noisy", *models)
    ]
    rows, captions = [], []
    for pair in pairs[:_N_IMAGES]:
        results = [denoise_pair(pair, lambda unit: unit)]
        results += [
            denoise_pair(pair, partial(apply_model, denoiser=denoiser, setting=setting))
            for denoiser in models.values()
        ]
        captions.append([f"{_psnr(pair, result):.2f} dB" for result in results])
        rows.append([_to_panel(pair, image) for image in (*results, pair.clean)])
    save_panels(
        rows,
        [*titles, "clean"],
        path,
        intensity_range=_UNIT,
        captions=captions,
        panel_width=_PANEL_WIDTH,
    )


def _psnr(pair: Pair, result: NDArray[np.float64]) -> float:
    return psnr(pair.clean, result, data_range=pair.data_range.width)


def _to_panel(pair: Pair, image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return an image in [0, 1], of shape (Y, X, 3) or (Y, X)."""
    unit: NDArray[np.float64] = pair.data_range.normalize(image)
    return unit if unit.shape[-1] == 3 else unit[..., 0]
