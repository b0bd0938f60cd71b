"""Train in a child process, and kill and resume the training several times.

``python killed_training.py FOLDER EPOCHS KILLS`` kills the child with SIGKILL each time
and copies the files that it left to FOLDER/killed_0, FOLDER/killed_1, and so on. Then
it finishes the run in FOLDER/run. It is a script, and not a function of a test, so that
it forks before torch starts threads.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

import torch
from synthetic import SMALL, image_set

from napari_denoise_ae.models.config import TrainingConfig
from napari_denoise_ae.training.api import train
from napari_denoise_ae.training.optimizers import make_optimizer

SETTINGS = {
    "network_options": SMALL,
    "batch_size": 8,
    "learning_rate": 1e-2,
    "augmentation": "flip",
}


def train_to(output: Path, epochs: int) -> None:
    """Train to a number of epochs, resuming the run at `output` if there is one."""
    train(
        image_set(),
        output=output,
        device="cpu",
        resume=output.with_suffix(".resume").exists(),
        overwrite=not output.with_suffix(".resume").exists(),
        progress=False,
        epochs=epochs,
        patience=epochs,
        **SETTINGS,
    )


def start(output: Path, epochs: int) -> int:
    """Call `train_to` in a child process and return its id."""
    child = os.fork()
    if child == 0:
        train_to(output, epochs)
        os._exit(0)
    return child


def wait_for_an_epoch(state: Path, process: int) -> float:
    """Wait until the state file is replaced and return the seconds that took."""
    start_time = time.perf_counter()
    before = state.stat().st_ino if state.exists() else None
    while os.waitpid(process, os.WNOHANG) == (0, 0):
        if state.exists() and state.stat().st_ino != before:
            return time.perf_counter() - start_time
        time.sleep(0.001)
    raise SystemExit("The training ended before it was killed.")


def main(folder: Path, epochs: int, kills: int) -> None:
    """Train, kill and resume, and exit with the status of the last child."""
    # Creating the first optimizer imports much. Do it once, before forking.
    make_optimizer([torch.zeros(1, requires_grad=True)], TrainingConfig())
    rng = random.Random(0)
    run = folder / "run"
    run.mkdir(parents=True)
    output = run / "model.pt"
    for number in range(kills):
        child = start(output, epochs)
        # The first child is killed before or while it writes its first files, the
        # others at a random moment of a later epoch.
        seconds = 0.05
        if number > 0:
            for _ in range(2):
                seconds = wait_for_an_epoch(output.with_suffix(".resume"), child)
        time.sleep(rng.uniform(0, seconds))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        shutil.copytree(run, folder / f"killed_{number}")
    child = start(output, epochs)
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
