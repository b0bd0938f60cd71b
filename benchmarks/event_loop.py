"""Measure how late a 5 ms timer fires in napari's event loop, for each action.

Each action of the widgets is measured in a real viewer. Those that napari also has,
such as opening a dock or adding a layer, are measured beside it with an empty widget.
torch is imported before the measurement, because its first import blocks any event
loop. The script needs a screen, real or virtual:

    xvfb-run -a python benchmarks/event_loop.py
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dask.array as da
import napari
import numpy as np
import torch
from qtpy.QtCore import QEventLoop, QTimer
from qtpy.QtWidgets import QWidget

from napari_denoise_ae import add_noise, denoise, denoise_layer
from napari_denoise_ae._napari.denoise.commands import denoise_active_layer
from napari_denoise_ae._napari.denoise.widget import DenoiseWidget
from napari_denoise_ae._napari.train.widget import TrainWidget
from napari_denoise_ae._napari.viewer.outputs import find_cache, find_output

if TYPE_CHECKING:
    from collections.abc import Callable

INTERVAL = 5.0  # of the timer, in milliseconds
# Event loops that are later than this, in milliseconds, are felt: in one of 100 turns,
# and ever, beyond what napari itself takes.
P99, LATEST = 100.0, 300.0


class Lateness:
    """A timer that records by how many milliseconds it fires late.

    Attributes
    ----------
    milliseconds : list of float
        How late it fired.
    busy : list of float
        How many milliseconds of processor time the GUI thread took before it fired,
        which does not depend on what else runs on the machine.
    """

    def __init__(self) -> None:
        self.reset()
        self._timer = QTimer()
        self._timer.setTimerType(self._timer.timerType().PreciseTimer)
        self._timer.setInterval(int(INTERVAL))
        self._timer.timeout.connect(self._record)
        self._timer.start()

    def _record(self) -> None:
        now, busy = time.perf_counter(), time.thread_time()
        self.milliseconds.append(max(0.0, 1000 * (now - self._last) - INTERVAL))
        self.busy.append(1000 * (busy - self._last_busy))
        self._last, self._last_busy = now, busy

    def reset(self) -> None:
        """Discard the records and start again."""
        self.milliseconds: list[float] = []
        self.busy: list[float] = []
        self._last, self._last_busy = time.perf_counter(), time.thread_time()


def run_event_loop(seconds: float) -> None:
    """Run Qt's event loop for a time."""
    loop = QEventLoop()
    QTimer.singleShot(int(1000 * seconds), loop.quit)
    loop.exec()


def wait_until(condition: Callable[[], Any], seconds: float = 120.0) -> None:
    """Run Qt's event loop until a condition is true."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("An action did not end.")
        run_event_loop(0.02)


class Bench:
    """A viewer in which actions are measured and reported."""

    def __init__(self) -> None:
        self.viewer: Any = napari.Viewer()
        self._lateness = Lateness()
        run_event_loop(2.0)

    def measure(
        self, name: str, action: Callable[[], Any], seconds: float = 0.5
    ) -> Any:
        """Measure an action and some time after it, and print how late the timer is."""
        run_event_loop(0.5)
        self._lateness.reset()
        result = action()
        run_event_loop(seconds)
        values = np.array(self._lateness.milliseconds)
        p99, latest = np.percentile(values, 99), values.max()
        marks = " p99!" * bool(p99 > P99) + " max!" * bool(latest > LATEST)
        print(
            f"{name:<40} {p99:6.1f} {latest:6.1f} {max(self._lateness.busy):6.1f}  "
            f"{len(values):5d} ticks, load {os.getloadavg()[0]:.1f}{marks}",
            flush=True,
        )
        return result


def photos(n_frames: int, side: int) -> Any:
    """Return noisy frames."""
    clean = np.tile(np.linspace(20, 200, side, dtype=np.float32), (side, 1))
    frames = np.stack([clean] * n_frames).astype(np.uint8)
    return add_noise(frames, "gaussian:0.1", axes="TYX")


def lazy_photos() -> Any:
    """Return noisy frames as a dask array."""
    return da.from_array(photos(4, 1024), chunks=(1, 512, 512))


def napari_alone(bench: Bench, stack: Any) -> None:
    """Measure what napari itself does, with an empty widget."""
    viewer, window = bench.viewer, bench.viewer.window
    dock = bench.measure(
        "napari: open an empty widget",
        lambda: window.add_dock_widget(QWidget(), name="empty"),
    )
    first = bench.measure("napari: add a layer", lambda: viewer.add_image(stack))
    bench.measure("napari: add its result", lambda: viewer.add_image(stack.copy()))
    bench.measure("napari: move the slider", lambda: viewer.dims.set_point(0, 5))
    grid = viewer.canvas.grid
    bench.measure("napari: grid on", lambda: setattr(grid, "enabled", True))
    names = [layer.name_overlay for layer in viewer.layers]

    def show_names(on: bool) -> None:
        for name in names:
            name.visible = on

    bench.measure("napari: names on", partial(show_names, True))
    show_names(False)
    bench.measure("napari: grid off", lambda: setattr(grid, "enabled", False))
    selection = viewer.layers.selection
    bench.measure("napari: another layer", lambda: setattr(selection, "active", first))
    add_lazy = partial(viewer.add_image, lazy_photos(), contrast_limits=(0, 255))
    bench.measure("napari: add a lazy layer", add_lazy)
    window.remove_dock_widget(dock)
    viewer.layers.clear()


def denoise_actions(bench: Bench, stack: Any) -> DenoiseWidget:
    """Measure the actions of the Denoise widget, and return it."""
    viewer, measure = bench.viewer, bench.measure
    widget: Any = measure("open Denoise", lambda: open_dock(viewer, DenoiseWidget), 1.0)

    def is_done() -> bool:
        return bool(widget.run_button.isEnabled() and widget.status.text())

    def run() -> None:
        widget.run_button.click()
        wait_until(is_done)

    def run_and(press: Any) -> None:
        widget.run_button.click()
        wait_until(lambda: widget.bar.maximum() > 0 and press.isEnabled())
        run_event_loop(0.5)
        press.click()
        wait_until(is_done)

    layer = measure(
        "add a layer, measure its noise", lambda: viewer.add_image(stack), 3.0
    )
    measure("open the options", widget.form.options.expand)
    curve = widget.form.to_remove.curve
    measure("open the noise curve", curve.expand)
    curve.button.setChecked(False)
    strength = widget.form.to_remove.strength
    measure("preview", lambda: widget.preview_box.setChecked(True), 3.0)
    measure("strength, with the preview", lambda: strength.setValue(0.8), 2.0)
    measure(
        "move the slider, with the preview", lambda: viewer.dims.set_point(0, 5), 2.0
    )
    widget.preview_box.setChecked(False)
    measure("denoise and cancel", lambda: run_and(widget.cancel_button))
    measure("denoise and keep finished", lambda: run_and(widget.keep_button))
    measure("denoise", run)
    panel = widget.panel
    measure("before / after", panel.flip_button.click)
    panel.flip_button.click()
    measure("compare contrast", panel.contrast_button.click)
    measure("side by side on", lambda: widget.side_by_side.setChecked(True), 1.0)
    measure("side by side off", lambda: widget.side_by_side.setChecked(False))
    measure("another layer", lambda: setattr(viewer.layers.selection, "active", layer))
    trust = widget.trust

    def assess() -> None:
        trust.assess_button.click()
        wait_until(trust.assess_button.isEnabled)

    measure("assess the result", assess)
    measure("swipe", lambda: panel.swipe.setValue(500))
    panel.swipe.setValue(0)
    widget.compare.choose(["gray", "conv"])

    def compare() -> None:
        widget.compare.compare_button.click()
        wait_until(lambda: widget.compare.status.text() == "done")

    measure("compare two models", compare)
    viewer.layers.selection.active = layer
    measure("menu: Layers > Filter > Denoise", denoise_active_layer, 5.0)
    measure("console: denoise_layer", lambda: denoise_layer(layer))
    viewer.layers.clear()
    return widget


def lazy_actions(bench: Bench, widget: DenoiseWidget, folder: Path) -> None:
    """Measure the actions on a lazy layer, with the widget that is open."""
    viewer, measure = bench.viewer, bench.measure
    add_lazy = partial(viewer.add_image, lazy_photos(), contrast_limits=(0, 255))
    layer = measure("lazy: add a layer, measure its noise", add_lazy, 3.0)

    def run() -> None:
        widget.run_button.click()
        wait_until(lambda: find_output(viewer, layer, "denoised"))
        cache = find_cache(find_output(viewer, layer, "denoised"))
        wait_until(lambda: cache.is_idle)

    measure("lazy: denoise what is looked at", run)
    measure("lazy: move the slider", lambda: viewer.dims.set_point(0, 2), 5.0)
    result = find_output(viewer, layer, "denoised")
    path = str(folder / "result.ome.zarr")
    measure("lazy: save as OME-Zarr", lambda: result.save(path))
    viewer.layers.clear()


def first_preview(bench: Bench, widget: QWidget) -> None:
    """Time the first preview of 512 x 512 pixels in a new Denoise widget."""
    viewer = bench.viewer
    viewer.window.remove_dock_widget(widget)
    layer = viewer.add_image(photos(1, 512)[0])
    run_event_loop(1.0)
    again: Any = open_dock(viewer, DenoiseWidget)
    again.repaint()
    start = time.perf_counter()
    again.preview_box.setChecked(True)
    wait_until(lambda: find_output(viewer, layer, "preview"))
    print(f"seconds to the first preview: {time.perf_counter() - start:.2f}")
    viewer.window.remove_dock_widget(again)
    viewer.layers.clear()


def training(bench: Bench, folder: Path, seconds: float) -> None:
    """Measure the Train widget at full speed, on a noisy layer."""
    layer = bench.viewer.add_image(photos(1, 256)[0])
    widget: Any = bench.measure(
        "open Train", lambda: open_dock(bench.viewer, TrainWidget), 1.0
    )
    settings = {
        "train_on": "noise2void",
        "images": layer,
        "output": str(folder / "model.pt"),
        "epochs": 10_000,
        "patience": 10_000,
        "batches_per_epoch": 10,
    }
    for name, value in settings.items():
        widget.form.set_value(name, value)
    wait_until(widget.controls.estimate.text)
    widget.controls.train_button.click()
    wait_until(lambda: widget.progress.plot.history)
    bench.measure("train", lambda: None, seconds)

    def finish() -> None:
        widget.controls.finish_button.click()
        wait_until(lambda: not widget.is_running)

    bench.measure("finish training", finish)


def open_dock(viewer: Any, make: Callable[[Any], QWidget]) -> QWidget:
    """Make a widget, put it into a dock, and return it."""
    widget = make(viewer)
    viewer.window.add_dock_widget(widget, name=type(widget).__name__)
    return widget


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--seconds",
        type=float,
        default=10.0,
        help="length of the measurement during training (default: 10)",
    )
    arguments = parser.parse_args()
    stack = photos(8, 512)
    # Loads torch and the model.
    denoise(stack[0])
    print(f"{os.cpu_count()} cores, torch {torch.__version__}")
    print(f"{'milliseconds late':<40}    p99    max   busy")
    with tempfile.TemporaryDirectory() as name:
        bench = Bench()
        napari_alone(bench, stack)
        widget = denoise_actions(bench, stack)
        lazy_actions(bench, widget, Path(name))
        first_preview(bench, widget)
        training(bench, Path(name), arguments.seconds)
        bench.viewer.close()


if __name__ == "__main__":
    main()
