"""Measure the network with one and with all threads, on an idle and on a busy machine.

On Linux, PyTorch's threads wait for each other in GNU OpenMP. The package limits how
long they spin (``GOMP_SPINCOUNT``). This script compares that with the default. On the
busy machine, one other process runs for each CPU.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from multiprocessing import Process
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SIDES = (32, 64, 128, 256, 512)
VARIABLE, DEFAULT = "GOMP_SPINCOUNT", "default"


def measure(n_threads: int, seconds: float) -> None:
    """Print the milliseconds of the network for a tile of each size."""
    # First, because OpenMP reads the variable when torch is imported.
    from napari_denoise_ae import load_checkpoint  # isort: skip
    import torch

    from napari_denoise_ae.denoising.denoiser import Denoiser
    from napari_denoise_ae.models.devices import choose_device

    torch.set_num_threads(n_threads)
    denoiser = Denoiser(load_checkpoint("gray"), choose_device("cpu"), "fast")
    for side in SIDES:
        tile = torch.rand(1, 1, side, side)
        denoiser.run_network(tile, (0.1, 0.0, 0.0))
        start, n_runs = time.perf_counter(), 0
        while (spent := time.perf_counter() - start) < seconds or n_runs < 2:
            denoiser.run_network(tile, (0.1, 0.0, 0.0))
            n_runs += 1
        print(1e3 * spent / n_runs)


def run(spin_count: str, n_threads: int, seconds: float) -> list[float]:
    """Return the milliseconds for each size, measured in a process of its own."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OMP_")}
    environment.pop(VARIABLE, None)
    if spin_count == DEFAULT:
        # The default of OpenMP.
        environment[VARIABLE] = "300000"
    elif spin_count:
        environment[VARIABLE] = spin_count
    command = [sys.executable, __file__, "--measure", str(n_threads)]
    command += ["--seconds", str(seconds)]
    result = subprocess.run(  # noqa: S603
        command, env=environment, check=True, capture_output=True, text=True
    )
    return [float(line) for line in result.stdout.split()]


@contextmanager
def busy_machine(n_processes: int) -> Iterator[None]:
    """Keep CPUs busy."""
    others = [Process(target=_spin, daemon=True) for _ in range(n_processes)]
    for each in others:
        each.start()
    try:
        yield
    finally:
        for each in others:
            each.terminate()


def _spin() -> None:
    # In a session of its own, as other programs are; Linux shares CPUs by sessions.
    os.setsid()
    while True:
        pass


def main() -> None:
    """Parse the arguments and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.5, help="for each tile")
    parser.add_argument(
        "--spin-counts",
        nargs="+",
        default=[DEFAULT, ""],
        metavar="N",
        help="values of GOMP_SPINCOUNT; empty: that of the package",
    )
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(arguments.measure, arguments.seconds)
        return
    n_cpus = len(os.sched_getaffinity(0))
    header = "".join(f"{f'{side} x {side}':>12}" for side in SIDES)
    print(f"{'milliseconds':34}{header}")
    for state, n_others in (("idle", 0), ("busy", n_cpus)):
        with busy_machine(n_others):
            rows = [(1, ""), *((n_cpus, count) for count in arguments.spin_counts)]
            for n_threads, count in rows:
                found = run(count, n_threads, arguments.seconds)
                kind = "" if n_threads == 1 else f", {count or 'package'}"
                threads = "1 thread" if n_threads == 1 else f"{n_threads} threads"
                label = f"{state}, {threads}{kind}"
                print(f"{label:34}{''.join(f'{ms:12.1f}' for ms in found)}", flush=True)


if __name__ == "__main__":
    main()
