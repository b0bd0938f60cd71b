"""What each kind of training images is called and needs, and its fields."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFileDialog, QSpinBox

from ..shared.editors import PathEdit, make_line
from ..shared.fields import FieldSpec
from ..shared.preferences import preferences
from .images_edit import ImagesEdit, narrow_choice

if TYPE_CHECKING:
    from napari.viewer import Viewer

CIFAR10, IMAGES, PAIRS, REPEATS = "data", "images", "pairs", "repeats"
ADAPT, NOISE2VOID = "adapt", "noise2void"
TITLES = {
    CIFAR10: "CIFAR-10",
    IMAGES: "my clean images",
    PAIRS: "pairs of images",
    REPEATS: "repeats",
    ADAPT: "noisy layer: adapt",
    NOISE2VOID: "noisy layer: Noise2Void",
}
#: When to use each.
WHEN = {
    CIFAR10: "To see how training works: 60,000 small color photographs.",
    IMAGES: "For clean images like those to denoise. Noise is added to them.",
    PAIRS: "For noisy images that each have a clean version of the same name and "
    "shape.",
    REPEATS: "For several noisy images of a scene that does not move: the frames of a "
    "stack, or two layers.",
    ADAPT: "For noisy images alone. A model is fine-tuned to them, and kept only if it "
    "gets better.",
    NOISE2VOID: "For noisy images alone, of a kind that no model knows. It takes "
    "the longest.",
}
#: Labels of the field of the images, if it is not "noisy".
LABELS = {IMAGES: "clean", REPEATS: "repeats"}
#: Value of the field of the channel that stands for all channels.
ALL_CHANNELS = -1
#: More channels than files have, if their number is unknown.
MOST_CHANNELS = 1000


def source_specs(viewer: Viewer) -> tuple[FieldSpec, ...]:
    """Describe the fields that say what to train on, for all kinds."""
    images = partial(ImagesEdit, viewer)
    return (
        FieldSpec(
            "train_on",
            "train on",
            partial(narrow_choice, [(title, kind) for kind, title in TITLES.items()]),
            "The images to learn from. Default: CIFAR-10.",
        ),
        _data_spec(),
        FieldSpec(
            "images",
            "noisy",
            images,
            "An image layer, a file, a folder of files or a pattern such as "
            "scans/*.tif. They are only read. Default: none.",
        ),
        FieldSpec(
            "clean",
            "clean",
            images,
            "The clean images: a layer, a file, a folder or a pattern. Default: none.",
        ),
        FieldSpec(
            "second",
            "and",
            partial(ImagesEdit, viewer, none="its own frames"),
            "Another noisy image of the same scene: a layer or a file. Default: its "
            "own frames, those of the stack above along T.",
        ),
        FieldSpec(
            "axes",
            "axes",
            partial(make_line, placeholder="from the images"),
            "One letter for each axis, such as TYX. Default: empty, those of the "
            "layer or the file.",
        ),
        FieldSpec(
            "channel",
            "channel",
            _channel_edit,
            "Index along the axis C of the channel to train on, from 0. For one "
            "network for each channel, train once for each. Default: all, one network "
            "that sees each as a gray image.",
        ),
        FieldSpec(
            "start_from",
            "start from",
            narrow_choice,
            "Model whose weights training begins with, which takes far less time than "
            "random weights. Default: auto, the built-in model for the colors of the "
            "images.",
        ),
    )


def _data_spec() -> FieldSpec:
    def choose_folder() -> str:
        return str(QFileDialog.getExistingDirectory(None, "Folder of CIFAR-10"))

    return FieldSpec(
        "data",
        "data",
        partial(
            PathEdit,
            preferences().data_folder,
            choose_folder,
            placeholder="folder of CIFAR-10",
        ),
        "Folder that contains CIFAR-10's cifar-10-batches-py. If missing, "
        "Train offers to download it (170 MB). Default: the last folder.",
    )


def _channel_edit() -> QSpinBox:
    editor = QSpinBox()
    editor.setRange(ALL_CHANNELS, MOST_CHANNELS - 1)
    editor.setSpecialValueText("all")
    editor.setValue(ALL_CHANNELS)
    return editor
