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
from noise_rows import measured, photographs, white

from napari_denoise_ae import denoise, load_checkpoint, train
from napari_denoise_ae.errors import DenoiseAEWarning

if TYPE_CHECKING:
    from collections.abc import Callable

    from noise_rows import Scene
    from numpy.typing import NDArray

    from napari_denoise_ae.models.checkpoint import Checkpoint

# The last quarter of the frames of a stack is kept out.
KEPT_OUT = 0.25
# Number of the photograph that Noise2Void is trained on, from 0, and its noise.
PHOTOGRAPH, SIGMA = 7, 25


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
    """

    name: str
    images: dict[str, Any]
    score: Callable[[Checkpoint], float]
    settings: dict[str, Any] = field(default_factory=dict)


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


def blind_spot_task(folder: Path) -> Task:
    """Return the task that trains a network on one noisy photograph."""
    clean = list(photographs(folder))[PHOTOGRAPH]
    scene = white(clean, PHOTOGRAPH, sigma=SIGMA)
    images = {"noise2void": scene.noisy}
    name = f"Noise2Void, {folder.name}/{PHOTOGRAPH + 1:02}, sigma {SIGMA}"
    return Task(name, images, partial(mean_psnr, [scene]))


def run(task: Task) -> None:
    """Train on a task, and print its row."""
    gray = load_checkpoint("gray")
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        result = train(
            **task.images,
            **task.settings,
            output=Path(folder) / "model.pt",
            device="cpu",
            progress=False,
        )
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
        tasks.append(blind_spot_task(options.gray))
    print(f"{'PSNR / dB':<52}{'gray':>8}{'trained':>8}{'gain':>8}{'CPU s':>8}")
    for task in tasks:
        if any(word in task.name for word in options.rows):
            run(task)


if __name__ == "__main__":
    main()
