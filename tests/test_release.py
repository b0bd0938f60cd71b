"""What a release repeats agrees, and the address of the project is in one place."""

from __future__ import annotations

import importlib.util
import re
import shutil
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
# Names on conda-forge that differ from those on PyPI.
ON_CONDA = {
    "torch": "pytorch",
    "matplotlib": "matplotlib-base",
    "PyWavelets": "pywavelets",
    "PyYAML": "pyyaml",
}
COPIED = (
    "pyproject.toml",
    "CITATION.cff",
    "CHANGELOG.md",
    "packaging/conda-forge/recipe.yaml",
    "src/napari_denoise_ae/_version.py",
)


def tool(name):
    """Import a script of tools/."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def copy(tmp_path):
    """Return a copy of the files that a release is checked by, ready to release."""
    for name in COPIED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    change(tmp_path / "pyproject.toml", 'address = ""', 'address = "https://a.example"')
    change(tmp_path / "CHANGELOG.md", r"## 0.1.0 \(.*\)", "## 0.1.0 (2026-12-01)")
    change(tmp_path / "CITATION.cff", "released: .*", "released: 2026-12-01")
    return tmp_path


def change(path, pattern, text):
    """Replace a pattern in a file, in which it must be found once."""
    content, count = re.subn(pattern, text, path.read_text("utf-8"))
    assert count == 1
    path.write_text(content, "utf-8")


def test_a_release_is_refused_only_for_its_address_and_date(capsys):
    assert tool("check_release").main(None) == 1
    problems = capsys.readouterr().out.splitlines()
    assert [line.partition(" ")[0] for line in problems] == ["the", "CHANGELOG.md"]
    assert "has no address" in problems[0]


@pytest.mark.parametrize(
    ("name", "pattern", "text", "problem"),
    [
        ("pyproject.toml", 'address = ".*"', 'address = ""', "has no address"),
        ("pyproject.toml", 'address = ".*"', 'address = "me"', "me is not an address"),
        ("CITATION.cff", "version: 0.1.0", "version: 0.2", "has the version 0.2"),
        ("CITATION.cff", "released: .*", "released: 2026-11-30", "2026-11-30"),
        ("CHANGELOG.md", r"\(2026-12-01\)", "(unreleased)", "no date for 0.1.0"),
        (COPIED[3], 'version: ".*"', 'version: "1.0"', "has the version 1.0"),
    ],
)
def test_what_disagrees_is_named(copy, capsys, name, pattern, text, problem):
    check = tool("check_release")
    assert check.main("v0.1.0", copy) == 0
    assert "ready" in capsys.readouterr().out
    change(copy / name, pattern, text)
    assert check.main("v0.1.0", copy) == 1
    assert problem in capsys.readouterr().out


def test_another_tag_is_refused(copy, capsys):
    assert tool("check_release").main("v0.2.0", copy) == 1
    assert "the tag is v0.2.0, not v0.1.0" in capsys.readouterr().out


def test_the_recipe_has_the_dependencies_of_the_package():
    text = (ROOT / COPIED[3]).read_text("utf-8")
    listed = re.findall(r"^    - (\S+) >=(\S+)$", text.split("  run:")[1], re.MULTILINE)
    wanted = [tuple(each.split(">=")) for each in PROJECT["dependencies"]]
    python = ("python", PROJECT["requires-python"].removeprefix(">="))
    named = [(ON_CONDA.get(name, name), version) for name, version in wanted]
    assert listed == [python, *named]


def test_links_of_the_package_index_lead_to_the_tag():
    pytest.importorskip("hatchling")
    metadata = tool("package_metadata")
    text = "[a](docs/a.md#b) ![c](docs/c.png) [d](https://d.example) [e](#e)"
    assert metadata.absolute_links(text, "https://x.example", "v1") == (
        "[a](https://x.example/blob/v1/docs/a.md#b) "
        "![c](https://x.example/raw/v1/docs/c.png) [d](https://d.example) [e](#e)"
    )
    for address in ("", "https://x.example/"):
        hook = metadata.ProjectAddresses(str(ROOT), {"address": address})
        made = {"version": "1.0"}
        hook.update(made)
        relative = re.findall(r"\]\(docs/", made["readme"]["text"])
        assert bool(relative) is not bool(address)
        assert bool(made["urls"]) is bool(address)
    assert made["urls"]["Issues"] == "https://x.example/issues"
