"""The noise that is to be removed, for a model that is told how noisy the layer is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget
from superqt import QLabeledDoubleSlider

from ...noise.setting import GAUSSIAN, POISSON_GAUSSIAN, NoiseSetting
from .fields import Field, NumberEdit, make_combo
from .layout import Folded, Note, make_form
from .noise_plot import NoisePlot

if TYPE_CHECKING:
    from .noise_found import NoiseFound

#: What may be said of the noise.
ESTIMATED = "Gaussian, estimated"
GIVEN = "Gaussian, sigma given"
CURVE = "Poisson-Gaussian"
_STRONGEST = 2.0
_DECIMALS = 2


class NoiseForm(QWidget):  # type: ignore[misc]
    """Which noise to remove, how much of it, and what was found of it.

    Parameters
    ----------
    shows_found : bool
        Whether there is one layer, in which something can be found.

    Attributes
    ----------
    changed : Signal
        Emitted after what is said of the noise has changed.
    strength_changed : Signal
        Emitted after the strength has changed, also while the slider is moved.
    """

    changed = Signal()
    strength_changed = Signal()

    def __init__(self, *, shows_found: bool = True) -> None:
        super().__init__()
        self._shows_found = shows_found
        # What stands in for sigma as long as nobody has said another.
        self._proposed = ""
        self.kind = Field(
            make_combo((ESTIMATED, GIVEN, CURVE)),
            "noise",
            "What to remove. Gaussian: as strong in dark as in bright parts; its sigma "
            "is estimated, or you give it. Poisson-Gaussian: photon counts and "
            "cameras, stronger in bright parts; how much stronger is estimated. "
            "Default: Gaussian, estimated.",
        )
        self.sigma = Field(
            NumberEdit(),
            "sigma",
            "Standard deviation of the noise in the image's own units."
            + " Default: what is estimated." * shows_found,
        )
        self.found = Note()
        self.strength = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
        self.strength.setRange(0.0, _STRONGEST)
        self.strength.setDecimals(_DECIMALS)
        self.strength.setSingleStep(0.05)
        self.strength.setValue(1.0)
        self.plot = NoisePlot()
        self.curve = Folded("Noise curve", self.plot)
        self._lay_out()
        self.kind.changed.connect(self._show_fitting_fields)
        self.kind.changed.connect(self.changed)
        self.sigma.changed.connect(self._on_sigma_changed)
        self.strength.valueChanged.connect(lambda _: self.strength_changed.emit())
        self._show_fitting_fields()

    @property
    def value(self) -> NoiseSetting:
        """What is said of the noise.

        Raises
        ------
        InvalidInputError
            If sigma is no number of at least 0.
        """
        kind = self.kind.value
        return NoiseSetting(
            sigma=self.sigma.value if kind == GIVEN else None,
            noise_type=POISSON_GAUSSIAN if kind == CURVE else GAUSSIAN,
            strength=round(self.strength.value(), _DECIMALS),
        )

    def show_found(self, found: NoiseFound | None, *, of_each: bool = False) -> None:
        """Say what was found of the noise, and propose it as sigma.

        What is found is that of the stack, also where each image is measured.
        """
        text = "" if found is None else str(found)
        self.found.setText(f"{text} (In the whole stack.)" if of_each else text)
        self.plot.set_fits(() if found is None else found.fits)
        is_said = self.sigma.editor.text() != self._proposed
        if found is not None and not is_said and not math.isnan(found.sigma):
            self._proposed = f"{found.sigma:.4g}"
            self.sigma.value = self._proposed

    def forget(self) -> None:
        """Say nothing of the noise of another layer, and take its next estimate."""
        self._proposed = self.sigma.editor.text()
        self.show_found(None)

    def _lay_out(self) -> None:
        label = QLabel("strength")
        for widget in (label, self.strength):
            widget.setToolTip(
                "<qt>How many times the noise level to remove: less keeps some of the "
                "noise, 0 all of it; more smooths more. Default: 1.</qt>"
            )
        form = make_form()
        form.addRow(self.kind.label, self.kind)
        form.addRow(self.sigma.label, self.sigma)
        form.addRow(label, self.strength)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(form)
        column.addWidget(self.found)
        column.addWidget(self.curve)

    def _show_fitting_fields(self) -> None:
        kind = self.kind.value
        self.sigma.setVisible(kind == GIVEN)
        self.sigma.label.setVisible(kind == GIVEN)
        self.curve.setVisible(kind == CURVE and self._shows_found)

    def _on_sigma_changed(self) -> None:
        if self.kind.value == GIVEN:
            self.changed.emit()
