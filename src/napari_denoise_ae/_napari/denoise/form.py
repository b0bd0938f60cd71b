"""Form of the Denoise widget."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import napari.layers
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from ...denoising.options import AS_INPUT, DenoiseOptions
from ...models.builtin import suits_any_noise
from ...noise.setting import NoiseSetting
from ..shared.fields import Field, FieldSpec, add_fields
from ..shared.layout import Note, make_button, make_form
from ..shared.model_choice import model_choice
from ..shared.noise_form import NoiseForm
from ..shared.scope_edit import ScopeEdit
from ..viewer.axes import has_frames
from ..viewer.layers import can_show_float32, needs_range, proposed_range
from ..viewer.outputs import is_output
from .fields import (
    CLEAN,
    DEVICE,
    DTYPE,
    FOLLOW,
    FRAMES,
    KIND,
    LAYER,
    MODEL,
    NOISE,
    NOISY,
    RANGE_OF,
    REFERENCE,
    RESIDUAL,
    SEED,
)
from .range_edit import RangeEdit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari.viewer import Viewer

NO_LAYER, NO_REFERENCE = "-----", "none"
# Width of the labels, and space around and between the rows, in pixels.
_LABEL_WIDTH = 98
_MARGIN, _SPACING = 9, 6


class DenoiseForm(QWidget):  # type: ignore[misc]
    """Form for the layer, the model and the options, with facts about them.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer of the layers.
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
            "Open a checkpoint…", "A .pt file. You can also drop it on the viewer."
        )
        self.to_remove = NoiseForm()
        self._add_fields()
        self.refresh_layers()
        self.refresh_models()
        self.kind.changed.connect(self._update_visibility)
        # The noise that was found with or without added noise.
        self.kind.changed.connect(lambda: self.to_remove.show_estimate(None))
        self._update_visibility()
        self.set_takes_noise_level(suits_any_noise(self._models.chosen))

    def _add_fields(self) -> None:
        self.noise = Field(NOISE)
        rows = (
            (LAYER, FOLLOW),
            self.facts,
            self.plan,
            self.intensity_range,
            self.scope,
            (RANGE_OF, MODEL),
            self.open_model,
            self.description,
            self.to_remove,
            (KIND,),
            # In its own form, so that its longer label does not move the others.
            (REFERENCE,),
            self.noise.label,
            self.noise,
            (SEED, DEVICE, FRAMES, DTYPE, RESIDUAL),
        )
        fields = self._arrange(rows)
        self.layer, self.follow = fields["layer"], fields["follow"]
        self.range_of, self.model = fields["range_of"], fields["model"]
        self.kind, self.reference = fields["kind"], fields["reference"]
        self.seed, self.device = fields["seed"], fields["device"]
        self.frames, self.dtype = fields["frames"], fields["dtype"]
        self.residual = fields["residual"]
        # Otherwise Qt would align the label with the top of this tall editor.
        self.kind.label.setMinimumHeight(self.kind.sizeHint().height())

    def _arrange(
        self, rows: Iterable[tuple[FieldSpec, ...] | QWidget]
    ) -> dict[str, Field]:
        """Arrange rows of fields in small forms, with other widgets between them.

        The widgets wrap their text. Qt would cut off some of it in a form layout, but
        not in a column.
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
        """The name of the layer to denoise."""
        return str(self.layer.editor.currentText())

    @property
    def noise_to_add(self) -> str | None:
        """The noise to add; None if the layer is noisy."""
        return self.noise.value if self.kind.value == CLEAN else None

    @property
    def reference_layer(self) -> napari.layers.Image | None:
        """The clean reference, or None."""
        layer: napari.layers.Image | None = self.reference.value
        return layer if self.kind.value == NOISY else None

    def denoise_options(self, axes: str) -> DenoiseOptions:
        """Return the options of the form, for a layer with these axes.

        Raises
        ------
        InvalidInputError
            If a value is invalid.
        """
        noise = self.to_remove.value if self.takes_noise_level else NoiseSetting()
        return DenoiseOptions(
            **asdict(noise),
            axes=axes,
            intensity_range=self.given_range,
            range_of=self.measured_in,
            frames=self.frames.value if self.can_average_frames else 0,
            dtype=self.result_dtype,
            device=self.device.value,
        )

    @property
    def given_range(self) -> tuple[float, float] | None:
        """The intensity range, or None if the layer needs none.

        Raises
        ------
        InvalidInputError
            If the range is needed and invalid.
        """
        is_needed = needs_range(self.source, takes_noise_level=self.takes_noise_level)
        return self.intensity_range.value if is_needed else None

    @property
    def measured_in(self) -> str:
        """Whether to measure the ``"stack"`` or each ``"image"``."""
        source = self.source
        is_stack = source is not None and source.ndim > 2
        return str(self.range_of.value) if is_stack else "stack"

    @property
    def result_dtype(self) -> str:
        """The data type of the result; see `denoise`."""
        return str(self.dtype.value) if can_show_float32(self.source) else AS_INPUT

    @property
    def can_average_frames(self) -> bool:
        """Whether the layer has frames, and the model can use them."""
        return self.takes_noise_level and has_frames(self.source)

    def set_takes_noise_level(self, takes_noise_level: bool) -> None:
        """Show the fields for models that take a noise level, or for others."""
        self.takes_noise_level = takes_noise_level
        self.to_remove.setVisible(takes_noise_level)
        self.frames.show_if(self.can_average_frames)
        self._update_range_visibility()

    def update_for_layer(self) -> None:
        """Adapt the fields to the chosen layer."""
        layer = self.source
        is_stack = layer is not None and layer.ndim > 2
        length = layer.data.shape[0] if layer is not None and is_stack else 0
        self.scope.set_length(length)
        if layer is not None and needs_range(layer, takes_noise_level=False):
            self.intensity_range.prefill(proposed_range(layer))
        self.to_remove.clear_estimate()
        self.range_of.show_if(is_stack)
        self.frames.show_if(self.can_average_frames)
        self.dtype.show_if(can_show_float32(layer))
        self._update_range_visibility()

    def sources(self) -> list[napari.layers.Image]:
        """Return the layers that can be denoised, from bottom to top."""
        return [
            layer
            for layer in self._viewer.layers
            if isinstance(layer, napari.layers.Image) and not is_output(layer)
        ]

    def refresh_layers(self) -> None:
        """Offer the current layers of the viewer."""
        layers = ((layer.name, layer) for layer in self.sources())
        self.layer.editor.set_choices([(NO_LAYER, None), *layers])
        self.refresh_references()

    def refresh_references(self) -> None:
        """Offer all layers except the chosen one as clean reference."""
        others = (layer for layer in self.sources() if layer is not self.source)
        choices = ((layer.name, layer) for layer in others)
        self.reference.editor.set_choices([(NO_REFERENCE, None), *choices])

    def refresh_models(self) -> None:
        """Offer the current models and select the chosen one."""
        choices = ((title, model) for model, title in self._models.titles().items())
        self.model.editor.set_choices(choices, self._models.chosen)

    def _update_range_visibility(self) -> None:
        is_needed = needs_range(self.source, takes_noise_level=self.takes_noise_level)
        self.intensity_range.setVisible(is_needed)

    def _update_visibility(self) -> None:
        is_clean = self.kind.value == CLEAN
        self.reference.show_if(not is_clean)
        self.noise.show_if(is_clean)
        self.seed.show_if(is_clean)
