"""Operate the widgets in a real window and write screenshots as PNGs.

The script needs napari and a screen, real or virtual:

    xvfb-run -a -s "-screen 0 1920x1080x24" python docs/make_screenshots.py --data DIR

DIR contains CIFAR-10. Without it, the screenshots that need it are left out. ``--only
train`` takes those of one part. ``--all-states FOLDER`` takes these and many other
states, each in two sizes and two themes, to be looked at. The user's napari settings
are not changed.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from screenshot_states import STATES
from screenshot_studio import PLUGIN, Studio

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

IMAGES = Path(__file__).parent / "images"


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
    parser.add_argument(
        "--all-states",
        type=Path,
        metavar="FOLDER",
        help="take every state in all sizes and themes, into this folder",
    )
    parser.add_argument(
        "--only",
        choices=PARTS | STATES,
        help="take the screenshots of one part (default: all)",
    )
    arguments = parser.parse_args()
    parts = PARTS | STATES if arguments.all_states or arguments.only else PARTS
    output = (arguments.all_states or arguments.output).resolve()
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        # Set before napari is imported, because napari reads its settings then.
        os.environ["NAPARI_CONFIG"] = str(Path(folder) / "settings.yaml")
        os.environ["XDG_CONFIG_HOME"] = folder
        studio = Studio(
            arguments.theme,
            arguments.size,
            output,
            takes_all=arguments.all_states is not None,
        )
        # Use relative paths, so that the screenshots show no path of this machine.
        if arguments.data is not None:
            Path(folder, "data").symlink_to(arguments.data.resolve())
        os.chdir(folder)
        Path("models").mkdir()
        for name, part in parts.items():
            if arguments.only in (None, name):
                studio.viewer.layers.clear()
                part(studio)
        studio.viewer.close()


def denoise(studio: Studio) -> None:
    """Open a sample, preview the result, denoise, and view both side by side."""
    viewer = studio.viewer
    viewer.open_sample(PLUGIN, "clean_color")
    widget = studio.open_widget("Denoise")
    studio.wait(seconds=6.0)
    widget.form.kind.value = "clean"
    studio.wait(lambda: bool(widget.form.to_remove.estimate_note.text()))
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


def walk_through(studio: Studio) -> None:
    """Denoise a dim time series, and measure what denoising a photograph gains."""
    from skimage import data

    from napari_denoise_ae import add_noise

    viewer = studio.viewer
    widget = studio.open_widget("Denoise")
    cell = data.cell()[:512]
    frames = np.stack([np.roll(cell, 3 * number, axis=1) for number in range(8)])
    series = add_noise(frames, "poisson:60", axes="TYX", rng=0)
    viewer.add_image(series, name="cell", axis_labels=("t", "y", "x"))
    studio.wait(lambda: bool(widget.form.to_remove.estimate_note.text()))
    studio.take("walk-noise")
    denoise_and_wait(studio, widget)
    widget.panel.contrast_button.click()
    widget.panel.swipe.setValue(500)
    studio.take("walk-swipe")
    widget.panel.swipe.setValue(0)
    widget.trust_section.expand()
    widget.trust.assess_button.click()
    studio.wait(widget.trust.assess_button.isEnabled)
    studio.take("believe", few_colors=False)
    widget.trust_section.button.setChecked(False)
    viewer.layers.clear()
    viewer.open_sample(PLUGIN, "clean_gray")
    widget.form.kind.value = "clean"
    widget.form.to_remove.strength.setValue(2.0)
    denoise_and_wait(studio, widget)
    studio.take("walk-strength")
    widget.form.to_remove.strength.setValue(1.0)
    widget.side_by_side.setChecked(True)
    widget.compare_section.expand()
    widget.compare.choose(["gray", "conv", "non-local means"])
    widget.compare.compare_button.click()
    studio.wait(lambda: widget.compare.status.text() == "done")
    viewer.reset_view()
    studio.scroll_to_the_end(widget)
    studio.take("walk-compare")
    widget.side_by_side.setChecked(False)
    widget.compare_section.button.setChecked(False)
    widget.form.kind.value = "noisy"


def denoise_and_wait(studio: Studio, widget: Any) -> None:
    """Denoise the chosen layer, and wait for the result."""
    widget.run_button.click()
    studio.wait(lambda: widget.status.text().startswith("done"))


def train(studio: Studio) -> None:
    """Train a model on CIFAR-10 for two epochs and denoise an image with it."""
    if not Path("data").exists():
        return
    values = {"output": "models/mine.pt", "data": "data", "epochs": 2}
    widget = open_train(studio, train_on="data", **values)
    studio.wait(lambda: bool(widget.controls.estimate.text()))
    studio.take("train")
    widget.controls.train_button.click()
    studio.wait(lambda: len(widget.progress.plot.history) == 1)
    studio.wait(seconds=4.0)
    studio.take("training")
    studio.wait(lambda: not widget.is_running)
    studio.take("trained")
    studio.viewer.open_sample(PLUGIN, "noisy_color")
    widget.new_model.compare_button.click()
    layers = studio.viewer.layers
    studio.wait(
        lambda: len(layers) == 3 and all(each.name_overlay.visible for each in layers)
    )
    studio.viewer.reset_view()
    studio.take("with-the-new-model")
    studio.viewer.canvas.grid.enabled = False


def train_on_images(studio: Studio) -> None:
    """Train on images of each kind."""
    from skimage import data

    from napari_denoise_ae import add_noise

    viewer = studio.viewer
    photos = Path("photos")
    photos.mkdir()
    for name in ("brick", "camera", "coins", "moon"):
        Image.fromarray(getattr(data, name)()).save(photos / f"{name}.png")
    noise = "poisson:20"
    clean = data.camera()
    few = {"epochs": 3, "batches_per_epoch": 30, "batch_size": 4}
    train_and_take(studio, "images", "photos", few)
    noisy = viewer.add_image(add_noise(clean, noise, rng=0), name="short exposure")
    long = viewer.add_image(clean, name="long exposure")
    train_and_take(studio, "pairs", noisy, few | {"clean": long})
    viewer.layers.remove(long)
    again = viewer.add_image(add_noise(clean, noise, rng=1), name="again")
    train_and_take(studio, "repeats", noisy, {"second": again})
    viewer.layers.clear()
    # The scene moves by two pixels a frame.
    frames = [np.roll(clean, 2 * shift, axis=1) for shift in range(8)]
    series = np.stack(
        [add_noise(frame, "gaussian:0.05", rng=n) for n, frame in enumerate(frames)]
    )
    layer = viewer.add_image(series, name="series", axis_labels=("t", "y", "x"))
    train_and_take(studio, "adapt", layer, {})
    viewer.layers.clear()
    coins = viewer.add_image(add_noise(data.coins(), "gaussian:0.1"), name="coins")
    train_and_take(studio, "noise2void", coins, {"epochs": 8})


def train_and_take(
    studio: Studio, kind: str, images: Any, settings: Mapping[str, Any]
) -> None:
    """Train on images of one kind, and show the settings and the result."""
    output = f"models/{kind}.safetensors"
    widget = open_train(studio, train_on=kind, images=images, output=output, **settings)
    studio.wait(lambda: bool(widget.controls.estimate.text()))
    before = studio.dock_pixels(widget)
    widget.controls.train_button.click()
    widget.progress.curves.clear_button.click()
    studio.wait(lambda: not widget.is_running)
    after = studio.dock_pixels(widget)
    rows = min(len(before), len(after))
    studio.save(f"train-{kind}", np.hstack([before[:rows], after[:rows]]))


def open_train(studio: Studio, train_on: str, **values: Any) -> Any:
    """Open the settings of the Train widget with some values, else the defaults."""
    from qtpy.QtWidgets import QTabWidget

    widget = studio.open_widget("Train")
    widget.findChild(QTabWidget).setCurrentIndex(0)
    widget.controls.status.setText("Ready.")
    widget.form.set_value("train_on", train_on)
    widget.form.preset_note.reset.emit()
    for name, value in values.items():
        widget.form.set_value(name, value)
    return widget


def compare(studio: Studio) -> None:
    """Compare the new model with the built-in models."""
    viewer = studio.viewer
    viewer.open_sample(PLUGIN, "clean_color")
    widget = studio.open_widget("Denoise")
    widget.form.kind.value = "clean"
    widget.side_by_side.setChecked(True)
    widget.compare_section.expand()
    studio.wait(seconds=4.0)
    widget.compare.compare_button.click()
    studio.wait(lambda: widget.compare.status.text() == "done")
    viewer.reset_view()
    studio.scroll_to_the_end(widget)
    studio.take("compare")
    widget.side_by_side.setChecked(False)


def edit_noise(studio: Studio) -> None:
    """Show the settings for mixed noise."""
    values = {
        "output": "models/mine.pt",
        "preset": "residual",
        "noise": "poisson-gaussian:0.01,0..0.05+salt-pepper:0.02",
        "loss": "mse_ssim",
    }
    open_train(studio, train_on="data", **values)
    studio.take("mixed-noise")


def denoise_files(studio: Studio) -> None:
    """Denoise several files, one of which is not an image."""
    import numpy as np
    import tifffile
    from skimage import data

    from napari_denoise_ae import add_noise

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


PARTS: dict[str, Callable[[Studio], None]] = {
    "denoise": denoise,
    "walk": walk_through,
    "train": train,
    "noise": edit_noise,
    "images": train_on_images,
    "compare": compare,
    "files": denoise_files,
}

if __name__ == "__main__":
    main()
