"""The declared dependencies are those that the package imports."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import napari_denoise_ae

FOLDER = Path(napari_denoise_ae.__file__).parent
PROJECT = tomllib.loads(
    (Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8")
)["project"]
# Distributions that are imported under another name.
IMPORTED_AS = {
    "bioimageio.core": "bioimageio",
    "pillow": "PIL",
    "pywavelets": "pywt",
    "pyyaml": "yaml",
    "scikit-image": "skimage",
    "tomli-w": "tomli_w",
}
QT_BINDINGS = {"pyqt5", "pyqt6", "pyside2", "pyside6"}
# Users install napari and a Qt binding themselves; scripts and clusters need neither.
# The license of bm3d allows no commercial use; it is used if it is installed.
NOT_DECLARED = {
    "bm3d": [Path("evaluation", "baselines.py")],
    # The second for type checkers only.
    "napari": [Path("_napari"), Path("workflows.py")],
}


def names_of(requirements: list[str]) -> set[str]:
    """Return the names of the required distributions."""
    return {re.split(r"[^\w.-]", text, maxsplit=1)[0].lower() for text in requirements}


def imported_by(path: Path) -> set[str]:
    """Return the top-level modules that a file imports, including in functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(node.module)
    tops = {name.partition(".")[0] for name in found}
    return tops - sys.stdlib_module_names - {"napari_denoise_ae"}


RUNTIME = names_of(PROJECT["dependencies"])
# Packages of each extra, and where they are imported.
USED_IN = {
    "bioimageio": [Path("models", "export")],
    "distributed": [Path("files")],
    "hdf5": sorted(path.relative_to(FOLDER) for path in FOLDER.glob("io/hdf5_*.py")),
    "onnx": [Path("models")],
    "remote": [Path("io", "remote.py")],
    "tensorboard": [Path("training", "tensorboard_log.py")],
}
# bioio and its plug-ins are imported by name, s3fs by fsspec.
BY_NAME = {"s3fs"}
EXTRAS = {
    IMPORTED_AS.get(package, package): places
    for extra, places in USED_IN.items()
    for package in names_of(PROJECT["optional-dependencies"][extra]) - BY_NAME - RUNTIME
}
DECLARED = {IMPORTED_AS.get(name, name) for name in RUNTIME | EXTRAS.keys()}
IMPORTED = {path: imported_by(path) for path in FOLDER.rglob("*.py")}


def test_every_import_is_declared():
    assert len(IMPORTED) > 150
    undeclared = {
        str(path.relative_to(FOLDER)): names - DECLARED - NOT_DECLARED.keys()
        for path, names in IMPORTED.items()
    }
    assert {path: names for path, names in undeclared.items() if names} == {}


def test_every_declared_dependency_is_imported():
    assert DECLARED - set().union(*IMPORTED.values()) == set()


def test_neither_napari_nor_a_qt_binding_is_required():
    assert not RUNTIME & (QT_BINDINGS | {"napari"})
    assert set(PROJECT["optional-dependencies"]) == {"all", "bioio", *USED_IN}


def test_optional_dependencies_are_imported_only_where_they_are_needed():
    """Each in its place, as napari in its folder."""
    places = EXTRAS | NOT_DECLARED
    outside = {
        (str(path.relative_to(FOLDER)), name)
        for path, names in IMPORTED.items()
        for name in names & places.keys()
        if not any(path.relative_to(FOLDER).is_relative_to(at) for at in places[name])
    }
    assert outside == set()
