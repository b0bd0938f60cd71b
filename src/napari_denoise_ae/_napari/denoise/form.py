"""The fields of the Denoise widget."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

import napari.layers
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from ...denoising.options import AS_INPUT, FLOAT32, DenoiseOptions
from ...models.builtin import suits_any_noise
from ...noise.setting import NoiseSetting
from ..shared.editors import Choice, RadioEdit, make_check, make_editor
from ..shared.fields import Field, FieldSpec, add_fields
from ..shared.layout import Note, make_button, make_form
from ..shared.model_choice import model_choice
from ..shared.noise_edit import NoiseChooser
from ..shared.noise_form import NoiseForm
from ..shared.preferences import device_choices, preferred_device
from ..shared.scope_edit import ScopeEdit
from ..viewer.layers import can_show_float32, needs_range, proposed_range
from ..viewer.outputs import is_output
from .range_edit import RangeEdit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari.viewer import Viewer

NOISY, CLEAN = "noisy", "clean"
NO_LAYER, NO_REFERENCE = "-----", "none"
# Where the editors begin, and the space around and between the rows, in pixels.
_LABEL_WIDTH = 98
_MARGIN, _SPACING = 9, 6

_LAYER = FieldSpec(
    "layer", "layer", Choice, "Image layer to denoise; it is not changed."
)
_FOLLOW = FieldSpec(
    "follow",
    "",
    partial(make_check, "follow the active layer", is_checked=True),
    "Choosing a layer above switches this off. Default: on.",
    is_wide=True,
)
_RANGE_OF = FieldSpec(
    "range_of",
    "measured in",
    partial(Choice, (("the whole stack", "stack"), ("each image", "image"))),
    "Where noise level and intensity range are measured. The whole stack: all frames "
    "and depths of a channel share them, so nothing flickers. Each image: for stacks "
    "whose light or noise changes. Default: the whole stack.",
)
_MODEL = FieldSpec(
    "model",
    "model",
    Choice,
    "auto: the built-in rgb for colors, gray for all others. Then the built-in models, "
    "and checkpoints that were opened or trained. Default: that of the preferences, "
    "auto at first.",
)
_KIND = FieldSpec(
    "kind",
    "this layer is",
    partial(RadioEdit, (NOISY, CLEAN)),
    "noisy: denoise it as it is. clean: add noise first, so that the figures compare "
    "with the clean image. Default: noisy.",
)
_REFERENCE = FieldSpec(
    "reference",
    "clean reference",
    Choice,
    "Clean image of the same shape, for PSNR and SSIM. Default: none.",
)
_NOISE = FieldSpec(
    "noise",
    "noise to add",
    partial(NoiseChooser, "gaussian:0.1"),
    "Added before the layer is denoised. Default: gaussian:0.1.",
    is_wide=True,
)
_SEED = FieldSpec(
    "seed",
    "seed",
    partial(make_editor, 0),
    "The same seed gives the same noise. Default: 0.",
)
_DEVICE = FieldSpec(
    "device",
    "device",
    lambda: Choice(device_choices(), preferred_device()),
    "auto takes CUDA, else MPS, else the CPU. Default: that of the preferences, auto "
    "at first.",
)
_DTYPE = FieldSpec(
    "dtype",
    "result",
    partial(Choice, (("as input", AS_INPUT), FLOAT32)),
    "as input: the data type of the layer; integers are rounded. float32: not rounded, "
    "for images of few photons or few gray levels. Default: as input.",
)
_RESIDUAL = FieldSpec(
    "residual",
    "",
    partial(make_check, "residual layer"),
    "Also add what was removed: lost structure shows there first. Default: off.",
    is_wide=True,
)


class DenoiseForm(QWidget):  # type: ignore[misc]
    """What to denoise, with which model, and what is known of it.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where the layers are.
    """

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._models = model_choice(viewer)
        self.facts, self.plan, self.description = QLabel(), Note(), QLabel()
        for text in (self.facts, self.description):
            text.setWordWrap(True)
        self.intensity_range = RangeEdit()
        self.scope = ScopeEdit()
        self.open_model = make_button(
            "Open a checkpoint…", "A .pt file; or drop one on the viewer."
        )
        self.to_remove = NoiseForm()
        self._add_fields()
        self.refresh_layers()
        self.refresh_models()
        self.kind.changed.connect(self._show_fitting_fields)
        self._show_fitting_fields()
        self.fit_to_model(suits_any_noise(self._models.chosen))

    def _add_fields(self) -> None:
        self.noise = Field(_NOISE)
        rows = (
            (_LAYER, _FOLLOW),
            self.facts,
            self.plan,
            self.intensity_range,
            self.scope,
            (_RANGE_OF, _MODEL),
            self.open_model,
            self.description,
            self.to_remove,
            (_KIND,),
            # Its label is longer than the others: in a form of its own it moves none.
            (_REFERENCE,),
            self.noise.label,
            self.noise,
            (_SEED, _DEVICE, _DTYPE, _RESIDUAL),
        )
        fields = self._lay_out(rows)
        self.layer, self.follow = fields["layer"], fields["follow"]
        self.range_of, self.model = fields["range_of"], fields["model"]
        self.kind, self.reference = fields["kind"], fields["reference"]
        self.seed, self.device = fields["seed"], fields["device"]
        self.dtype, self.residual = fields["dtype"], fields["residual"]
        # Qt would put the label beside the upper edge of an editor that is so high.
        self.kind.label.setMinimumHeight(self.kind.sizeHint().height())

    def _lay_out(
        self, rows: Iterable[tuple[FieldSpec, ...] | QWidget]
    ) -> dict[str, Field]:
        """Lay out small forms and, between them, widgets that wrap their text.

        In a form Qt would cut off lines of wrapped text; in a column it does not.
        """
        fields: dict[str, Field] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        column.setSpacing(_SPACING)
        for row in rows:
            if isinstance(row, QWidget):
                column.addWidget(row)
                continue
            form = make_form()
            form.setVerticalSpacing(_SPACING)
            fields |= add_fields(form, row)
            column.addLayout(form)
        for field in fields.values():
            field.label.setMinimumWidth(_LABEL_WIDTH)
        return fields

    @property
    def source(self) -> napari.layers.Image | None:
        """The layer to denoise."""
        layer: napari.layers.Image | None = self.layer.value
        return layer

    @property
    def source_name(self) -> str:
        """The name of that layer."""
        return str(self.layer.editor.currentText())

    @property
    def noise_to_add(self) -> str | None:
        """The noise to add first; None if the layer is noisy already."""
        return self.noise.value if self.kind.value == CLEAN else None

    @property
    def reference_layer(self) -> napari.layers.Image | None:
        """The clean reference, if one is chosen."""
        layer: napari.layers.Image | None = self.reference.value
        return layer if self.kind.value == NOISY else None

    def denoise_options(self, axes: str) -> DenoiseOptions:
        """Return what the form says of a layer with these axes.

        Raises
        ------
        InvalidInputError
            If something of it cannot be used.
        """
        noise = self.to_remove.value if self.takes_noise_level else NoiseSetting()
        return DenoiseOptions(
            **asdict(noise),
            axes=axes,
            intensity_range=self.given_range,
            range_of=self.measured_in,
            dtype=self.result_dtype,
            device=self.device.value,
        )

    @property
    def given_range(self) -> tuple[float, float] | None:
        """The intensity range, if the layer needs one; raises what is wrong."""
        is_needed = needs_range(self.source, takes_noise_level=self.takes_noise_level)
        return self.intensity_range.value if is_needed else None

    @property
    def measured_in(self) -> str:
        """What of the layer shares a noise level and an intensity range."""
        source = self.source
        is_stack = source is not None and source.ndim > 2
        return str(self.range_of.value) if is_stack else "stack"

    @property
    def result_dtype(self) -> str:
        """The data type of the result, see `denoise`."""
        return str(self.dtype.value) if can_show_float32(self.source) else AS_INPUT

    def fit_to_model(self, takes_noise_level: bool) -> None:
        """Ask what a model needs to know: the noise, or the intensity range."""
        self.takes_noise_level = takes_noise_level
        self.to_remove.setVisible(takes_noise_level)
        self._show_range()

    def show_layer(self) -> None:
        """Ask what the layer needs: an intensity range, and how far a range may go."""
        layer = self.source
        is_stack = layer is not None and layer.ndim > 2
        length = layer.data.shape[0] if layer is not None and is_stack else 0
        self.scope.set_length(length)
        if layer is not None and needs_range(layer, takes_noise_level=False):
            self.intensity_range.prefill(proposed_range(layer))
        self.to_remove.clear_estimate()
        self.range_of.show_if(is_stack)
        self.dtype.show_if(can_show_float32(layer))
        self._show_range()

    def sources(self) -> list[napari.layers.Image]:
        """Return the layers that can be denoised, from the bottom up."""
        return [
            layer
            for layer in self._viewer.layers
            if isinstance(layer, napari.layers.Image) and not is_output(layer)
        ]

    def refresh_layers(self) -> None:
        """Offer the layers that are there now."""
        layers = ((layer.name, layer) for layer in self.sources())
        self.layer.editor.offer([(NO_LAYER, None), *layers])
        self.refresh_references()

    def refresh_references(self) -> None:
        """Offer all layers but the chosen one as clean reference."""
        others = (layer for layer in self.sources() if layer is not self.source)
        choices = ((layer.name, layer) for layer in others)
        self.reference.editor.offer([(NO_REFERENCE, None), *choices])

    def refresh_models(self) -> None:
        """Offer the models that are known now, and choose the chosen one."""
        choices = ((title, model) for model, title in self._models.titles().items())
        self.model.editor.offer(choices, self._models.chosen)

    def _show_range(self) -> None:
        is_needed = needs_range(self.source, takes_noise_level=self.takes_noise_level)
        self.intensity_range.setVisible(is_needed)

    def _show_fitting_fields(self) -> None:
        is_clean = self.kind.value == CLEAN
        self.reference.show_if(not is_clean)
        self.noise.show_if(is_clean)
        self.seed.show_if(is_clean)
