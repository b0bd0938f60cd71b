"""The fields of the Denoise files widget, as data."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..shared.editors import Choice, PathEdit, make_check, make_line
from ..shared.fields import FieldSpec
from ..shared.preferences import device_choices, preferred_device

if TYPE_CHECKING:
    from collections.abc import Callable

MODEL = FieldSpec(
    "model",
    "model",
    Choice,
    "auto: the built-in rgb for colors, gray for all others. Default: that of the "
    "Denoise widget.",
)
AXES = FieldSpec(
    "axes",
    "axes",
    partial(make_line, placeholder="as the files say"),
    "A letter for each axis, such as TYX or CYX, where the files do not say it. "
    "Default: as the files say.",
)
DEVICE = FieldSpec(
    "device",
    "device",
    lambda: Choice(device_choices(), preferred_device()),
    "auto takes CUDA, else MPS, else the CPU. Default: that of the preferences, auto "
    "at first.",
)
OVERWRITE = FieldSpec(
    "overwrite",
    "",
    partial(make_check, "replace other files"),
    "Also replace what has the name of a result and was not made by an earlier run; "
    "but no OME-Zarr of another program. Default: off.",
    is_wide=True,
)


def output_field(ask: Callable[[], str]) -> FieldSpec:
    """Describe the field of the folder; `ask` lets the user choose one."""
    return FieldSpec(
        "output",
        "output folder",
        partial(PathEdit, "", ask),
        "Where the results go, under the names of the files. It is made if it is not "
        "there.",
    )
