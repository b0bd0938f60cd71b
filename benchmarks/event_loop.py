"""Measure how late a 5 ms timer fires in napari's event loop during training.

The Train widget runs at full speed in a real viewer, on 32 x 32 images. torch is
imported before the measurement, because its first import blocks any event loop.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import napari
import numpy as np
import torch
from qtpy.QtCore import QEventLoop, QTimer

from napari_denoise_ae._napari.train import job as training_job
from napari_denoise_ae._napari.train.widget import TrainWidget
from napari_denoise_ae.io.cifar10 import ImageSet, load_cifar10

INTERVAL = 5.0  # of the timer, in milliseconds


class Lateness:
    """A timer that records by how many milliseconds it fires late."""

    def __init__(self) -> None:
        self.milliseconds: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.setTimerType(self._timer.timerType().PreciseTimer)
        self._timer.setInterval(int(INTERVAL))
        self._timer.timeout.connect(self._record)
        self._timer.start()

    def _record(self) -> None:
        now = time.perf_counter()
        self.milliseconds.append(max(0.0, 1000 * (now - self._last) - INTERVAL))
        self._last = now

    def reset(self) -> None:
        """Discard the records and start again."""
        self.milliseconds.clear()
        self._last = time.perf_counter()


def run_event_loop(seconds: float) -> None:
    """Run Qt's event loop for a time."""
    loop = QEventLoop()
    QTimer.singleShot(int(1000 * seconds), loop.quit)
    loop.exec()


def train_and_measure(arguments: argparse.Namespace, folder: Path) -> None:
    """Train in a new viewer and print how late the timer fired."""
    viewer = napari.Viewer()
    widget = TrainWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Train")
    (folder / "cifar-10-batches-py").mkdir()
    widget.form.set_value("data", str(folder))
    widget.form.set_value("output", str(folder / "model.pt"))
    widget.form.set_value("epochs", 10_000)
    widget.form.set_value("patience", 10_000)
    lateness = Lateness()
    run_event_loop(2.0)
    lateness.reset()
    run_event_loop(arguments.seconds / 3)
    report("idle", lateness)
    widget.controls.train_button.click()
    while not widget.progress.plot.history:
        run_event_loop(0.1)
    lateness.reset()
    run_event_loop(arguments.seconds)
    report("training", lateness)
    print(f"epochs during the measurement: {len(widget.progress.plot.history) - 1}")
    widget.controls.finish_button.click()
    start = time.perf_counter()
    while widget.is_running:
        run_event_loop(0.01)
    print(f"stopped after {time.perf_counter() - start:.2f} s")
    viewer.close()


def report(phase: str, lateness: Lateness) -> None:
    """Print the median, 99th percentile and maximum of the delays."""
    values = np.array(lateness.milliseconds)
    median, p99 = np.percentile(values, (50, 99))
    print(
        f"{phase:<9} late by {median:.1f} ms (median), {p99:.1f} ms (p99), "
        f"{values.max():.1f} ms (max), {len(values)} ticks, "
        f"load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder that contains CIFAR-10 (default: random images)",
    )
    parser.add_argument(
        "--images", type=int, default=5_000, help="images per epoch (default: 5000)"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=30.0,
        help="length of the measurement during training (default: 30)",
    )
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (arguments.images, 32, 32, 3), dtype=np.uint8)
    if arguments.data is not None:
        images = load_cifar10(arguments.data, train=True).images[: arguments.images]
    training_job.load_images = lambda _folder, _n_test: ImageSet("benchmark", images)
    print(f"{os.cpu_count()} cores, torch {torch.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        train_and_measure(arguments, Path(folder))


if __name__ == "__main__":
    main()
