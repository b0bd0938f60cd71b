"""Check that the repository is ready to be released.

    python tools/check_release.py [TAG]

The version stands in `_version.py`. Everything that repeats it must agree: the
changelog, CITATION.cff, the conda-forge recipe, and the tag, if it is given.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main(tag: str | None, root: Path = ROOT) -> int:
    """Print what is missing.

    Parameters
    ----------
    tag : str or None
        Tag of the release, such as ``v0.1.0``; None if there is none yet.
    root : pathlib.Path
        Folder of the repository.

    Returns
    -------
    int
        The exit status.
    """
    version = find(root / "src/napari_denoise_ae/_version.py", r'__version__ = "(.+)"')
    problems = [*address_problems(root), *date_problems(root, version)]
    repeated = {
        "CITATION.cff": r"^version: (.+)$",
        "packaging/conda-forge/recipe.yaml": r'^  version: "(.+)"$',
    }
    for name, pattern in repeated.items():
        if (found := find(root / name, pattern)) != version:
            problems.append(f"{name} has the version {found}, not {version}")
    if tag is not None and tag != f"v{version}":
        problems.append(f"the tag is {tag}, not v{version}")
    print("\n".join(problems) or f"{version} is ready to be released")
    return 1 if problems else 0


def address_problems(root: Path) -> list[str]:
    """Say whether the project has an address."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    address = project["tool"]["hatch"]["metadata"]["hooks"]["custom"]["address"]
    if not address:
        return ["the project has no address: set it in pyproject.toml, tool.hatch"]
    return [] if address.startswith("https://") else [f"{address} is not an address"]


def date_problems(root: Path, version: str) -> list[str]:
    """Say whether the changelog dates the release, as CITATION.cff does."""
    heading = rf"^## {re.escape(version)} \((.+)\)$"
    date = find(root / "CHANGELOG.md", heading)
    cited = find(root / "CITATION.cff", r"^date-released: (.+)$")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", date):
        return [f"CHANGELOG.md has no date for {version}, but {date}"]
    if cited != date:
        return [f"CITATION.cff has the date {cited}, CHANGELOG.md has {date}"]
    return []


def find(path: Path, pattern: str) -> str:
    """Return the group of a pattern in a file, or "nothing"."""
    match = re.search(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)
    return match[1] if match else "nothing"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else None))
