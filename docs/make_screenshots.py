"""Operate the widgets in a real window and write numbered screenshots as PNGs.

The script needs napari and a screen, real or virtual:

    xvfb-run -a -s "-screen 0 1920x1080x24" python docs/make_screenshots.py --data DIR

DIR contains CIFAR-10. Without it, the screenshots of training are left out. The user's
napari settings are not changed.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.viewer import Viewer

IMAGES = Path(__file__).parent / "images"
PLUGIN = "napari-denoise-ae"
# Few enough for small files, enough to look right.
N_COLORS = 192


def main() -> None:
    """Take all screenshots that the data allows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder that contains CIFAR-10")
    parser.add_argument(
        "--theme",
        default="dark",
        choices=("dark", "light"),
        help="napari's theme (default: dark)",
    )
    parser.add_argument(
        "--size",
        default="1280x800",
        metavar="WIDTHxHEIGHT",
        help="size of the window (default: 1280x800)",
    )
    parser.add_argument(
        "--output", type=Path, default=IMAGES, help="folder (default: docs/images)"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        # Set before napari is imported, because napari reads its settings then.
        os.environ["NAPARI_CONFIG"] = str(Path(folder) / "settings.yaml")
        os.environ["XDG_CONFIG_HOME"] = folder
        studio = Studio(arguments.theme, arguments.size, arguments.output.resolve())
        denoise(studio)
        if arguments.data is not None:
            # Use relative paths, so that the screenshots show no path of this machine.
            data = arguments.data.resolve()
            os.chdir(folder)
            Path("data").symlink_to(data)
            Path("models").mkdir()
            train(studio)
            compare(studio)
            edit_noise(studio)
            denoise_files(studio)
        studio.viewer.close()


class Studio:
    """A viewer of which numbered screenshots are taken."""

    def __init__(self, theme: str, size: str, folder: Path) -> None:
        import napari

        self.viewer: Viewer = napari.Viewer()
        self.viewer.theme = theme
        self.viewer.window.resize(*(int(side) for side in size.split("x")))
        self._folder = folder
        self._n_taken = 0

    def open_widget(self, name: str) -> Any:
        """Open a widget of the plugin and return it."""
        dock, widget = self.viewer.window.add_plugin_dock_widget(
            PLUGIN, name, tabify=True
        )
        dock.raise_()
        return widget

    def wait(
        self, until: Callable[[], bool] | None = None, seconds: float = 1.0
    ) -> None:
        """Run Qt's event loop for some seconds, or until a condition is true.

        Waiting for a condition ends after 10 minutes.
        """
        from qtpy.QtWidgets import QApplication

        end = time.monotonic() + (600.0 if until else seconds)
        while time.monotonic() < end and not (until and until()):
            QApplication.processEvents()
            time.sleep(0.01)

    def take(self, name: str) -> None:
        """Take a numbered screenshot."""
        self.wait(seconds=1.0)
        self._n_taken += 1
        path = self._folder / f"napari-{self._n_taken:02}-{name}.png"
        pixels = self.viewer.screenshot(canvas_only=False, flash=False)
        Image.fromarray(pixels[..., :3]).quantize(N_COLORS).save(path, optimize=True)
        print(path)


def denoise(studio: Studio) -> None:
    """Open a sample, preview the result, denoise, and view both side by side."""
    viewer = studio.viewer
    viewer.open_sample(PLUGIN, "clean_color")
    widget = studio.open_widget("Denoise")
    studio.wait(seconds=6.0)
    widget.form.kind.value = "clean"
    studio.wait(lambda: bool(widget.form.to_remove.estimate_note.text()))
    studio.take("open")
    center, zoom = viewer.scene.camera.center, viewer.scene.camera.zoom
    widget.preview_box.setChecked(True)
    viewer.scene.camera.zoom = 3 * zoom
    studio.wait(lambda: "astronaut [preview]" in viewer.layers)
    studio.take("preview")
    widget.preview_box.setChecked(False)
    viewer.scene.camera.center, viewer.scene.camera.zoom = center, zoom
    widget.run_button.click()
    studio.wait(lambda: "astronaut [denoised]" in viewer.layers)
    studio.take("denoised")
    widget.side_by_side.setChecked(True)
    viewer.reset_view()
    studio.take("side-by-side")
    widget.side_by_side.setChecked(False)


def train(studio: Studio) -> None:
    """Train a model for two epochs and denoise an image with it."""
    studio.viewer.layers.clear()
    widget = studio.open_widget("Train")
    values = {"data": "data", "output": "models/mine.pt", "epochs": 2}
    for name, value in values.items():
        widget.form.set_value(name, value)
    studio.take("train")
    widget.controls.train_button.click()
    studio.wait(seconds=25.0)
    studio.take("training")
    studio.wait(lambda: not widget.is_running)
    studio.take("trained")
    studio.viewer.open_sample(PLUGIN, "noisy_color")
    denoiser = studio.open_widget("Denoise")
    denoiser.form.kind.value = "noisy"
    studio.wait(seconds=4.0)
    denoiser.run_button.click()
    name = "astronaut [noisy] [denoised]"
    studio.wait(lambda: name in studio.viewer.layers)
    studio.take("with-the-new-model")


def compare(studio: Studio) -> None:
    """Compare the new model with the built-in models."""
    viewer = studio.viewer
    viewer.layers.clear()
    viewer.open_sample(PLUGIN, "clean_color")
    widget = studio.open_widget("Denoise")
    widget.form.kind.value = "clean"
    widget.side_by_side.setChecked(True)
    widget.compare_section.expand()
    studio.wait(seconds=4.0)
    widget.compare.compare_button.click()
    studio.wait(lambda: widget.compare.status.text() == "done")
    viewer.reset_view()
    scroll_to_the_end(studio, widget)
    studio.take("compare")
    widget.side_by_side.setChecked(False)


def edit_noise(studio: Studio) -> None:
    """Show the settings for mixed noise and for the options of a network."""
    studio.viewer.layers.clear()
    widget = studio.open_widget("Train")
    values = {
        "preset": "residual",
        "noise": "poisson-gaussian:0.01,0..0.05+salt-pepper:0.02",
        "loss": "mse_ssim",
    }
    for name, value in values.items():
        widget.form.set_value(name, value)
    widget.form.parentWidget().parentWidget().setCurrentIndex(0)
    studio.take("noise-and-network")


def denoise_files(studio: Studio) -> None:
    """Denoise several files, one of which is not an image."""
    import numpy as np
    import tifffile
    from skimage import data

    from napari_denoise_ae import add_noise

    studio.viewer.layers.clear()
    widget = studio.open_widget("Denoise files")
    scans = Path("scans")
    scans.mkdir()
    for number, name in enumerate(("camera", "coins", "moon", "page", "cell")):
        noisy = add_noise(getattr(data, name)(), "gaussian:0.1", rng=number)
        if name == "moon":
            frames, axes = np.stack([noisy] * 40), {"axes": "TYX"}
            tifffile.imwrite(scans / "moon.tif", frames, metadata=axes)
        else:
            tifffile.imwrite(scans / f"{name}.tif", noisy)
    (scans / "coins.tif").write_bytes(b"not an image")
    widget.add(sorted(scans.iterdir()))
    # The button is disabled until the new model has been read.
    studio.wait(widget.run_button.isEnabled)
    widget.run_button.click()
    files = widget.table.files
    studio.wait(lambda: "%" in widget.table.state(files[3]))
    studio.take("files")
    studio.wait(lambda: not widget.is_running)


def scroll_to_the_end(studio: Studio, widget: Any) -> None:
    """Scroll a widget to its end."""
    from qtpy.QtWidgets import QScrollArea

    studio.wait(seconds=0.5)
    bar = widget.findChild(QScrollArea).verticalScrollBar()
    bar.setValue(bar.maximum())


if __name__ == "__main__":
    main()
