"""The function for napari-workflows."""

from __future__ import annotations

import inspect
from importlib.util import find_spec

import dask.array as da
import numpy as np
import pytest
from synthetic import smooth_photo

from napari_denoise_ae import denoise
from napari_denoise_ae.workflows import denoise_image

IMAGE = smooth_photo(48, 40, 1)[..., 0].astype(np.float32)
IMAGE += np.random.default_rng(0).normal(0, 0.1, IMAGE.shape).astype(np.float32)


class StandIn:
    """Binds and calls functions as `napari_workflows.Workflow` does."""

    def __init__(self) -> None:
        self.tasks: dict[str, object] = {}

    def set(self, name, function, *args, **kwargs) -> None:
        if not callable(function):
            self.tasks[name] = function
            return
        bound = inspect.signature(function).bind(*args, **kwargs)
        bound.apply_defaults()
        self.tasks[name] = (function, *bound.arguments.values())

    def get(self, name):
        task = self.tasks[name]
        if not isinstance(task, tuple):
            return task
        function, *arguments = task
        known = (self.tasks.get(x, x) if isinstance(x, str) else x for x in arguments)
        return function(*known)


def workflow():
    """Return a workflow of napari-workflows where it is installed."""
    if find_spec("napari_workflows") is None:
        return StandIn()
    from napari_workflows import Workflow

    return Workflow()


@pytest.mark.parametrize("kind", [np.asarray, da.from_array])
def test_a_workflow_denoises_an_image(kind):
    steps = workflow()
    steps.set("noisy", kind(IMAGE))
    steps.set("denoised", denoise_image, "noisy", noise_type="gaussian")
    steps.set("half", denoise_image, "noisy", "gray", strength=0.5)
    for name, options in (("denoised", {"noise_type": "gaussian"}), ("half", {})):
        strength = {"strength": 0.5} if name == "half" else {}
        expected = denoise(IMAGE, model="gray", **options, **strength)
        np.testing.assert_allclose(steps.get(name), expected, atol=1e-5)


def test_annotations_are_those_of_napari():
    names = inspect.get_annotations(denoise_image)
    assert names["image"] == names["return"] == "napari.types.ImageData"
    stack = np.stack([IMAGE, IMAGE])
    assert denoise_image(stack, axes="TYX").shape == stack.shape
