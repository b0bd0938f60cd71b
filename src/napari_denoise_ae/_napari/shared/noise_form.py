"""Form for the noise to remove, for models that take a noise level."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget
from superqt import QLabeledDoubleSlider

from ...noise.noise_estimate import GAUSSIAN, POISSON_GAUSSIAN
from ...noise.setting import AUTO, NoiseSetting
from .editors import Choice, NumberEdit, make_check, make_line
from .fields import Field, FieldSpec, add_fields, align_labels
from .layout import Collapsible, Note, make_column, make_form

if TYPE_CHECKING:
    from .layer_noise import LayerNoise
    from .noise_plot import NoisePlot

#: The choices for the noise to remove.
MEASURED = "auto"
ESTIMATED = "Gaussian, estimated"
GIVEN = "Gaussian, sigma given"
CURVE = "Poisson-Gaussian"
_TYPES = {
    MEASURED: AUTO,
    ESTIMATED: GAUSSIAN,
    # A given sigma means Gaussian noise.
    GIVEN: AUTO,
    CURVE: POISSON_GAUSSIAN,
}
_CURVE = (
    "The variance of the noise at several intensities, measured as points and found as "
    "a line. Points far above the line are texture. The line is dashed above the last "
    "point, where nothing is smooth enough to measure."
)
HOT_PIXELS = FieldSpec(
    "hot_pixels",
    "",
    partial(make_check, "replace hot pixels"),
    "Replace hot and dead pixels, which stand out from all their neighbors. "
    "Otherwise they are kept unchanged. Default: off.",
    is_wide=True,
)
_STRONGEST = 2.0
_DECIMALS = 2


class NoiseForm(QWidget):  # type: ignore[misc]
    """The noise to remove, its strength, and the noise estimated in the layer.

    Parameters
    ----------
    shows_estimate : bool
        Whether there is a layer to estimate noise in. Without one, the form has no
        noise curve.

    Attributes
    ----------
    found : LayerNoise or None
        The measured noise of the layer, if it is known.
    hot_pixels : Field
        Whether to replace hot pixels, to be placed elsewhere.
    changed : Signal
        Emitted after any other value of the form has changed, if it is in use.
    strength_changed : Signal
        Emitted after the strength has changed, also while the slider moves.
    """

    changed = Signal()
    strength_changed = Signal()

    def __init__(self, *, shows_estimate: bool = True) -> None:
        super().__init__()
        self._shows_estimate = shows_estimate
        # Sigma follows the estimate as long as it holds this text.
        self._proposed = ""
        self.found: LayerNoise | None = None
        self.estimate_note = Note()
        self._plot: NoisePlot | None = None
        self._colors = ("#000000", "#ffffff")
        self._place = QWidget()
        self.curve_note = Note()
        make_column(self._place).addWidget(self.curve_note)
        self.curve = Collapsible("Noise curve", self._place, _CURVE)
        self.curve.button.toggled.connect(self._update_plot)
        form = make_form()
        fields = add_fields(form, _specs(has_default_sigma=shows_estimate))
        self.kind, self.sigma = fields["kind"], fields["sigma"]
        self.correlation = fields["correlation"]
        self.strength_field = fields["strength"]
        self.strength = self.strength_field.editor
        self.hot_pixels = Field(HOT_PIXELS)
        align_labels(fields.values())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(form)
        column.addWidget(self.estimate_note)
        column.addWidget(self.curve)
        self.kind.changed.connect(self._update_visibility)
        self.kind.changed.connect(self.changed)
        for field in (self.sigma, self.correlation):
            field.changed.connect(self._on_given_changed)
        self.hot_pixels.changed.connect(self.changed)
        self.strength_field.changed.connect(self.strength_changed)
        self._update_visibility()

    @property
    def value(self) -> NoiseSetting:
        """The noise to remove.

        Raises
        ------
        InvalidInputError
            If sigma is not a number of at least 0, or the correlation is not empty
            and not two numbers from 0 to 0.95.
        """
        kind = self.kind.value
        is_given = kind == GIVEN
        return NoiseSetting(
            sigma=self.sigma.value if is_given else None,
            correlation=_correlation(self.correlation.value) if is_given else None,
            noise_type=_TYPES[kind],
            strength=round(self.strength.value(), _DECIMALS),
            replace_hot_pixels=self.hot_pixels.value,
        )

    def show_estimate(
        self, estimate: LayerNoise | None, *, per_image: bool = False
    ) -> None:
        """Show the estimated noise, and fill in sigma unless the user has typed one.

        Parameters
        ----------
        estimate : LayerNoise or None
            The estimate, which is always that of the whole stack; None if unknown.
        per_image : bool
            Whether denoising will measure each image. The text then says that this
            estimate does not.
        """
        self.found = estimate
        text = "" if estimate is None else str(estimate)
        note = f"{text} (In the whole stack.)" if per_image else text
        self.estimate_note.setText(note)
        self._update_plot()
        was_typed = self.sigma.editor.text() != self._proposed
        if estimate is not None and not was_typed and not math.isnan(estimate.sigma):
            self._proposed = f"{estimate.sigma:.4g}"
            self.sigma.value = self._proposed

    @property
    def plot(self) -> NoisePlot:
        """The noise curve, which is made when it is first needed.

        Importing pyqtgraph takes half of the time to open the widget.
        """
        from .noise_plot import NoisePlot

        if self._plot is None:
            self._plot = NoisePlot()
            self._plot.set_colors(*self._colors)
            self._place.layout().insertWidget(0, self._plot)
        return self._plot

    def set_colors(self, background: str, text: str) -> None:
        """Set the colors of the noise curve, as ``#rrggbb``."""
        self._colors = (background, text)
        if self._plot is not None:
            self._plot.set_colors(background, text)

    def _update_plot(self) -> None:
        if self.curve.button.isChecked():
            self.plot.set_points(() if self.found is None else self.found.points)
            self.curve_note.setText(self.plot.missing)

    def clear_estimate(self) -> None:
        """Clear the estimate of the previous layer; the next one replaces sigma."""
        self._proposed = self.sigma.editor.text()
        self.show_estimate(None)

    def _update_visibility(self) -> None:
        kind = self.kind.value
        for field in (self.sigma, self.correlation):
            field.show_if(kind == GIVEN)
        self.curve.setVisible(kind in (MEASURED, CURVE) and self._shows_estimate)

    def _on_given_changed(self) -> None:
        if self.kind.value == GIVEN:
            self.changed.emit()


def _specs(*, has_default_sigma: bool) -> tuple[FieldSpec, ...]:
    return (
        FieldSpec(
            "kind",
            "noise",
            partial(Choice, (MEASURED, ESTIMATED, GIVEN, CURVE)),
            "The noise to remove. Auto: its kind and its level are measured in the "
            "image. Gaussian: the same level in dark and bright parts; sigma is "
            "measured, or you enter it. Poisson-Gaussian: for photon counts and "
            "cameras, stronger in bright parts; measured. Default: auto.",
        ),
        FieldSpec(
            "sigma",
            "sigma",
            NumberEdit,
            "Standard deviation of the noise in the image's own units. "
            f"Default: {'the estimate' if has_default_sigma else 'none, enter one'}.",
        ),
        FieldSpec(
            "correlation",
            "correlation",
            partial(make_line, placeholder="X, Y"),
            "Correlation of the noise of neighboring pixels along X and Y: two numbers "
            "from 0 to 0.95, such as 0.6, 0.6. Default: empty, independent pixels.",
        ),
        FieldSpec(
            "strength",
            "strength",
            _strength_slider,
            "Noise level multiplier. Below 1, some noise is kept; 0 keeps all of it. "
            "Above 1, the result is smoother. Default: 1.",
        ),
    )


def _correlation(text: str) -> Any:
    """Return typed numbers as a tuple, None for no text, and other text unchanged."""
    try:
        return tuple(float(part) for part in text.split(",")) if text else None
    except ValueError:
        return text


def _strength_slider() -> QLabeledDoubleSlider:
    slider = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
    slider.setRange(0.0, _STRONGEST)
    slider.setDecimals(_DECIMALS)
    slider.setSingleStep(0.05)
    slider.setValue(1.0)
    return slider
