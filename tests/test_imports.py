"""What importing the package costs, each looked at in a process of its own."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from importlib.util import find_spec
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
PLAIN = [
    "axes",
    "builtin",
    "config",
    "errors",
    "files",
    "intensity",
    "losses",
    "metrics",
    "models",
    "noise",
    "noise_curve",
    "noise_level",
    "tiling",
    "cli",
]


def modules_after(code: str) -> set[str]:
    """Return the top-level modules that are loaded after running some code."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_the_package_and_its_manifest_import_nothing_heavy():
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


def test_the_plain_tier_and_the_command_import_nothing_heavy():
    imports = "\n".join(f"import napari_denoise_ae.{name}" for name in PLAIN)
    loaded = modules_after(imports)
    assert "numpy" in loaded
    assert not loaded & HEAVY


def test_nothing_but_the_napari_part_imports_napari_or_qt():
    names = [path.stem for path in FOLDER.glob("*.py") if path.stem != "__main__"]
    imports = "\n".join(f"import napari_denoise_ae.{name}" for name in names)
    loaded = modules_after(imports)
    assert "torch" in loaded
    assert not loaded & {"napari", "qtpy", "magicgui", "PyQt6", "PySide6"}


def napari_modules() -> list[str]:
    return [path.stem for path in sorted((FOLDER / "_napari").glob("*.py"))]


@pytest.mark.skipif(not find_spec("napari"), reason="napari is not installed")
def test_the_napari_part_imports_no_torch():
    names = [name for name in napari_modules() if name != "__init__"]
    imports = "\n".join(f"import napari_denoise_ae._napari.{name}" for name in names)
    assert not modules_after(imports) & {"torch", "torchvision"}


@pytest.mark.parametrize("name", napari_modules())
def test_the_napari_part_names_no_torch_at_module_level(name):
    """The same read from the source, where napari is not installed."""
    tree = ast.parse((FOLDER / "_napari" / f"{name}.py").read_text())
    imported = [
        alias.name
        for node in tree.body
        if isinstance(node, ast.Import)
        for alias in node.names
    ]
    imported += [
        node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)
    ]
    with_torch = {"torch", "inference", "training", "checkpoint", "devices"}
    assert not {part for name in imported for part in name.split(".")} & with_torch


@pytest.mark.parametrize("name", napari_denoise_ae.__all__)
def test_every_public_name_is_there(name):
    assert getattr(napari_denoise_ae, name) is not None
    assert name in dir(napari_denoise_ae)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'denoize'"):
        importlib.import_module("napari_denoise_ae").denoize  # noqa: B018


def test_the_package_says_that_it_is_typed():
    assert (FOLDER / "py.typed").is_file()


@pytest.mark.parametrize("model", ["conv", "gray"])
def test_denoising_does_not_load_triton(model):
    """Its LLVM and that of some OpenGL drivers would end the program."""
    code = f"""
import numpy as np
from napari_denoise_ae import denoise
denoise(np.eye(16), model={model!r}, device="cpu")
denoise(np.eye(16), model={model!r}, device="cpu", tile_size=64)
"""
    assert "triton" not in modules_after(code)
