"""The examples in the documentation run and print the documented results."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    "page", ["python.md", "how-it-works.md", "large-data.md", "train-on-your-images.md"]
)
def test_examples_in_the_documentation_are_correct(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    results = doctest.testfile(str(ROOT / "docs" / page), module_relative=False)
    assert results.attempted > 0
    assert results.failed == 0


def test_the_python_example_in_the_readme_runs(capsys):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    code = text.split("## In Python")[1].split("```python\n")[1].split("```")[0]
    exec(compile(code, "README.md", "exec"), {})
    noisy, denoised = (float(value) for value in capsys.readouterr().out.split())
    assert denoised > noisy + 8


def test_the_commands_in_the_readme_are_valid():
    from napari_denoise_ae.cli.main import make_parser

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    code = "".join(text.split("```")[1::2])
    lines = [
        line for line in code.splitlines() if line.startswith("napari-denoise-ae ")
    ]
    assert len(lines) >= 5
    parsed = [make_parser().parse_args(line.split()[1:]) for line in lines]
    assert all(arguments.command for arguments in parsed)
    # A file is not replaced, so the examples work one after another.
    outputs = [each.output for each in parsed if hasattr(each, "recursive")]
    assert len(outputs) == len(set(outputs)) >= 5
