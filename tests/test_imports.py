"""Imports are cheap, and each folder imports only the packages that it may use."""

from __future__ import annotations

import ast
import importlib
import os
import subprocess
import sys
from importlib.util import find_spec, resolve_name
from pathlib import Path

import pytest

import napari_denoise_ae

FOLDER = Path(napari_denoise_ae.__file__).parent
HEAVY = {
    "dask",
    "distributed",
    "matplotlib",
    "napari",
    "qtpy",
    "scipy",
    "skimage",
    "torch",
    "torchvision",
    "zarr",
}
GUI = {"napari", "qtpy", "magicgui", "superqt", "pyqtgraph", "PyQt6", "PySide6"}
# Folders that can be imported without torch and the image libraries.
LIGHT = ("image", "noise")
LIGHT_MODULES = (
    "cli.main",
    "errors",
    "io.atomic",
    "models.builtin",
    "models.config",
    "models.networks.registry",
    "models.presets",
    "models.summary",
    "training.losses",
)


def modules_in(folder: Path) -> list[str]:
    """Return the names of all modules in a folder and the folders in it."""
    paths = sorted(folder.rglob("*.py"))
    names = [path.relative_to(FOLDER.parent).with_suffix("").parts for path in paths]
    return [
        ".".join(parts).removesuffix(".__init__")
        for parts in names
        if parts[-1] != "__main__"
    ]


CORE = [
    name
    for name in modules_in(FOLDER)
    if not name.startswith("napari_denoise_ae._napari")
]
NAPARI = modules_in(FOLDER / "_napari")


def modules_after(code: str) -> set[str]:
    """Return the top-level modules that are loaded after running some code."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


def module_level_imports(name: str) -> set[str]:
    """Return the full names of the modules that a module imports at module level."""
    spec = find_spec(name)
    package = name if spec.submodule_search_locations else name.rpartition(".")[0]
    found = set()
    for node in ast.parse(Path(spec.origin).read_text("utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            dots = "." * node.level
            found.add(resolve_name(dots + (node.module or ""), package))
    return found


def test_all_modules_are_found():
    """Otherwise the tests below would pass without testing anything."""
    assert len(CORE) > 90
    assert len(NAPARI) > 50
    assert len(CORE) + len(NAPARI) == len(list(FOLDER.rglob("*.py"))) - 1


def test_the_package_and_its_manifest_import_no_heavy_module():
    code = """
from importlib import resources
import napari_denoise_ae
dir(napari_denoise_ae)
text = (resources.files("napari_denoise_ae") / "napari.yaml").read_text()
assert "napari-denoise-ae" in text
"""
    loaded = modules_after(code)
    assert "napari_denoise_ae" in loaded
    assert not loaded & (HEAVY | {"numpy"})


def test_the_light_folders_and_the_command_import_no_heavy_module():
    names = [name for folder in LIGHT for name in modules_in(FOLDER / folder)]
    assert len(names) > len(LIGHT)
    names += [f"napari_denoise_ae.{name}" for name in LIGHT_MODULES]
    loaded = modules_after("\n".join(f"import {name}" for name in names))
    assert "numpy" in loaded
    assert not loaded & HEAVY


def test_only_the_napari_folder_imports_napari_or_qt():
    loaded = modules_after("\n".join(f"import {name}" for name in CORE))
    assert "torch" in loaded
    assert not loaded & GUI


@pytest.mark.skipif(not find_spec("napari"), reason="napari is not installed")
def test_the_napari_folder_imports_no_torch():
    loaded = modules_after("\n".join(f"import {name}" for name in NAPARI))
    assert not loaded & {"torch", "torchvision"}


def test_the_napari_folder_has_no_module_level_import_of_torch():
    """The source is read, so that the test also runs without napari."""
    with_torch = {"torch", "torchvision"}
    imports = {name: module_level_imports(name) for name in CORE}
    while True:
        more = {n for n, imported in imports.items() if imported & with_torch}
        if more <= with_torch:
            break
        with_torch |= more
    assert "napari_denoise_ae.denoising.api" in with_torch
    for name in NAPARI:
        assert not module_level_imports(name) & with_torch, name


def test_the_files_folder_does_not_import_tqdm():
    names = modules_in(FOLDER / "files")
    assert len(names) > 10
    for name in names:
        assert "tqdm" not in module_level_imports(name), name


@pytest.mark.parametrize("name", napari_denoise_ae.__all__)
def test_every_public_name_is_available(name):
    assert getattr(napari_denoise_ae, name) is not None
    assert name in dir(napari_denoise_ae)


@pytest.mark.skipif(not find_spec("napari"), reason="napari is not installed")
def test_the_function_for_layers_is_listed_but_not_imported():
    code = """
import napari_denoise_ae
assert "denoise_layer" in dir(napari_denoise_ae)
"""
    assert "napari" not in modules_after(code)
    assert "denoise_layer" not in napari_denoise_ae.__all__


def test_all_listed_names_are_available_without_napari():
    """`import *` uses the names in `__all__`, and `help` those listed by `dir`."""
    code = """
import sys
sys.modules["napari"] = None
from napari_denoise_ae import *
import inspect, napari_denoise_ae
assert len(inspect.getmembers(napari_denoise_ae)) >= len(napari_denoise_ae.__all__)
"""
    assert "torch" in modules_after(code)


def test_an_unknown_name_raises_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'denoize'"):
        importlib.import_module("napari_denoise_ae").denoize  # noqa: B018


@pytest.mark.parametrize("name", napari_denoise_ae.__all__)
def test_no_folder_shadows_a_public_name(name):
    """Importing a folder with that name would replace the function."""
    assert not (FOLDER / name).exists()


def test_the_package_is_marked_as_typed():
    assert (FOLDER / "py.typed").is_file()


@pytest.mark.parametrize("model", ["conv", "gray"])
def test_denoising_loads_neither_triton_nor_sympy(model):
    """One clashes with some OpenGL drivers, and the other takes half a second."""
    code = f"""
import numpy as np
from napari_denoise_ae import denoise
denoise(np.eye(16), model={model!r}, device="cpu")
denoise(np.eye(16), model={model!r}, device="cpu", tile_size=64)
"""
    assert modules_after(code).isdisjoint({"triton", "sympy"})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "5000"),
        ({"GOMP_SPINCOUNT": "7"}, "7"),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, "None"),
    ],
)
def test_waiting_threads_sleep_unless_the_user_decides(given, expected):
    names = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
    kept = {name: value for name, value in os.environ.items() if name not in names}
    code = "import os, napari_denoise_ae; print(os.environ.get('GOMP_SPINCOUNT'))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=kept | given,
    )
    assert done.stdout.strip() == expected
