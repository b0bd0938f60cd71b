"""Form of the Denoise widget."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import napari.layers
from qtpy.QtWidgets import QVBoxLayout, QWidget

from ...denoising.options import AS_INPUT, DenoiseOptions
from ...models.builtin import suits_any_noise
from ...noise.setting import NoiseSetting
from ..shared.fields import Field, FieldSpec, add_fields, align_labels
from ..shared.layout import (
    SPACING,
    Collapsible,
    Note,
    OneLine,
    make_button,
    make_column,
    make_form,
)
from ..shared.model_choice import model_choice
from ..shared.noise_form import NoiseForm
from ..shared.remembered_fields import remember_fields
from ..viewer.axes import has_frames
from ..viewer.layers import can_show_float32, needs_range, proposed_range
from ..viewer.outputs import is_output
from .fields import (
    CLEAN,
    DEVICE,
    DTYPE,
    FOLLOW,
    FRAMES,
    INTENSITY_RANGE,
    KIND,
    LAYER,
    MODEL,
    NOISE,
    NOISY,
    PREVIEW,
    RANGE_OF,
    REFERENCE,
    RESIDUAL,
    RESULTS,
    SCOPE,
    SEED,
)

if TYPE_CHECKING:
    from napari.viewer import Viewer

NO_LAYER, NO_REFERENCE = "-----", "none"
_OPTIONS = "Settings that most images need not change."


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
        self.facts, self.axes_note, self.preview_note = OneLine(), Note(), Note()
        self.open_model = make_button(
            "…",
            "Add a checkpoint, a .safetensors or .pt file. You can also drop it on the "
            "viewer.",
        )
        self.open_model.setFixedWidth(30)
        self.copy_python = make_button(
            "Copy as Python",
            "Copy the equivalent Python code, for napari's console.",
        )
        self.to_remove = NoiseForm()
        self._fields: dict[str, Field] = {}
        self._arrange()
        self._name_fields()
        self.refresh_layers()
        self.refresh_models()
        self.layer.changed.connect(self._show_layer_name)
        self.kind.changed.connect(self._update_visibility)
        # The noise that was found with or without added noise.
        self.kind.changed.connect(lambda: self.to_remove.show_estimate(None))
        self._update_visibility()
        self.set_takes_noise_level(suits_any_noise(self._models.chosen))
        remember_fields("denoise", self._remembered_fields())

    def _remembered_fields(self) -> dict[str, Field]:
        """Return the fields whose values survive closing the widget."""
        names = ("scope", "results", "residual", "device", "dtype", "frames")
        to_remove = self.to_remove
        return {name: self._fields[name] for name in names} | {
            "noise": to_remove.kind,
            "strength": to_remove.strength_field,
            "hot_pixels": to_remove.hot_pixels,
        }

    def _arrange(self) -> None:
        column = make_column(self)
        self._add_rows(
            column,
            (LAYER,),
            self.facts,
            self.axes_note,
            (INTENSITY_RANGE, MODEL),
            self.to_remove,
            (PREVIEW,),
            self.preview_note,
        )
        self._fields["model"].put_beside(self.open_model)
        self.options = self._make_options()
        column.addWidget(self.options)

    def _make_options(self) -> Collapsible:
        options = QWidget()
        self.noise = Field(NOISE)
        self._add_rows(
            make_column(options),
            (FOLLOW, SCOPE, RANGE_OF, FRAMES, DTYPE, RESULTS, RESIDUAL),
            self.to_remove.hot_pixels,
            (DEVICE, KIND, REFERENCE),
            self.noise.label,
            self.noise,
            (SEED,),
            self.copy_python,
        )
        return Collapsible("Options", options, _OPTIONS, key="denoise/options")

    def _add_rows(
        self, column: QVBoxLayout, *rows: tuple[FieldSpec, ...] | QWidget
    ) -> None:
        """Add rows of fields in small forms, with other widgets between them.

        The widgets wrap their text. Qt would cut off some of it in a form layout, but
        not in a column.
        """
        for row in rows:
            if isinstance(row, QWidget):
                column.addWidget(row)
                continue
            form = make_form()
            form.setVerticalSpacing(SPACING)
            fields = add_fields(form, row)
            align_labels(fields.values())
            column.addLayout(form)
            self._fields |= fields

    def _name_fields(self) -> None:
        fields = self._fields
        self.layer, self.follow = fields["layer"], fields["follow"]
        self.intensity_range = fields["intensity_range"]
        self.model, self.preview = fields["model"], fields["preview"]
        self.scope = fields["scope"].editor
        self.range_of, self.frames = fields["range_of"], fields["frames"]
        self.dtype, self.residual = fields["dtype"], fields["residual"]
        self.results = fields["results"]
        self.device, self.kind = fields["device"], fields["kind"]
        self.reference, self.seed = fields["reference"], fields["seed"]
        # Otherwise Qt would align the label with the top of this tall editor.
        self.kind.label.setMinimumHeight(self.kind.sizeHint().height())

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
            self.intensity_range.editor.prefill(proposed_range(layer))
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

    def _show_layer_name(self) -> None:
        name = "" if self.source is None else f"<br><br>Chosen: {self.source.name}"
        self.layer.describe(f"{LAYER.tooltip}{name}")

    def describe_model(self, description: str) -> None:
        """Add a description of the chosen model to the tooltip of *model*."""
        self.model.mark("")
        self.model.describe(f"{MODEL.tooltip}<br><br>Chosen: {description}")

    def _update_range_visibility(self) -> None:
        is_needed = needs_range(self.source, takes_noise_level=self.takes_noise_level)
        self.intensity_range.show_if(is_needed)

    def _update_visibility(self) -> None:
        is_clean = self.kind.value == CLEAN
        self.reference.show_if(not is_clean)
        self.noise.show_if(is_clean)
        self.seed.show_if(is_clean)
