"""Denoise damaged and malicious image files, and count the clear answers.

Each file has one defect, see tests/hostile_zarr.py, hostile_tiff.py and
hostile_pictures.py. An answer is clear if the command writes a result or refuses the
file in one sentence, prints nothing else, and takes little time and memory. Linux only.

    OMP_NUM_THREADS=1 python benchmarks/hostile_images.py --number 500
"""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from hostile_cases import Case, fault, sample, written
from hostile_pictures import bomb_cases, picture_cases
from hostile_tiff import claim_cases, sound_tiff, tiff_cases
from hostile_zarr import result_cases, zarr_cases

from napari_denoise_ae.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

KINDS: dict[str, Callable[[], Iterable[Case]]] = {
    "zarr": zarr_cases,
    "tiff": tiff_cases,
    "pictures": picture_cases,
    "claims of TIFF": claim_cases,
    "claims of pictures": bomb_cases,
    "results to resume": lambda: result_cases(_make_result()),
}
# A result that is to be resumed, and its source.
SOURCE, RESULT = Path(tempfile.mkdtemp(), "source.ome.tif"), "result.zarr"
# Seconds of processor time, seconds on the clock, and bytes above a sound file.
MOST_SECONDS, DEADLINE, MOST_MEMORY = 5.0, 30.0, 300_000_000


def answer(case: Case, baseline: int) -> tuple[str, int]:
    """Denoise a file in a child process; return its fault and its peak memory."""
    folder = Path(tempfile.mkdtemp())
    try:
        path, output = case.write(folder), folder / "result.tif"
        if path.name == RESULT:
            path, output = SOURCE, path
        child = os.fork()
        if child == 0:
            _denoise(path, output, folder)
        status, usage = _wait(child)
        if status is None:
            return "hangs", 0
        printed = (folder / "stderr").read_text(errors="replace")
        found = fault(case, status, printed, output)
        seconds, memory = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024
        if not found and seconds > MOST_SECONDS:
            found = f"{seconds:.0f} s"
        if not found and baseline and memory - baseline > MOST_MEMORY:
            found = f"{(memory - baseline) / 1e6:.0f} MB"
        return found, memory
    finally:
        shutil.rmtree(folder)


def _make_result() -> Path:
    """Write an image, denoise it into an OME-Zarr in a child, and return that."""
    written(SOURCE.name, sound_tiff("OME"))(SOURCE.parent)
    result = SOURCE.with_name(RESULT)
    child = os.fork()
    if child == 0:
        _denoise(SOURCE, result, SOURCE.parent)
    _wait(child)
    return result


def _denoise(path: Path, output: Path, folder: Path) -> None:
    """Run the command in this process, which then ends."""
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(folder / name, os.O_CREAT | os.O_WRONLY), number)
    status = 70
    try:
        status = main(["denoise", str(path), str(output), "--sigma", "50"])
    except SystemExit as end:
        status = int(end.code or 0)
    except BaseException as error:  # noqa: BLE001 - to be counted
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    finally:
        sys.stderr.flush()
        os._exit(status)


def _wait(child: int) -> tuple[int | None, object]:
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        found, status, usage = os.wait4(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status), usage
        time.sleep(0.005)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return None, None


def _load_libraries() -> None:
    """Load in this process what each child would load."""
    for name in ("files.route", "models.load"):
        importlib.import_module(f"napari_denoise_ae.{name}")


def run_kind(name: str, arguments: argparse.Namespace, baseline: int) -> None:
    """Try files of a kind, and print how many answers are clear."""
    cases = sample(KINDS[name](), arguments.number, arguments.seed)
    faults = {}
    for case in cases:
        found, _ = answer(case, baseline)
        if found:
            faults[case.name] = found
            print(f"    {case.name[:90]}: {found[:200]}", flush=True)
    print(f"{name}: tried {len(cases)}, held {len(cases) - len(faults)}", flush=True)
    kinds = Counter(" ".join(text.split()[:6]) for text in faults.values())
    for text, times in kinds.most_common(12):
        print(f"    {times:4} x {text}")


def run() -> None:
    """Try files of each kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=200, help="files of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    arguments = parser.parse_args()
    _load_libraries()
    found, baseline = answer(Case("sound", written("a.tif", sound_tiff("gray"))), 0)
    print(f"a sound file: {found or 'held'}, {baseline / 1e6:.0f} MB")
    for name in arguments.kinds:
        run_kind(name, arguments, baseline)


if __name__ == "__main__":
    run()
