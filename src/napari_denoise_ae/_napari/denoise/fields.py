"""The fields of the Denoise form."""

from __future__ import annotations

from functools import partial

from ...denoising.options import AS_INPUT, FAST, FLOAT32, MOST_FRAMES
from ..shared.editors import Choice, RadioEdit, make_check, make_count, make_editor
from ..shared.fields import FieldSpec
from ..shared.noise_edit import NoiseChooser
from ..shared.preferences import device_choices, preferred_device
from ..shared.scope_edit import ScopeEdit
from .range_edit import RangeEdit

#: Whether the layer is noisy, or clean and gets noise.
NOISY, CLEAN = "noisy", "clean"
#: What happens to the last result.
REPLACE, NEW = "replaces the last", "adds layers"

LAYER = FieldSpec(
    "layer",
    "layer",
    Choice,
    "Image layer to denoise. It is never changed. Default: the active layer.",
)
AXES = FieldSpec(
    "axes",
    "axes",
    Choice,
    "Only for stacks. T: frames, Z: depths, C: channels, which have a noise level of "
    "their own. Default: as the axis labels, the metadata or the units of the layer "
    "say, otherwise guessed from its shape.",
)
FOLLOW = FieldSpec(
    "follow",
    "",
    partial(make_check, "follow the active layer", is_checked=True),
    "Denoise the active layer, except when that was made by the plugin. "
    "Choosing a layer by hand switches this off. Default: on.",
    is_wide=True,
)
INTENSITY_RANGE = FieldSpec(
    "intensity_range",
    "intensity range",
    RangeEdit,
    "The intensities that the network sees as 0 and 1, in the layer's units, such as "
    "0 to 4095 for a 12-bit camera. Intensities outside the range are kept. Default: "
    "the layer's contrast limits.",
)
PREVIEW = FieldSpec(
    "preview",
    "",
    partial(make_check, "preview what is visible"),
    "Denoise only the visible region, and follow the view and the settings. "
    "Default: off.",
    is_wide=True,
)
SCOPE = FieldSpec(
    "scope",
    "scope",
    ScopeEdit,
    "The part to denoise. Its pixels equal those of the fully denoised layer. drawn "
    "rectangle: the selected shape of a Shapes layer, or its last one. visible region "
    "and drawn rectangle apply to all planes of a stack. Default: everything.",
)
RANGE_OF = FieldSpec(
    "range_of",
    "measured in",
    partial(Choice, (("the whole stack", "stack"), ("each image", "image"))),
    "Where the noise level or the intensity range is measured. The whole stack: all "
    "frames and depths of a channel share it, so nothing flickers. Each image: for "
    "stacks whose light or noise changes. Default: the whole stack.",
)
MODEL = FieldSpec(
    "model",
    "model",
    Choice,
    "auto: the built-in rgb for color images, gray for all others. Or a built-in "
    "model, or a checkpoint. Default: the one set in the preferences, initially auto.",
)
KIND = FieldSpec(
    "kind",
    "this layer is",
    partial(RadioEdit, (NOISY, CLEAN)),
    "noisy: denoise the layer as it is. clean: add noise first, and compare the result "
    "with the clean layer. Default: noisy.",
)
REFERENCE = FieldSpec(
    "reference",
    "reference",
    Choice,
    "Clean image of the same shape, for PSNR and SSIM. Default: none.",
)
NOISE = FieldSpec(
    "noise",
    "noise to add",
    partial(NoiseChooser, "gaussian:0.1"),
    "Added before the layer is denoised. Default: gaussian:0.1.",
    is_wide=True,
)
SEED = FieldSpec(
    "seed",
    "seed",
    partial(make_editor, 0),
    "The same seed gives the same noise. Default: 0.",
)
DEVICE = FieldSpec(
    "device",
    "device",
    lambda: Choice(device_choices(), preferred_device()),
    "auto uses CUDA if available, otherwise MPS, otherwise the CPU. Default: the "
    "device set in the preferences, initially auto. Choosing another changes the "
    "preferences.",
)
PRECISION = FieldSpec(
    "precision",
    "precision",
    partial(Choice, (FAST, FLOAT32)),
    "fast: compute in bfloat16 where the device has instructions for it and the noise "
    "hides the rounding. float32: never. Default: fast.",
)
FRAMES = FieldSpec(
    "frames",
    "frames",
    partial(make_count, MOST_FRAMES),
    "Number of neighboring frames on each side, along T, or along Z without T, with "
    "which each frame is averaged where nothing moves; up to 8. Takes about three "
    "times as long. Default: 0.",
)
DTYPE = FieldSpec(
    "dtype",
    "result",
    partial(Choice, (("as input", AS_INPUT), FLOAT32)),
    "as input: the data type of the layer; integers are rounded. float32: not rounded, "
    "for images of few photons or few gray levels. Default: as input.",
)
RESULTS = FieldSpec(
    "results",
    "next result",
    partial(Choice, (REPLACE, NEW)),
    "replaces the last: running again updates the layers of the last run. adds layers: "
    "each run adds new ones. The result of another scope is never replaced. Default: "
    "replaces the last.",
)
RESIDUAL = FieldSpec(
    "residual",
    "",
    partial(make_check, "residual layer"),
    "Also add a layer with the removed noise, where lost structure is easy to see. "
    "Default: off.",
    is_wide=True,
)
