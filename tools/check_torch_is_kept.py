"""Check that installing the wheel keeps the PyTorch that is there.

    python tools/check_torch_is_kept.py FOLDER

FOLDER has the wheel; `uv` must be installed. The wheel is installed over an older
PyTorch, with and without its torchvision, by pip and by uv: a dry run, then the
installation. PyTorch comes from uv's cache, or is downloaded (several gigabytes).
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

#: The oldest pair that the package allows.
TORCH, TORCHVISION = "torch==2.10.0", "torchvision==0.25.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An installation over an older PyTorch.

    Parameters
    ----------
    tool : str
        ``"pip"`` or ``"uv"``.
    before : tuple of str
        What is installed first.
    given : tuple of str
        Requirements beside the wheel.
    keeps_torch : bool
        Whether PyTorch stays as it is.
    """

    tool: str
    before: tuple[str, ...]
    given: tuple[str, ...] = ()
    keeps_torch: bool = True

    def __str__(self) -> str:
        given = " ".join(("WHEEL", *self.given))
        return f"{self.tool} install {given} over {' and '.join(self.before)}"


CASES = (
    Case(tool="pip", before=(TORCH, TORCHVISION)),
    Case(tool="uv", before=(TORCH, TORCHVISION)),
    # The newest torchvision asks for its own PyTorch, unless another one is asked for.
    Case(tool="pip", before=(TORCH,), keeps_torch=False),
    Case(tool="uv", before=(TORCH,), keeps_torch=False),
    Case(tool="pip", before=(TORCH,), given=(TORCH,)),
    Case(tool="uv", before=(TORCH,), given=(TORCH,)),
)


def main(folder: Path) -> int:
    """Print what each case changes; return 1 if one is not as README says."""
    (wheel,) = folder.glob("*.whl")
    results = [check(case, wheel) for case in CASES]
    return 0 if all(results) else 1


def check(case: Case, wheel: Path) -> bool:
    """Run a case in an environment of its own; tell whether it is as expected."""
    print(f"\n{case}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder, "env", *python_in_environment())
        run("uv", "venv", "--quiet", "--seed", str(python.parents[1]))
        run("uv", "pip", "install", "--quiet", "--python", str(python), *case.before)
        before, size = versions(python), megabytes(python)
        planned = dry_run(case, python, wheel)
        changed = {name: new for name, new in planned.items() if name in before}
        for name, new in sorted(changed.items()):
            print(f"  would change {name}: {before[name]} -> {new}")
        if is_kept := "torch" not in changed:
            install(case, python, wheel)
            after = versions(python)
            is_kept = after["torch"] == before["torch"]
            added = megabytes(python) - size
            print(
                f"  torch {after['torch']}, torchvision {after['torchvision']}: "
                f"{len(before)} packages of {size:,} MB before, "
                f"{len(after) - len(before)} packages of {added:,} MB added"
            )
        print(f"  torch is {'kept' if is_kept else 'replaced'}", flush=True)
        return is_kept == case.keeps_torch


def dry_run(case: Case, python: Path, wheel: Path) -> dict[str, str]:
    """Return the versions that an installation would install, by name."""
    wanted = (str(wheel), *case.given)
    if case.tool == "pip":
        report = python.parent / "report.json"
        pip = (str(python), "-m", "pip", "install", "--quiet", "--dry-run")
        run(*pip, "--report", str(report), *wanted)
        found = json.loads(report.read_text("utf-8"))["install"]
        metadata = [each["metadata"] for each in found]
        return {normal(each["name"]): each["version"] for each in metadata}
    uv = ("uv", "pip", "install", "--dry-run", "--color", "never")
    done = run(*uv, "--python", str(python), *wanted)
    lines = re.findall(r"^ \+ (\S+?)==(\S+)", done.stderr, re.MULTILINE)
    return {normal(name): version for name, version in lines}


def install(case: Case, python: Path, wheel: Path) -> None:
    """Install the wheel."""
    wanted = (str(wheel), *case.given)
    if case.tool == "pip":
        run(str(python), "-m", "pip", "install", "--quiet", *wanted)
    else:
        run("uv", "pip", "install", "--quiet", "--python", str(python), *wanted)


def versions(python: Path) -> dict[str, str]:
    """Return the versions of the packages in an environment, by name."""
    done = run("uv", "pip", "list", "--format", "json", "--python", str(python))
    return {normal(each["name"]): each["version"] for each in json.loads(done.stdout)}


def megabytes(python: Path) -> int:
    """Return the size of the files of an environment."""
    files = [each for each in python.parents[1].rglob("*") if not each.is_symlink()]
    return sum(each.stat().st_size for each in files if each.is_file()) // 10**6


def normal(name: str) -> str:
    """Return a name as package indexes compare names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def python_in_environment() -> tuple[str, str]:
    """Return the folder and the name of Python in an environment."""
    return ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command; show its messages if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout, done.stderr, sep="\n")
        done.check_returncode()
    return done


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
