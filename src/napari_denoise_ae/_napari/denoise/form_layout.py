"""The fields of the Denoise form and where they stand."""

from __future__ import annotations

from qtpy.QtWidgets import QMenu, QPushButton, QVBoxLayout, QWidget

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
from ..shared.noise_form import NoiseForm
from ..shared.open_checkpoint import MODEL_FILES_NOTE
from .fields import (
    AXES,
    DEVICE,
    DTYPE,
    FOLLOW,
    FRAMES,
    INTENSITY_RANGE,
    KIND,
    LAYER,
    MODEL,
    NOISE,
    PRECISION,
    PREVIEW,
    RANGE_OF,
    REFERENCE,
    RESIDUAL,
    RESULTS,
    SCOPE,
    SEED,
)
from .model_export import ModelExport

_OPTIONS = "Settings that most images need not change."


class FormLayout(QWidget):  # type: ignore[misc]
    """The fields of the form, with facts about the layer between them.

    Attributes
    ----------
    fields : dict of str to Field
        The fields by name, without those of the noise to remove.
    to_remove : NoiseForm
        The noise to remove.
    options : Collapsible
        The section with the fields that are rarely changed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.facts, self.axes_note, self.preview_note = OneLine(), Note(), Note()
        self.model_button = self._make_model_button()
        self.export = ModelExport()
        self.copy_python = make_button(
            "Copy as Python",
            "Copy the equivalent Python code, for napari's console.",
        )
        self.to_remove = NoiseForm()
        self.fields: dict[str, Field] = {}
        self._arrange()
        self._name_fields()

    def _arrange(self) -> None:
        column = make_column(self)
        self._add_rows(
            column,
            (LAYER,),
            self.facts,
            (AXES,),
            self.axes_note,
            (INTENSITY_RANGE, MODEL),
            self.export,
            self.to_remove,
            (PREVIEW,),
            self.preview_note,
        )
        self.fields["model"].put_beside(self.model_button)
        self.options = self._make_options()
        column.addWidget(self.options)

    def _make_model_button(self) -> QPushButton:
        """Return a button with a menu, `open_model` and `export_model`."""
        button = make_button(
            "…",
            f"Open a model: {MODEL_FILES_NOTE}. Or export the chosen model. "
            "You can also drop a model file on this widget.",
        )
        button.setFixedWidth(30)
        button.setStyleSheet("QPushButton::menu-indicator { image: none; width: 0; }")
        menu = QMenu(button)
        self.open_model = menu.addAction("Open…")
        self.export_model = menu.addAction("Export…")
        button.setMenu(menu)
        return button

    def _make_options(self) -> Collapsible:
        options = QWidget()
        self.noise = Field(NOISE)
        self._add_rows(
            make_column(options),
            (FOLLOW, SCOPE, RANGE_OF, FRAMES, DTYPE, RESULTS, RESIDUAL),
            self.to_remove.hot_pixels,
            (DEVICE, PRECISION, KIND, REFERENCE),
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
            self.fields |= fields

    def _name_fields(self) -> None:
        fields = self.fields
        self.layer, self.follow = fields["layer"], fields["follow"]
        self.axes = fields["axes"]
        self.intensity_range = fields["intensity_range"]
        self.model, self.preview = fields["model"], fields["preview"]
        self.scope = fields["scope"].editor
        self.range_of, self.frames = fields["range_of"], fields["frames"]
        self.dtype, self.residual = fields["dtype"], fields["residual"]
        self.results = fields["results"]
        self.device, self.precision = fields["device"], fields["precision"]
        self.kind = fields["kind"]
        self.reference, self.seed = fields["reference"], fields["seed"]
        # Otherwise Qt would align the label with the top of this tall editor.
        self.kind.label.setMinimumHeight(self.kind.sizeHint().height())
