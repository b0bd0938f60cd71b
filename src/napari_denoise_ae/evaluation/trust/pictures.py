"""Draw the maps and the transfer of a trust report."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .residual import FARTHEST

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from .report import TransferCurve, WindowMaps

_DPI = 110
_PANEL = 3.0  # inches
# Percentiles of the result that are drawn as black and white.
_SHOWN = (0.5, 99.5)


def draw_window(window: WindowMaps) -> bytes:
    """Draw a window, its result and its maps side by side.

    Parameters
    ----------
    window : WindowMaps
        The window.

    Returns
    -------
    bytes
        A PNG image.
    """
    maps: list[tuple[str, NDArray[Any], dict[str, Any]]] = []
    if window.error is not None:
        maps.append(("typical error", window.error, {"cmap": "magma", "vmin": 0}))
    if window.structure is not None:
        limits = {"vmin": -FARTHEST, "vmax": FARTHEST}
        shown = {"cmap": "coolwarm", **limits}
        maps.append(("removed part, blurred / noise", window.structure, shown))
    n_panels = 2 + len(maps)
    figure = Figure(figsize=(_PANEL * n_panels, _PANEL), layout="constrained")
    axes = figure.subplots(1, n_panels)
    known = window.denoised[np.isfinite(window.denoised)]
    low, high = np.percentile(known, _SHOWN) if known.size else (0.0, 1.0)
    images = {"noisy": window.noisy, "denoised": window.denoised}
    for panel, (title, image) in zip(axes, images.items(), strict=False):
        unit = np.clip((image - low) / ((high - low) or 1.0), 0.0, 1.0)
        panel.imshow(unit if unit.shape[-1] == 3 else unit[..., 0], cmap="gray")
        _finish(panel, title)
    for panel, (title, image, options) in zip(axes[2:], maps, strict=True):
        drawn = panel.imshow(image, **options)
        figure.colorbar(drawn, ax=panel, fraction=0.046)
        _finish(panel, title)
    return _as_png(figure)


def draw_transfer(curve: TransferCurve, pixel_size: tuple[float, str] | None) -> bytes:
    """Draw how much of the signal is kept over the size of details, as PNG."""
    size, unit = pixel_size or (1.0, "pixels")
    figure = Figure(figsize=(5.0, 2.8), layout="constrained")
    axes = figure.subplots()
    axes.plot(size / curve.frequencies, curve.transfer, marker=".")
    axes.axhline(0.5, color="gray", linewidth=0.8)
    axes.set_xscale("log")
    axes.invert_xaxis()
    axes.set_ylim(0.0, 1.15)
    axes.set_xlabel(f"period of details / {unit}")
    axes.set_ylabel("signal kept")
    return _as_png(figure)


def _finish(axes: Axes, title: str) -> None:
    axes.set_title(title, fontsize=9)
    axes.set_xticks([])
    axes.set_yticks([])


def _as_png(figure: Figure) -> bytes:
    FigureCanvasAgg(figure)
    buffer = BytesIO()
    figure.savefig(buffer, dpi=_DPI, format="png")
    return buffer.getvalue()
