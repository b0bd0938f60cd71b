"""The examples in docstrings print the documented results."""

from __future__ import annotations

import doctest
import pkgutil
from importlib import import_module

import pytest

import napari_denoise_ae

NAMES = [
    info.name
    for info in pkgutil.walk_packages(napari_denoise_ae.__path__, "napari_denoise_ae.")
    if "_napari" not in info.name and "__main__" not in info.name
]
WITH_EXAMPLES = {
    "denoising.api",
    "image.axes",
    "models.presets",
    "noise.spec",
    "training.trainer",
}


@pytest.mark.parametrize("name", NAMES)
def test_examples_in_docstrings_are_correct(name):
    module = import_module(name)
    results = doctest.testmod(module)
    assert results.failed == 0
    if name.removeprefix("napari_denoise_ae.") in WITH_EXAMPLES:
        assert results.attempted > 0
