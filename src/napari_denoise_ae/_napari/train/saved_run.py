"""Find the images of a run that is resumed, among the layers if need be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image

from ...errors import InvalidInputError
from ...training.run_config import IMAGE_KEYS, IN_MEMORY, read_run_config
from .images_edit import layer_pixels
from .source_specs import CIFAR10

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from napari.layers import Layer


def saved_source(
    run_config: Path, layers: Iterable[Layer], cifar10: Path
) -> dict[str, Any]:
    """Return the arguments of `TrainingJob` that say what a run was trained on.

    Parameters
    ----------
    run_config : pathlib.Path
        The file ``NAME.run.toml`` of the run. Without it, as for runs of earlier
        versions, the run was trained on CIFAR-10.
    layers : iterable of napari.layers.Layer
        The layers of the viewer, in which those of the run are found by name.
    cifar10 : pathlib.Path
        Folder of CIFAR-10, if it is not where it was.

    Raises
    ------
    InvalidInputError
        If the file cannot be read, a layer of the run is missing, or it was trained
        on arrays without names.
    """
    if not run_config.is_file():
        return {CIFAR10: cifar10, "download": True}
    content = read_run_config(run_config)
    names = (*IMAGE_KEYS, "axes", "channel", "start_from")
    source = {name: content[name] for name in names if name in content}
    known = {layer.name: layer for layer in layers if isinstance(layer, Image)}
    for key in source.keys() & set(IMAGE_KEYS):
        _require_layers(source[key], known)
        source[key] = _with_layers(source[key], known)
    if IN_MEMORY in source.values():
        raise InvalidInputError(
            f"{run_config.stem} was trained in Python, on arrays or from a model in "
            "memory. Resume it there."
        )
    if CIFAR10 not in source:
        return source
    is_there = Path(source[CIFAR10]).is_dir()
    return {CIFAR10: source[CIFAR10] if is_there else cifar10, "download": True}


def _require_layers(images: Any, known: Mapping[str, Image]) -> None:
    needed = list(_layer_names(images))
    missing = [name for name in needed if name not in known]
    if not missing:
        return
    layers = "layer" if len(needed) == 1 else "layers"
    raise InvalidInputError(
        f"The run was trained on the {layers} {' and '.join(needed)}; "
        f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not open. Add "
        "the image as a layer of this name, and resume again."
    )


def _layer_names(images: Any) -> list[str]:
    if isinstance(images, list):
        return [name for each in images for name in _layer_names(each)]
    if isinstance(images, dict):
        return [name for name, path in images.items() if path == IN_MEMORY]
    return []


def _with_layers(images: Any, known: Mapping[str, Image]) -> Any:
    """Return images with the pixels of the layers in their places."""
    if isinstance(images, list):
        return [_with_layers(each, known) for each in images]
    if isinstance(images, dict):
        return {
            name: layer_pixels(known[name]) if path == IN_MEMORY else path
            for name, path in images.items()
        }
    return images
