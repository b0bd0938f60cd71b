"""The fields of the Denoise widget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import napari.layers
from magicgui.widgets import (
    CheckBox,
    ComboBox,
    Container,
    PushButton,
    RadioButtons,
    SpinBox,
)
from qtpy.QtWidgets import QLabel

from ...models.builtin import suits_any_noise
from ...noise.setting import NoiseSetting
from ..shared.layout import Note
from ..shared.model_choice import model_choice
from ..shared.noise_edit import NoiseChooser
from ..shared.noise_form import NoiseForm
from ..shared.preferences import device_choices, preferred_device
from ..shared.scope_edit import ScopeEdit
from ..viewer.layers import needs_range, proposed_range
from ..viewer.outputs import is_output
from .range_edit import RangeEdit

if TYPE_CHECKING:
    from napari.viewer import Viewer
    from qtpy.QtWidgets import QWidget

NOISY, CLEAN = "noisy", "clean"
NO_REFERENCE = "none"


class DenoiseForm(Container):  # type: ignore[type-arg]
    """What to denoise, with which model, and what is known of it.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where the layers are.
    """

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(labels=True)
        self._viewer = viewer
        self._models = model_choice(viewer)
        self.layer = ComboBox(
            label="layer",
            choices=self._sources,
            nullable=True,
            tooltip="Image layer to denoise; it is not changed.",
        )
        self.follow = CheckBox(
            text="follow the active layer",
            value=True,
            tooltip="Choosing a layer above switches this off. Default: on.",
        )
        self.facts = QLabel()
        self.plan = Note()
        self.intensity_range = RangeEdit()
        self.intensity_range.hide()
        self.scope = ScopeEdit()
        self.range_of = ComboBox(
            label="measured in",
            choices=[("the whole stack", "stack"), ("each image", "image")],
            tooltip="Where noise level and intensity range are measured. The whole "
            "stack: all frames and depths of a channel share them, so nothing "
            "flickers. Each image: for stacks whose light or noise changes. Default: "
            "the whole stack.",
        )
        self.model = ComboBox(
            label="model",
            choices=self._model_names,
            tooltip="auto: the built-in rgb for colors, gray for all others. Then the "
            "built-in models, and checkpoints that were opened or trained. Default: "
            "that of the preferences, auto at first.",
        )
        self.open_model = PushButton(
            text="Open a checkpoint…", tooltip="A .pt file; or drop one on the viewer."
        )
        self.description = QLabel()
        self.to_remove = NoiseForm()
        self.kind = RadioButtons(
            label="this layer is",
            choices=[NOISY, CLEAN],
            orientation="horizontal",
            tooltip="noisy: denoise it as it is. clean: add noise first, so that the "
            "figures compare with the clean image. Default: noisy.",
        )
        self.reference = ComboBox(
            label="clean reference",
            choices=self._references,
            tooltip="Clean image of the same shape, for PSNR and SSIM. Default: none.",
        )
        self.noise = NoiseChooser("gaussian:0.1")
        self._noise_label = QLabel("noise to add")
        self._noise_label.setToolTip(
            "<qt>Added before the layer is denoised. Default: gaussian:0.1.</qt>"
        )
        self.seed = SpinBox(
            label="seed",
            value=0,
            min=0,
            max=2**31 - 1,
            tooltip="The same seed gives the same noise. Default: 0.",
        )
        self.device = ComboBox(
            label="device",
            choices=device_choices(),
            value=preferred_device(),
            tooltip="auto takes CUDA, else MPS, else the CPU. Default: that of the "
            "preferences, auto at first.",
        )
        self.residual = CheckBox(
            text="residual layer",
            tooltip="Also add what was removed: lost structure shows there first. "
            "Default: off.",
        )
        self.extend(
            [
                self.layer,
                self.follow,
                self.range_of,
                self.model,
                self.open_model,
                self.kind,
                self.reference,
                self.seed,
                self.device,
                self.residual,
            ]
        )
        self._insert(self.scope, below=self.follow)
        self._insert(self.intensity_range, below=self.follow)
        self._add_text(self.plan, below=self.follow)
        self._add_text(self.facts, below=self.follow)
        self._insert(self.to_remove, below=self.open_model)
        self._add_text(self.description, below=self.open_model)
        self._insert(self.noise, below=self.reference)
        self._insert(self._noise_label, below=self.reference)
        self.kind.value = NOISY
        self.kind.changed.connect(self._show_fitting_fields)
        self._show_fitting_fields()
        self.fit_to_model(suits_any_noise(self._models.chosen))

    @property
    def source(self) -> napari.layers.Image | None:
        """The layer to denoise."""
        layer: napari.layers.Image | None = self.layer.value
        return layer

    @property
    def source_name(self) -> str:
        """The name of that layer."""
        return str(self.layer.current_choice)

    @property
    def noise_to_add(self) -> str | None:
        """The noise to add first; None if the layer is noisy already."""
        return self.noise.value if self.kind.value == CLEAN else None

    @property
    def reference_layer(self) -> napari.layers.Image | None:
        """The clean reference, if one is chosen."""
        if self.kind.value == CLEAN or self.reference.value == NO_REFERENCE:
            return None
        layer: napari.layers.Image = self.reference.value
        return layer

    @property
    def given_range(self) -> tuple[float, float] | None:
        """The intensity range, if the layer needs one; raises what is wrong."""
        is_needed = needs_range(self.source, takes_noise_level=self.takes_noise_level)
        return self.intensity_range.value if is_needed else None

    @property
    def setting(self) -> NoiseSetting:
        """What is said of the noise, if the model listens; raises what is wrong."""
        return self.to_remove.value if self.takes_noise_level else NoiseSetting()

    @property
    def measured_in(self) -> str:
        """What of the layer shares a noise level and an intensity range."""
        source = self.source
        is_stack = source is not None and source.ndim > 2
        return str(self.range_of.value) if is_stack else "stack"

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
        self.to_remove.forget()
        self.range_of.visible = is_stack
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
        self.layer.reset_choices()
        self.refresh_references()

    def refresh_references(self) -> None:
        """Offer all layers but the chosen one as clean reference."""
        self.reference.reset_choices()

    def refresh_models(self) -> None:
        """Offer the models that are known now, and choose the chosen one."""
        self.model.reset_choices()
        self.model.value = self._models.chosen

    def _add_text(self, label: QLabel, below: Any) -> None:
        # magicgui's own labels do not wrap in a narrow dock.
        label.setWordWrap(True)
        self._insert(label, below)

    def _insert(self, widget: QWidget, below: Any) -> None:
        layout = self.native.layout()
        # Where the form has labels, a field lies in its row.
        row = next(
            i
            for i in range(layout.count())
            if layout.itemAt(i).widget() is below.native
            or below.native in layout.itemAt(i).widget().children()
        )
        layout.insertWidget(row + 1, widget)

    def _show_range(self) -> None:
        is_needed = needs_range(self.source, takes_noise_level=self.takes_noise_level)
        self.intensity_range.setVisible(is_needed)

    def _show_fitting_fields(self) -> None:
        is_clean = self.kind.value == CLEAN
        self.reference.visible = not is_clean
        self.noise.setVisible(is_clean)
        self._noise_label.setVisible(is_clean)
        self.seed.visible = is_clean

    def _sources(self, _: Any) -> list[tuple[str, napari.layers.Image]]:
        return [(layer.name, layer) for layer in self.sources()]

    def _references(self, _: Any) -> list[tuple[str, Any]]:
        others = [
            (layer.name, layer)
            for layer in self.sources()
            if layer is not self.layer.value
        ]
        return [(NO_REFERENCE, NO_REFERENCE), *others]

    def _model_names(self, _: Any) -> list[tuple[str, str]]:
        return [(title, model) for model, title in self._models.titles().items()]
