"""States of the widgets that the documentation shows no picture of.

``make_screenshots.py --all-states`` takes them, to be looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from screenshot_studio import PLUGIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from screenshot_studio import Studio


def denoise_states(studio: Studio) -> None:
    """Take the Denoise widget without a layer, with its options, and while it runs."""
    viewer = studio.viewer
    widget = studio.open_widget("Denoise")
    form = widget.form
    studio.take("denoise-no-layer")
    viewer.open_sample(PLUGIN, "clean_gray")
    form.kind.value = "clean"
    form.options.expand()
    studio.take("denoise-options-clean")
    form.kind.value = "noisy"
    viewer.layers.clear()
    long_name = "2026-03-14 embryo 12, second channel, after bleaching.tif"
    layer = viewer.add_image(cells(60), name=long_name, axis_labels=("t", "y", "x"))
    studio.wait(lambda: bool(form.to_remove.estimate_note.text()))
    studio.take("denoise-options-stack")
    form.options.button.setChecked(False)
    form.to_remove.curve.expand()
    studio.take("denoise-noise-curve")
    form.to_remove.curve.button.setChecked(False)
    form.to_remove.kind.value = "Gaussian, sigma given"
    form.to_remove.sigma.value = 90
    studio.wait(lambda: bool(widget.warning.text()))
    studio.take("denoise-warning")
    form.to_remove.kind.value = "auto"
    widget.run_button.click()
    studio.wait(lambda: widget.bar.maximum() > 0)
    studio.take("denoise-running")
    widget.keep_button.click()
    studio.wait(widget.run_button.isEnabled)
    studio.take("denoise-kept")
    viewer.layers.selection.active = layer
    widget.panel.flip_button.click()
    studio.take("denoise-before")
    viewer.layers.clear()
    _lazy_states(studio, widget)


def _lazy_states(studio: Studio, widget: Any) -> None:
    """Take a lazy layer while its tiles are computed, and afterwards."""
    import dask.array as da

    pixels = np.tile(cells(4).astype(np.uint16), (1, 4, 4))
    lazy = da.from_array(pixels, chunks=(1, 1024, 1024))
    layer = studio.viewer.add_image(lazy, name="lazy", contrast_limits=(0, 255))
    widget.form.model.value = "conv"
    studio.take("denoise-lazy-range")
    widget.form.model.value = "auto"
    studio.wait(lambda: bool(widget.form.to_remove.estimate_note.text()))
    widget.run_button.click()
    studio.wait(lambda: "tiles" in widget.status.text())
    studio.take("denoise-lazy-computing")
    studio.wait(lambda: widget.status.text().startswith("done"))
    studio.take("denoise-lazy-done")
    studio.viewer.layers.remove(layer)


def compare_states(studio: Studio) -> None:
    """Take six pictures with long names side by side."""
    viewer = studio.viewer
    widget = studio.open_widget("Denoise")
    viewer.open_sample(PLUGIN, "clean_color")
    viewer.layers[0].name = "2026-03-14 the astronaut in her suit.tif"
    widget.form.kind.value = "clean"
    widget.side_by_side.setChecked(True)
    widget.compare_section.expand()
    widget.compare.choose(["auto", "conv", "residual", "residual-no-skips"])
    widget.compare.compare_button.click()
    studio.wait(lambda: widget.compare.status.text() == "done")
    viewer.reset_view()
    studio.take("compare-long-names")
    widget.side_by_side.setChecked(False)
    widget.compare_section.button.setChecked(False)
    widget.form.kind.value = "noisy"


def train_states(studio: Studio) -> None:
    """Take the Train widget for each kind of images, with errors, and while it runs."""
    from qtpy.QtWidgets import QTabWidget

    widget = studio.open_widget("Train")
    form = widget.form
    for kind in ("data", "images", "pairs", "repeats", "adapt", "noise2void"):
        form.set_value("train_on", kind)
        studio.take(f"train-settings-{kind}")
    form.set_value("train_on", "data")
    form.set_value("noise", "gaussian:0.1+poisson-gaussian-and-more")
    form.set_value("epochs", 0)
    widget.controls.train_button.click()
    studio.take("train-errors")
    form.preset_note.reset.emit()
    form.set_value("epochs", 3)
    form.set_value("preset", "residual")
    studio.take("train-preset-note")
    form.preset_note.reset.emit()
    layer = studio.viewer.add_image(cells(1)[0], name="cells")
    values = {
        "train_on": "noise2void",
        "images": layer,
        "output": "models/states.safetensors",
        "epochs": 1000,
    }
    for name, value in values.items():
        form.set_value(name, value)
    studio.wait(lambda: bool(widget.controls.estimate.text()))
    widget.controls.train_button.click()
    studio.wait(lambda: bool(widget.progress._title.text()))  # noqa: SLF001
    studio.take("train-before-first-epoch")
    studio.wait(lambda: len(widget.progress.plot.history) > 1)
    studio.take("train-running")
    widget.controls.finish_button.click()
    studio.wait(lambda: not widget.is_running)
    studio.take("train-finished")
    widget.findChild(QTabWidget).setCurrentIndex(0)


def files_states(studio: Studio) -> None:
    """Take the Denoise files widget without files."""
    studio.open_widget("Denoise files")
    studio.take("files-empty")


def cells(n_frames: int) -> np.ndarray:
    """Return noisy frames of a moving cell."""
    from skimage import data

    from napari_denoise_ae import add_noise

    cell = data.cell()[:512]
    frames = np.stack([np.roll(cell, 3 * n, axis=1) for n in range(n_frames)])
    return add_noise(frames, "poisson:60", axes="TYX", rng=0)


STATES: dict[str, Callable[[Studio], None]] = {
    "denoise-states": denoise_states,
    "compare-states": compare_states,
    "train-states": train_states,
    "files-states": files_states,
}
