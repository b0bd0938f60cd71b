"""Measure what training on noisy images without clean ones gains.

``python benchmarks/own_images.py --examples DIR --gray DIR`` adapts ``gray`` to real
noisy images, trains it on repeats, and trains a network from nothing on one noisy
photograph. For each it prints the PSNR of one click with ``gray`` and with the trained
model, and the CPU seconds of training. Set ``OMP_NUM_THREADS=1`` to use one core.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
from neighbors import split, squared_error
from noise_rows import Scene, measured, photographs, white
from scipy.ndimage import gaussian_filter1d

from napari_denoise_ae import denoise, load_checkpoint, train
from napari_denoise_ae.errors import DenoiseAEWarning
from napari_denoise_ae.training.sources import noise2void

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_denoise_ae.models.checkpoint import Checkpoint

# The last quarter of the frames of a stack is kept out.
KEPT_OUT = 0.25
# Number of the photograph that Noise2Void is trained on, from 0, and its noise.
PHOTOGRAPH, SIGMA = 7, 25
# How far the streaks of correlated noise reach, in pixels, and the epochs of training
# on them: few, because two runs are compared with each other.
STREAK_BLUR, STREAK_EPOCHS = 1.5, 5


@dataclass(frozen=True, slots=True)
class Task:
    """A row of the table.

    Parameters
    ----------
    name : str
        What the table calls it.
    images : dict
        What `train` is given.
    score : callable
        Returns the PSNR of a model, or, without truth, minus its error in dB.
    settings : dict
        Settings that differ from the defaults.
    hides_streaks : bool
        False makes Noise2Void hide single pixels whatever the noise is.
    """

    name: str
    images: dict[str, Any]
    score: Callable[[Checkpoint], float]
    settings: dict[str, Any] = field(default_factory=dict)
    hides_streaks: bool = True


def mean_psnr(scenes: list[Scene], model: Checkpoint) -> float:
    """Return the mean PSNR of one click on scenes."""
    return float(
        np.mean(
            [
                scene.psnr(
                    denoise(
                        scene.noisy,
                        model=model,
                        device="cpu",
                        precision="float32",
                        dtype="float32",
                    )
                )
                for scene in scenes
            ]
        )
    )


def negative_error(
    parts: tuple[NDArray[Any], NDArray[Any], float], model: Checkpoint
) -> float:
    """Return the error on a series without truth, in dB, times -1."""
    noisy, target, noise = parts
    denoised = denoise(
        noisy, model=model, axes="TYX", device="cpu", precision="float32"
    )
    return float(-10.0 * np.log10(squared_error(denoised, target) - noise))


def adapt_tasks(folder: Path) -> list[Task]:
    """Return the tasks that adapt ``gray`` to single images and to stacks."""
    tasks = []
    for name in ("hazelnut_thin10", "seminal_thin3"):
        scenes = repeats(folder / name)
        for number, scene in enumerate(scenes):
            tasks.append(
                Task(
                    f"adapt, {name}, frame {number}, to itself",
                    {"adapt": scene.noisy, "start_from": "gray"},
                    partial(mean_psnr, [scene]),
                )
            )
            others = [each for each in scenes if each is not scene]
            tasks.append(
                Task(
                    f"adapt, {name}, frame {number}, to the others",
                    {"adapt": scene.noisy, "start_from": "gray"},
                    partial(mean_psnr, others),
                )
            )
    for path in sorted(folder.glob("lysosome_*_TYX_*.tif")):
        frames = tifffile.imread(path)
        n_train = len(frames) - round(KEPT_OUT * len(frames))
        tasks.append(
            Task(
                f"adapt, {path.stem}, frames kept out",
                {"adapt": frames[:n_train], "axes": "TYX", "start_from": "gray"},
                partial(negative_error, split(frames[n_train:].astype(np.float64))),
            )
        )
    return tasks


def repeat_tasks(folder: Path) -> list[Task]:
    """Return the tasks that train ``gray`` on repeats."""
    tasks = []
    for name in ("hazelnut_thin10", "seminal_thin3"):
        scenes = repeats(folder / name)
        stack = np.stack([scene.noisy for scene in scenes])
        images = {"repeats": stack, "axes": "TYX", "start_from": "gray"}
        tasks.append(Task(f"repeats, {name}", images, partial(mean_psnr, scenes)))
    return tasks


def repeats(prefix: Path) -> list[Scene]:
    """Return the repeats of one field, each with the same reference."""
    (path,) = prefix.parent.glob(f"{prefix.name}*_TYX.tif")
    reference = tifffile.imread(f"{prefix}_reference.tif")
    return [measured(frame, reference) for frame in tifffile.imread(path)]


def blind_spot_tasks(folder: Path) -> list[Task]:
    """Return the tasks that train a network on one noisy photograph."""
    clean = list(photographs(folder))[PHOTOGRAPH]
    name = f"Noise2Void, {folder.name}/{PHOTOGRAPH + 1:02}, sigma {SIGMA}"
    scene = white(clean, PHOTOGRAPH, sigma=SIGMA)
    streaky = streaks(clean)
    tasks = [Task(name, {"noise2void": scene.noisy}, partial(mean_psnr, [scene]))]
    for hides_streaks in (True, False):
        text = "streaks hidden" if hides_streaks else "single pixels hidden"
        tasks.append(
            Task(
                f"{name}, {text}",
                {"noise2void": streaky.noisy},
                partial(mean_psnr, [streaky]),
                settings={"epochs": STREAK_EPOCHS},
                hides_streaks=hides_streaks,
            )
        )
    return tasks


def streaks(clean: NDArray[np.float64]) -> Scene:
    """Add noise that is correlated along the rows, as in images of a fast scanner."""
    noise = np.random.default_rng(PHOTOGRAPH).standard_normal(clean.shape)
    noise = gaussian_filter1d(noise, STREAK_BLUR, axis=1, mode="wrap")
    noisy = clean + SIGMA / 255 * noise / noise.std()
    return Scene(noisy.astype(np.float32), clean, (0, 1))


def run(task: Task) -> None:
    """Train on a task, and print its row."""
    gray = load_checkpoint("gray")
    with tempfile.TemporaryDirectory() as folder:
        extent = noise2void.extent_of_correlation
        if not task.hides_streaks:
            noise2void.extent_of_correlation = lambda _: (0, 0)
        start = time.process_time()
        result = train(
            **task.images,
            **task.settings,
            output=Path(folder) / "model.pt",
            device="cpu",
            progress=False,
        )
        noise2void.extent_of_correlation = extent
        seconds = time.process_time() - start
    before, after = task.score(gray), task.score(result.checkpoint)
    print(
        f"{task.name:<52}{before:>8.2f}{after:>8.2f}{after - before:>+8.2f}"
        f"{seconds:>8.1f}  {result.judgment}",
        flush=True,
    )


def main() -> None:
    """Parse the arguments and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=Path, metavar="DIR")
    parser.add_argument("--gray", type=Path, metavar="DIR")
    parser.add_argument("--rows", nargs="+", metavar="WORD", default=[""])
    options = parser.parse_args()
    warnings.simplefilter("ignore", DenoiseAEWarning)
    tasks: list[Task] = []
    if options.examples is not None:
        tasks += adapt_tasks(options.examples) + repeat_tasks(options.examples)
    if options.gray is not None:
        tasks += blind_spot_tasks(options.gray)
    print(f"{'PSNR / dB':<52}{'gray':>8}{'trained':>8}{'gain':>8}{'CPU s':>8}")
    for task in tasks:
        if any(word in task.name for word in options.rows):
            run(task)


if __name__ == "__main__":
    main()
