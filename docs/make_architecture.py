"""Draw docs/images/architecture.png: the folders of the package as layers.

    python docs/make_architecture.py

The layers are those of the import-linter contract in pyproject.toml, and the sentences
are the first lines of the folders' docstrings. The picture is therefore correct as long
as `lint-imports` passes.
"""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "napari_denoise_ae"
CONTRACT = "Imports point down"
# Width of the picture, height of a layer, and gap between boxes, in inches.
WIDTH, HEIGHT, GAP = 10.0, 0.72, 0.12
FACE, CORE = "#dbe9f6", "#f2efe6"
FACES = {"cli", "_napari"}


def main() -> None:
    """Draw and write the picture."""
    layers = read_layers()
    height = len(layers) * (HEIGHT + GAP)
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(0, height)
    axes.axis("off")
    for row, names in enumerate(layers):
        bottom = height - (row + 1) * (HEIGHT + GAP) + GAP / 2
        width = (WIDTH - GAP) / len(names)
        for column, name in enumerate(names):
            draw_folder(axes, GAP + column * width, bottom, width - GAP, name)
    FigureCanvasAgg(figure)
    figure.savefig(ROOT / "docs" / "images" / "architecture.png", dpi=100)


def read_layers() -> list[list[str]]:
    """Return the names of the folders and modules of each layer, from the top down."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (layers,) = (c["layers"] for c in contracts if c["name"] == CONTRACT)
    return [[name.strip() for name in layer.split("|")] for layer in layers]


def draw_folder(axes, left: float, bottom: float, width: float, name: str) -> None:
    """Draw a folder or module as a box with its name and its sentence."""
    style = "round,pad=0,rounding_size=0.08"
    color = FACE if name in FACES else CORE
    axes.add_patch(
        FancyBboxPatch(
            (left, bottom), width, HEIGHT, boxstyle=style, fc=color, ec="0.35"
        )
    )
    is_folder = (PACKAGE / name).is_dir()
    title = f"{name}/" if is_folder else f"{name}.py"
    middle = left + width / 2
    axes.text(
        middle, bottom + 0.7 * HEIGHT, title, ha="center", va="center", weight="bold"
    )
    axes.text(
        middle,
        bottom + 0.28 * HEIGHT,
        sentence(PACKAGE / name / "__init__.py" if is_folder else PACKAGE / title),
        ha="center",
        va="center",
        fontsize=9,
    )


def sentence(path: Path) -> str:
    """Return the first line of a module's docstring."""
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return docstring.partition("\n")[0]


if __name__ == "__main__":
    main()
