"""Check that every supported system and Python has wheels of all dependencies.

    python tools/check_resolutions.py

`uv` must be installed. It asks the package index, and installs nothing.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
SYSTEMS = {
    "Linux, x86-64": "x86_64-unknown-linux-gnu",
    "Linux, ARM": "aarch64-unknown-linux-gnu",
    "macOS 14, Apple silicon": "aarch64-apple-darwin",
    "Windows, x86-64": "x86_64-pc-windows-msvc",
}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# uv resolves for macOS 13 by default, for which torch is older.
ENVIRONMENT = {"MACOSX_DEPLOYMENT_TARGET": "14.0"}


def main() -> int:
    """Print the version of torch for each pair; return 1 if one has no wheels."""
    failed = 0
    for name, system in SYSTEMS.items():
        for python in PYTHONS:
            done = resolve(system, python)
            torch = re.search(r"^torch==(\S+)", done.stdout, re.MULTILINE)
            failed += torch is None
            result = f"torch {torch[1]}" if torch else f"FAILED: {done.stderr}"
            print(f"{name:<25}{python:<6}{result}", flush=True)
    return 1 if failed else 0


def resolve(system: str, python: str) -> subprocess.CompletedProcess[str]:
    """Resolve the package with napari and ONNX for a system and a Python."""
    command = ["uv", "pip", "compile", "--quiet", "--only-binary", ":all:"]
    command += ["--python-platform", system, "--python-version", python]
    command += ["--extra", "all", "--extra", "onnx", str(PROJECT)]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | ENVIRONMENT,
    )


if __name__ == "__main__":
    sys.exit(main())
