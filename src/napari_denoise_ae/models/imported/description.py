"""The description in a bioimage.io package, of specification 0.4 or 0.5.

References
----------
.. [1] https://bioimage-io.github.io/spec-bioimage-io/
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .interface import AXES, IMAGE, ROLES, Interface, Sides, import_error, window_sides
from .onnx_content import require_float_image
from .processing import parse_after, parse_before

if TYPE_CHECKING:
    from .onnx_content import Graph

# Letters of the axes of the specification.
_LETTERS = {"batch": "b", "channel": "c", "time": "t", "index": "i"}
_LARGEST_STEP, _MOST_CHANNELS = 4096, 4


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis of an image in a package.

    Parameters
    ----------
    letter : str
        One of ``"bcyx"``, or that of an axis that cannot be used.
    shortest, step : int
        Its length is `shortest` plus a multiple of `step`.
    halo : int
        Pixels to crop from a result.
    """

    letter: str
    shortest: int = 1
    step: int = 0
    halo: int = 0


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output in a package.

    Parameters
    ----------
    name : str
        Its name.
    axes : tuple of Axis
        Its axes, in order.
    processes : list of tuple
        Name and arguments of each step.
    data_range : tuple of float
        Its lowest and highest value.
    """

    name: str
    axes: tuple[Axis, ...]
    processes: list[tuple[str, dict[str, Any]]]
    data_range: tuple[float, float]

    @property
    def letters(self) -> str:
        """The letters of its axes."""
        return "".join(axis.letter for axis in self.axes)

    def axis(self, letter: str) -> Axis:
        """Return an axis by its letter."""
        return self.axes[self.letters.index(letter)]


def package_interface(content: dict[str, Any], graph: Graph) -> Interface:
    """Return how to call the ONNX graph of a package.

    Parameters
    ----------
    content : dict
        The description.
    graph : Graph
        The graph.

    Raises
    ------
    CheckpointError
        If the description is invalid, or not that of a denoiser of 2D images.
    """
    name = graph.name
    inputs = [_parse_tensor(each, "preprocessing") for each in content["inputs"]]
    outputs = [_parse_tensor(each, "postprocessing") for each in content["outputs"]]
    images = [each for each in inputs if each.name not in ROLES]
    if len(images) != 1 or len(outputs) != 1:
        found = ", ".join(each.name for each in (*inputs, *outputs))
        raise import_error(
            name,
            "it must have one image as its input and one as its output, but its "
            f"inputs and outputs are {found}",
        )
    (image,), (result,) = images, outputs
    for tensor in (image, result):
        _require_plane(tensor, name)
    names, value = _graph_names(inputs, graph)
    image_place = inputs.index(image)
    require_float_image(value[image_place], name)
    rule, before = parse_before(image.processes, image.data_range, image.letters, name)
    after, is_inverted = parse_after(result.processes, rule, name)
    return Interface(
        inputs=tuple(
            (called, ROLES.get(each.name, IMAGE))
            for called, each in zip(names, inputs, strict=True)
        ),
        output=graph.outputs[0].name,
        axes=image.letters,
        output_axes=result.letters,
        dtype=value[image_place].dtype,
        n_channels=image.axis("c").shortest if "c" in image.letters else 1,
        n_parameters=graph.n_parameters,
        sides=_sides(image, result, name),
        rule=rule,
        before=before,
        after=after,
        is_inverted=is_inverted,
    )


def _graph_names(inputs: list[Tensor], graph: Graph) -> tuple[list[str], list[Any]]:
    """Return names and values of the graph's inputs, in the order of the package."""
    values = {each.name: each for each in graph.inputs}
    if len(values) != len(inputs) or len(graph.outputs) != 1:
        raise import_error(graph.name, "its description does not fit its ONNX file")
    named = [each.name for each in inputs]
    # Packages may name inputs otherwise than their graph; then the order counts.
    names = named if set(named) == set(values) else list(values)
    return names, [values[each] for each in names]


def _require_plane(tensor: Tensor, name: str) -> None:
    letters = tensor.letters
    is_plane = {"y", "x"} <= set(letters) <= set(AXES)
    if not is_plane or len(set(letters)) < len(letters):
        raise import_error(
            name,
            f"{tensor.name} has the axes {', '.join(letters)}. Only models for 2D "
            "images, with the axes b, c, y and x, are supported",
        )
    if "c" in letters and not 1 <= tensor.axis("c").shortest <= _MOST_CHANNELS:
        raise import_error(
            name,
            f"{tensor.name} has {tensor.axis('c').shortest} channels; 1 to "
            f"{_MOST_CHANNELS} are supported",
        )


def _sides(image: Tensor, result: Tensor, name: str) -> Sides:
    y, x = (image.axis(letter) for letter in "yx")
    if not y.step and not x.step:
        return window_sides(y.shortest, x.shortest, name)
    step = math.lcm(y.step or 1, x.step or 1)
    shortest = max(y.shortest, x.shortest)
    fits = all(
        axis.step > 0 and axis.shortest > 0 and axis.shortest % axis.step == 0
        for axis in (y, x)
    )
    if not fits or max(step, shortest) > _LARGEST_STEP:
        raise import_error(
            name,
            "the sides of its images must be multiples of a step, but are "
            f"{y.shortest} + n x {y.step} and {x.shortest} + n x {x.step} pixels",
        )
    shortest = -(-shortest // step) * step
    halo = min(max(result.axis(letter).halo for letter in "yx"), _LARGEST_STEP)
    usual = Sides()
    radius = halo if halo > 0 else usual.radius
    return Sides(stride=step, shortest=shortest, radius=radius)


def _parse_tensor(content: dict[str, Any], key: str) -> Tensor:
    processes = [
        (str(each.get("id") or each.get("name")), dict(each.get("kwargs") or {}))
        for each in content.get(key) or []
    ]
    if "name" in content:  # specification 0.4
        given = content.get("data_range") or (None, None)
        axes = _old_axes(content)
    else:
        data = content.get("data") or {}
        given = data.get("range", (None, None)) if isinstance(data, dict) else (0, 0)
        axes = _new_axes(content["axes"])
    low, high = given
    return Tensor(
        str(content.get("id") or content["name"]),
        axes,
        processes,
        (
            -math.inf if low is None else float(low),
            math.inf if high is None else float(high),
        ),
    )


def _new_axes(content: list[dict[str, Any]]) -> tuple[Axis, ...]:
    """Return the axes of specification 0.5."""
    sizes = {str(each.get("id")): each.get("size") for each in content}
    return tuple(_new_axis(each, sizes) for each in content)


def _new_axis(content: dict[str, Any], sizes: dict[str, Any]) -> Axis:
    kind = str(content["type"])
    letter = _LETTERS.get(kind) or str(content["id"])
    if kind == "channel":
        return Axis(letter, len(content["channel_names"]))
    size = content.get("size")
    if isinstance(size, dict) and "axis_id" in size and not size.get("offset"):
        size = sizes.get(str(size["axis_id"]))
    halo = int(content.get("halo") or 0)
    if isinstance(size, dict):
        # The size of a result that refers to an input has neither.
        shortest, step = int(size.get("min") or 1), int(size.get("step") or 0)
        return Axis(letter, shortest, step, halo)
    return Axis(letter, int(size or 1), 0, halo)


def _old_axes(content: dict[str, Any]) -> tuple[Axis, ...]:
    """Return the axes of specification 0.4."""
    letters, shape = str(content["axes"]), content["shape"]
    n_axes = len(letters)
    halos = content.get("halo") or [0] * n_axes
    if isinstance(shape, dict):
        shortest = shape.get("min") or [1] * n_axes
        steps = shape.get("step") or [0] * n_axes
    else:
        shortest, steps = shape, [0] * n_axes
    return tuple(
        Axis(letter, int(least), int(step), int(halo))
        for letter, least, step, halo in zip(
            letters, shortest, steps, halos, strict=True
        )
    )
