"""A command that is killed or fails at a file operation loses nothing.

A sample of the points. ``python tests/kill_points.py`` tries all of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCENARIOS = ["train", "zarr overwrite", "tiff replaced", "batch"]
KINDS = ["kill", "ENOSPC"]


@pytest.fixture(scope="module")
def trials() -> dict[str, list[tuple[str, int, list[str]]]]:
    """Return the kind of fault, the number of points, and the problems by scenario."""
    script = Path(__file__).with_name("kill_points.py")
    done = subprocess.run(
        [
            sys.executable,
            script,
            *SCENARIOS,
            "--kinds",
            *KINDS,
            "--points",
            "1",
            "--json",
        ],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[tuple[str, int, list[str]]]] = {}
    for line in done.stdout.splitlines():
        name, *trial = json.loads(line)
        found.setdefault(name, []).append(tuple(trial))
    return found


@pytest.mark.xdist_group("kill points")
@pytest.mark.skipif(sys.platform != "linux", reason="forks, and reads /proc")
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_same_command_completes_what_a_fault_has_stopped(trials, scenario):
    assert [kind for kind, tried, _ in trials[scenario] if tried] == KINDS
    assert [problem for _, _, found in trials[scenario] for problem in found] == []
