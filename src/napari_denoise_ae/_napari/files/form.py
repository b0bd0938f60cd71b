"""The fields of the Denoise files widget."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ...denoising.options import AS_INPUT, FLOAT32, MOST_FRAMES
from ..shared.editors import Choice, PathEdit, make_check, make_count, make_line
from ..shared.fields import FieldSpec
from ..shared.preferences import device_choices, preferred_device

if TYPE_CHECKING:
    from collections.abc import Callable

MODEL = FieldSpec(
    "model",
    "model",
    Choice,
    "auto: the built-in rgb for color images, gray for all others. Default: the model "
    "of the Denoise widget.",
)
AXES = FieldSpec(
    "axes",
    "axes",
    partial(make_line, placeholder="from the files"),
    "One letter for each axis, such as TYX or CYX, for files that do not name their "
    "axes. Default: the axes named in the files.",
)
DEVICE = FieldSpec(
    "device",
    "device",
    lambda: Choice(device_choices(), preferred_device()),
    "auto uses CUDA if available, otherwise MPS, otherwise the CPU. Default: the "
    "device set in the preferences, initially auto.",
)
FRAMES = FieldSpec(
    "frames",
    "frames",
    partial(make_count, MOST_FRAMES),
    "Number of neighboring frames on each side, along T, or along Z without T, with "
    "which each frame is averaged where nothing moves; up to 8. Files without T and Z "
    "fail. Default: 0.",
)
DTYPE = FieldSpec(
    "dtype",
    "result",
    partial(Choice, (("as input", AS_INPUT), FLOAT32)),
    "as input: the data type of each file; integers are rounded. float32: not rounded, "
    "for images of few photons or few gray levels; PNG, JPEG and WebP cannot store it. "
    "Default: as input.",
)
OVERWRITE = FieldSpec(
    "overwrite",
    "",
    partial(make_check, "replace other files"),
    "Also replace existing files that are not the result of an earlier run. An "
    "OME-Zarr written by another program is never replaced. Default: off.",
    is_wide=True,
)


def output_field(ask: Callable[[], str]) -> FieldSpec:
    """Describe the field for the output folder; `ask` opens a dialog for it."""
    return FieldSpec(
        "output",
        "output folder",
        partial(PathEdit, "", ask),
        "Folder for the results, which keep the names of the files. It is created if "
        "it does not exist. Default: a folder named denoised beside the first file.",
    )
