"""Show images in a new napari window, for the command line."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ...errors import MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


def require_viewer() -> None:
    """Raise an error unless a napari window can be opened.

    Raises
    ------
    MissingDependencyError
        If napari or a Qt binding is not installed, or there is no display.
    """
    bindings = ("PyQt6", "PySide6", "PyQt5", "PySide2")
    if not find_spec("napari") or not any(find_spec(name) for name in bindings):
        raise MissingDependencyError(
            "The viewer needs napari and a Qt binding. Install both with "
            "pip install 'napari-denoise-ae[all]', or leave the viewer out."
        )
    # Without a display, Qt aborts the process.
    variables = ("DISPLAY", "WAYLAND_DISPLAY")
    if sys.platform == "linux" and not any(os.environ.get(name) for name in variables):
        raise MissingDependencyError(
            "The viewer needs a screen, and neither DISPLAY nor WAYLAND_DISPLAY is "
            "set. Leave the viewer out, or run on a machine with a screen."
        )


def show_images(images: Mapping[str, NDArray[Any]]) -> None:
    """Open a window with images side by side, and wait until it is closed.

    Parameters
    ----------
    images : mapping
        Images by layer name, the bottom layer first.
    """
    import napari

    viewer = napari.Viewer(title="napari-denoise-ae")
    for name, image in images.items():
        viewer.add_image(image, name=name)
    viewer.canvas.grid.enabled = True
    napari.run()
