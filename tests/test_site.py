"""The pages of the documentation's site that are not examples of other pages."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

import napari_denoise_ae

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [*DOCS.glob("*.md"), *ROOT.glob("*.md"), ROOT / "benchmarks" / "README.md"]


def code_cells(name):
    """Return the cells of a tutorial that contain code."""
    text = (DOCS / "tutorials" / f"{name}.ipynb").read_text("utf-8")
    return [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]


def run_tutorial(name):
    """Run the cells of a tutorial one after another, and return its names."""
    names = {}
    with mpl.rc_context({"backend": "agg"}):
        for number, cell in enumerate(code_cells(name)):
            exec(
                compile("".join(cell["source"]), f"{name}, cell {number}", "exec"),
                names,
            )
    plt.close("all")
    return names


@pytest.fixture
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_tutorial_of_a_microscopist_gains_and_writes_what_it_shows(in_empty_folder):
    names = run_tutorial("microscopist")
    assert names["after"] - names["before"] > 5
    assert names["report"].light == "fine"
    assert names["worse"].light == "do not trust"
    assert (names["stored"][:] == names["denoised"]).all()


def test_the_tutorial_of_a_student_learns_what_it_says(in_empty_folder):
    names = run_tutorial("student")
    score = names["score"]
    assert "patience" in names["conv"].stop_reason
    assert score(names["conv"]) - names["mean_psnr"](names["noisy_some"]) > 5
    assert score(names["with_skips"]) - score(names["without"]) > 3


@pytest.mark.parametrize("name", ["microscopist", "student"])
def test_tutorials_are_stored_without_outputs(name):
    assert not any(c["outputs"] or c["execution_count"] for c in code_cells(name))


def test_every_page_is_in_the_navigation():
    listed = re.findall(r": (\S+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.M)
    assert len(listed) == len(set(listed))
    assert {page.name for page in DOCS.glob("*.md")} <= {*listed}


def test_the_api_pages_list_the_public_names():
    text = "".join(page.read_text("utf-8") for page in DOCS.glob("api*.md"))
    listed = re.findall(r"^::: napari_denoise_ae\.(\S+)$", text, re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert {*napari_denoise_ae.__all__, "denoise_layer"} - {"__version__"} <= {*listed}
    guide = (DOCS / "python.md").read_text("utf-8")
    imports = re.findall(r">>> from napari_denoise_ae\.(\S+) import (\w+)", guide)
    assert imports
    assert {f"{module}.{name}" for module, name in imports} <= {*listed}


def test_addresses_of_other_sites_are_well_formed():
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    addresses = re.findall(r"(?:\]\(|<)(https?:[^\s>]+?)[)>]", text)
    assert len(addresses) > 30
    for address in addresses:
        parts = urlsplit(address)
        assert parts.scheme == "https", address
        assert "." in parts.netloc, address
