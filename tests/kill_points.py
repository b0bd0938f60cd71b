"""Kill the command at every file operation, or let one fail, and run it again.

``python kill_points.py [--every N] [--kinds kill EIO ...] [SCENARIO ...]`` prints how
many points were tried, how many held, and what was wrong at the others. It takes half
an hour on one core; ``--every 10`` tries a tenth. It is a script, and not a function of
a test, so that it forks before other tests start threads.

A point holds if the same command then ends with the result of a run that was not
disturbed, and leaves no other file; with ``--resume`` if a training run has begun, and
with ``--overwrite`` if the command says that a file exists. If an operation fails, the
command itself must print one line, and leave either that result, or no file that can be
mistaken for it.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import io
import json
import shutil
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
import torch
import zarr
from fake_cifar10 import checksum_lists, write_fake_cifar10
from faults import KILLED, KINDS, Fault, Outcome, run_with_fault
from PIL import Image
from synthetic import make_record, random_checkpoint

from napari_denoise_ae.cli.main import main
from napari_denoise_ae.models.checkpoint_file import save_checkpoint
from napari_denoise_ae.models.load import load_checkpoint
from napari_denoise_ae.models.training_state import load_training_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

TRAIN = (
    "train --data data --preset conv --output model.pt --epochs 2 --device cpu "
    "--network-option base_channels=4"
)
ZARR = "denoise in.tif out.zarr --model gray.pt"


@dataclass(frozen=True)
class Scenario:
    """A command, and what lies in the folder before.

    Parameters
    ----------
    command : str
        Its arguments, or the name of a function here.
    before : str
        A command that has been run in the folder before.
    """

    command: str
    before: str = ""
    files: tuple[str, ...] = field(default=("in.tif", "gray.pt"))


SCENARIOS = {
    "train": Scenario(TRAIN, files=("data",)),
    "train overwrite": Scenario(
        f"{TRAIN} --overwrite", before=f"{TRAIN} --batch-size 16", files=("data",)
    ),
    "zarr": Scenario(ZARR),
    "zarr overwrite": Scenario(f"{ZARR} --overwrite", before=f"{ZARR} --strength 0.5"),
    "tiff": Scenario("denoise in.tif out.tif --model gray.pt"),
    "tiff replaced": Scenario(
        "denoise in.tif out.tif --model gray.pt --overwrite",
        before="denoise in.tif out.tif --model gray.pt --strength 0.5",
    ),
    "noise added": Scenario(
        "denoise in.png out.png --model gray.pt --add-noise gaussian:0.1 "
        "--figure figure.png",
        files=("in.png", "gray.pt"),
    ),
    "batch": Scenario("denoise in out --model gray.pt", files=("in", "gray.pt")),
    "batch again": Scenario(
        "denoise in out --model gray.pt",
        before="denoise in out --model gray.pt --strength 0.5",
        files=("in", "gray.pt"),
    ),
    "checkpoint pt": Scenario("save model.pt"),
    "checkpoint safetensors": Scenario("save model.safetensors"),
}


def action_of(command: str) -> Callable[[], int]:
    """Return a function that runs a command and returns its exit status."""
    name, *rest = command.split()
    if name != "save":
        return lambda: main(command.split())

    def save() -> int:
        from napari_denoise_ae.errors import DenoiseAEError

        try:
            save_checkpoint(random_checkpoint(record=make_record()), Path(rest[0]))
        except DenoiseAEError as error:
            sys.stderr.write(f"error: {error}\n")
            return 2
        return 0

    return save


def write_files(folder: Path) -> None:
    """Write the inputs of all scenarios."""
    rng = np.random.default_rng(0)
    stack = rng.integers(0, 4000, (2, 48, 40)).astype(np.uint16)
    tifffile.imwrite(folder / "in.tif", stack, metadata={"axes": "TYX"})
    Image.fromarray((stack[0] // 16).astype(np.uint8)).save(folder / "in.png")
    (folder / "in").mkdir()
    tifffile.imwrite(folder / "in" / "a.tif", stack[0])
    Image.fromarray((stack[1] // 16).astype(np.uint8)).save(folder / "in" / "b.png")
    zarr.create_array(folder / "in" / "c.zarr", data=stack[0], chunks=(48, 40))
    save_checkpoint(random_checkpoint(in_channels=1), folder / "gray.pt")
    write_fake_cifar10(folder / "data")


def accept_fake_cifar10(folder: Path) -> None:
    """Let torchvision accept the data in a folder as CIFAR-10."""
    from torchvision.datasets import CIFAR10

    for name, value in checksum_lists(folder / "data").items():
        setattr(CIFAR10, name, value)


def import_all(modules: Iterable[str]) -> None:
    """Import what a child imported, so that the next ones need not."""
    for name in modules:
        if name not in sys.modules:
            with suppress(Exception):
                importlib.import_module(name)


# --- the state of a folder -------------------------------------------------


def state_of(folder: Path) -> dict[str, Any]:
    """Return the contents of all files in a folder that a run determines."""
    return {
        str(path.relative_to(folder)): content_of(path)
        for path in sorted(folder.rglob("*"))
        if not (path.is_dir() and any(path.iterdir()))
    }


def content_of(path: Path) -> Any:
    """Return what a run determines of a file."""
    if path.is_dir() or path.name.startswith(".napari-denoise-ae.json"):
        return None
    try:
        if path.suffix in (".pt", ".safetensors"):
            checkpoint = load_checkpoint(str(path))
            epochs = checkpoint.record and checkpoint.record.epochs_run
            return epochs, weights(checkpoint.state_dict)
        if path.suffix == ".resume":
            state = load_training_state(path)
            return len(state.history), weights(state.state_dict)
    except Exception as error:  # noqa: BLE001
        return f"damaged: {error}"
    if path.name.endswith(".history.csv"):
        rows = csv.DictReader(io.StringIO(path.read_text("utf-8")))
        return [{key: row[key] for key in row if key != "seconds"} for row in rows]
    return path.read_bytes()


def weights(state_dict: Any) -> list[tuple[str, bytes]]:
    """Return weights that can be compared."""
    return [(name, tensor.numpy().tobytes()) for name, tensor in state_dict.items()]


# --- trials ----------------------------------------------------------------


class Trials:
    """Trials of a scenario, each in a fresh copy of its folder."""

    def __init__(self, scenario: Scenario, inputs: Path, work: Path) -> None:
        self.scenario = scenario
        self._trial, self._log = work / "trial", work / "log"
        self._start = work / "start"
        self._log.mkdir(exist_ok=True)
        shutil.rmtree(self._start, ignore_errors=True)
        self._start.mkdir()
        for name in scenario.files:
            copy = shutil.copytree if (inputs / name).is_dir() else shutil.copy2
            copy(inputs / name, self._start / name)
        if scenario.before:
            self._run(scenario.before, Fault(), self._start)
        self._before = state_of(self._start)
        self._reset()
        outcome = self._run(scenario.command, Fault())
        assert outcome.status == 0, outcome.error
        import_all(outcome.modules)
        self.counts = outcome.counts
        self.expected = state_of(self._trial)

    def problem(self, fault: Fault) -> str:
        """Try a fault; return what is wrong, or an empty text."""
        self._reset()
        outcome = self._run(self.scenario.command, fault)
        wrong = self._wrong_then(fault, outcome)
        again = self._run(self._command_again(), Fault())
        if again.status == 2 and "--overwrite" in again.error:
            # A result had got its name; the message says what to do.
            again = self._run(f"{self.scenario.command} --overwrite", Fault())
        if again.status != 0:
            last = again.error.strip().splitlines() or [""]
            wrong.append(f"again: status {again.status}, {last[-1]}")
        else:
            wrong += [f"again: {text}" for text in self._differences(self.expected)]
        where = outcome.failed.partition("\n")[0]
        return f"{where}: {'; '.join(wrong)}" if wrong else ""

    def _wrong_then(self, fault: Fault, outcome: Outcome) -> list[str]:
        """Return what is wrong after a fault, before the command is run again."""
        if fault.kind == "kill":
            return [] if outcome.status == KILLED else [f"status {outcome.status}"]
        wrong = []
        lines = outcome.error.strip().splitlines() or [""]
        if outcome.status not in (0, 1, 2):
            wrong.append(f"status {outcome.status}")
        if outcome.status and not lines[-1].startswith(("error: ", "failed: ")):
            wrong.append(f"said {lines[-1]!r}")
        if "Traceback" in outcome.error:
            wrong.append("printed a traceback")
        return wrong + list(self._misleading())

    def _misleading(self) -> Iterable[str]:
        """Yield the files that could be mistaken for a result, or are litter."""
        # A training run and an OME-Zarr are written step by step, and resumed.
        resumed = self.scenario.command.startswith("train")
        for name, content in state_of(self._trial).items():
            known = (self._before.get(name, ""), self.expected.get(name, ""))
            if str(content).startswith("damaged"):
                yield f"{name} is {content}"
            elif name in self._before or name in self.expected:
                if content not in known and not resumed and ".zarr" not in name:
                    yield f"{name} is neither old nor new"
            # An empty folder and a lock that no one holds do no harm.
            elif content is not None and not name.endswith(".lock"):
                yield f"left {name}"

    def _command_again(self) -> str:
        command = self.scenario.command
        if command.startswith("train") and self._has_state():
            return command.replace(" --overwrite", "") + " --resume"
        return command

    def _has_state(self) -> bool:
        """Return whether the run has saved its state; the earlier one differs."""
        name = "model.resume"
        path = self._trial / name
        return path.exists() and content_of(path) != self._before.get(name)

    def _differences(self, expected: dict[str, Any]) -> Iterable[str]:
        found = state_of(self._trial)
        for name in sorted({*found, *expected}):
            if name not in expected:
                yield f"litter {name}"
            elif name not in found:
                yield f"no {name}"
            elif found[name] != expected[name]:
                yield f"{name} differs"

    def _reset(self) -> None:
        shutil.rmtree(self._trial, ignore_errors=True)
        shutil.copytree(self._start, self._trial)

    def _run(self, command: str, fault: Fault, folder: Path | None = None) -> Outcome:
        action = action_of(command)
        return run_with_fault(action, folder or self._trial, fault, self._log)


def run_scenario(
    name: str, choice: argparse.Namespace, inputs: Path, work: Path
) -> Iterable[tuple[str, int, list[str]]]:
    """Yield for each kind of fault the number of points tried and the problems."""
    trials = Trials(SCENARIOS[name], inputs, work)
    for kind in choice.kinds:
        count = trials.counts[kind]
        every = max(1, count // choice.points) if choice.points else choice.every
        # Not always the first one, so that a sample covers several operations.
        numbers = range(1 + len(name + kind) % min(every, count), count + 1, every)
        found = ((n, trials.problem(Fault(kind, n))) for n in numbers)
        problems = [f"{kind} {number}: {text}" for number, text in found if text]
        yield kind, len(numbers), problems


def main_script() -> None:
    """Run the scenarios and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", default=list(SCENARIOS))
    parser.add_argument("--kinds", nargs="+", default=KINDS)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--points", type=int, help="number of points of each kind")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        # Hidden files elsewhere, such as caches, do not count.
        inputs, work = Path(temporary, "inputs"), Path(temporary, "work")
        inputs.mkdir()
        work.mkdir()
        write_files(inputs)
        accept_fake_cifar10(inputs)
        for name in arguments.scenarios:
            for kind, tried, problems in run_scenario(name, arguments, inputs, work):
                write_counts(name, kind, tried, problems, as_json=arguments.json)


def write_counts(
    name: str, kind: str, tried: int, problems: list[str], *, as_json: bool
) -> None:
    """Write the counts of a kind of fault in a scenario to standard output."""
    if as_json:
        lines = [json.dumps([name, kind, tried, problems])]
    else:
        held = tried - len(problems)
        lines = [f"{name:<24}{kind:<8}tried {tried:>4}  held {held:>4}"]
        lines += [f"    {problem[:300]}" for problem in problems]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    main_script()
