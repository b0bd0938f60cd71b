"""Sample images: photographs from scikit-image and the CIFAR-10 test images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import DatasetError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    # Data, layer options and layer type, as napari expects them.
    LayerData = tuple[NDArray[Any], dict[str, Any], str]

_NOISE = "gaussian:0.1"


def clean_color() -> list[LayerData]:
    """Return a clean color photograph."""
    from skimage.data import astronaut

    return [(astronaut(), {"name": "astronaut", "rgb": True}, "image")]


def noisy_color() -> list[LayerData]:
    """Return the color photograph with Gaussian noise of sigma 0.1."""
    return [_with_noise(layer) for layer in clean_color()]


def clean_gray() -> list[LayerData]:
    """Return a clean gray photograph."""
    from skimage.data import camera

    return [(camera(), {"name": "camera"}, "image")]


def noisy_gray() -> list[LayerData]:
    """Return the gray photograph with Gaussian noise of sigma 0.1."""
    return [_with_noise(layer) for layer in clean_gray()]


def cifar10_test() -> list[LayerData]:
    """Return the CIFAR-10 test images as a stack.

    Raises
    ------
    DatasetError
        If the data folder of the preferences is not set, or does not hold them.
    """
    from ...io.cifar10 import load_cifar10
    from ..shared.preferences import preferences

    folder = preferences().data_folder
    if not folder:
        raise DatasetError(
            "No data folder is set. In Preferences > Denoising autoencoders, set it to "
            "the folder that contains cifar-10-batches-py."
        )
    images = load_cifar10(folder, train=False).images
    return [(images, {"name": "CIFAR-10 test images", "rgb": True}, "image")]


def _with_noise(layer: LayerData) -> LayerData:
    from ...noise.add import add_noise

    data, options, kind = layer
    return (
        add_noise(data, _NOISE),
        {**options, "name": f"{options['name']} [noisy]"},
        kind,
    )
