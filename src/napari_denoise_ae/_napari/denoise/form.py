"""Form of the Denoise widget."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import napari.layers

from ...denoising.options import AS_INPUT, DenoiseOptions
from ...errors import InvalidInputError
from ...models.builtin import suits_any_noise
from ...noise.setting import NoiseSetting
from ..shared.model_choice import model_choice
from ..shared.preferences import prefer_device
from ..shared.remembered_fields import remember_fields
from ..viewer.axes import has_frames, read_axes
from ..viewer.guess_axes import possible_axes
from ..viewer.layers import can_show_float32, needs_range, proposed_range
from ..viewer.outputs import is_output
from .fields import CLEAN, LAYER, MODEL, NOISY
from .form_layout import FormLayout

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from ..shared.fields import Field

NO_LAYER, NO_REFERENCE = "-----", "none"


class DenoiseForm(FormLayout):
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
        self.refresh_layers()
        self.refresh_models()
        self.layer.changed.connect(self._show_layer_name)
        self.kind.changed.connect(self._update_visibility)
        # The noise that was found with or without added noise.
        self.kind.changed.connect(lambda: self.to_remove.show_estimate(None))
        self._update_visibility()
        is_told = suits_any_noise(self._models.chosen)
        self.adapt_to_model(takes_noise_level=is_told, uses_range=not is_told)
        remember_fields("denoise", self._remembered_fields())
        # The preference itself is what is remembered, so nothing overrides it.
        self.device.changed.connect(lambda: prefer_device(self.device.value))

    def _remembered_fields(self) -> dict[str, Field]:
        """Return the fields whose values survive closing the widget."""
        names = ("scope", "results", "residual", "precision", "dtype", "frames")
        to_remove = self.to_remove
        return {name: self.fields[name] for name in names} | {
            "noise": to_remove.kind,
            "strength": to_remove.strength_field,
            "hot_pixels": to_remove.hot_pixels,
        }

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
            precision=self.precision.value,
        )

    @property
    def given_range(self) -> tuple[float, float] | None:
        """The intensity range, or None if the layer needs none.

        Raises
        ------
        InvalidInputError
            If the range is needed and invalid.
        """
        return self.intensity_range.value if self._needs_range else None

    @property
    def _needs_range(self) -> bool:
        return needs_range(self.source, model_uses_range=self.uses_range)

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

    def adapt_to_model(self, *, takes_noise_level: bool, uses_range: bool) -> None:
        """Show the fields for a kind of model; see `ModelFacts`."""
        self.takes_noise_level, self.uses_range = takes_noise_level, uses_range
        self.to_remove.setVisible(takes_noise_level)
        self.frames.show_if(self.can_average_frames)
        self._update_range_visibility()

    def update_for_layer(self) -> None:
        """Adapt the fields to the chosen layer."""
        layer = self.source
        is_stack = layer is not None and layer.ndim > 2
        length = layer.data.shape[0] if layer is not None and is_stack else 0
        self.scope.set_length(length)
        if layer is not None and needs_range(layer, model_uses_range=True):
            self.intensity_range.editor.prefill(proposed_range(layer))
        self._offer_axes()
        self.to_remove.clear_estimate()
        self.range_of.show_if(is_stack)
        self.frames.show_if(self.can_average_frames)
        self.dtype.show_if(can_show_float32(layer))
        self._update_range_visibility()

    def _offer_axes(self) -> None:
        """Offer what the axes of the layer could be, and select what they are."""
        try:
            axes = None if self.source is None else read_axes(self.source)
        except InvalidInputError:
            axes = None
        self.axes.show_if(axes is not None and axes.n_stacked > 0)
        possible = [] if axes is None else possible_axes(axes)
        titles = [(" ".join(letters), letters) for letters in possible]
        self.axes.editor.set_choices(titles, None if axes is None else axes.letters)

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
        self.intensity_range.show_if(self._needs_range)

    def _update_visibility(self) -> None:
        is_clean = self.kind.value == CLEAN
        self.reference.show_if(not is_clean)
        self.noise.show_if(is_clean)
        self.seed.show_if(is_clean)
