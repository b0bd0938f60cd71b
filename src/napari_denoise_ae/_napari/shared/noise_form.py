"""The noise that is to be removed, for a model that is told how noisy the layer is."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget
from superqt import QLabeledDoubleSlider

from ...noise.setting import GAUSSIAN, POISSON_GAUSSIAN, NoiseSetting
from .editors import Choice, NumberEdit
from .fields import FieldSpec, add_fields
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
        # The text that sigma holds as long as nobody has typed another.
        self._proposed = ""
        self.found = Note()
        self.plot = NoisePlot()
        self.curve = Folded("Noise curve", self.plot)
        form = make_form()
        fields = add_fields(form, _specs(shows_found=shows_found))
        self.kind, self.sigma = fields["kind"], fields["sigma"]
        self.strength = fields["strength"].editor
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(form)
        column.addWidget(self.found)
        column.addWidget(self.curve)
        self.kind.changed.connect(self._show_fitting_fields)
        self.kind.changed.connect(self.changed)
        self.sigma.changed.connect(self._on_sigma_changed)
        fields["strength"].changed.connect(self.strength_changed)
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

    def _show_fitting_fields(self) -> None:
        kind = self.kind.value
        self.sigma.show_if(kind == GIVEN)
        self.curve.setVisible(kind == CURVE and self._shows_found)

    def _on_sigma_changed(self) -> None:
        if self.kind.value == GIVEN:
            self.changed.emit()


def _specs(*, shows_found: bool) -> tuple[FieldSpec, ...]:
    return (
        FieldSpec(
            "kind",
            "noise",
            partial(Choice, (ESTIMATED, GIVEN, CURVE)),
            "What to remove. Gaussian: as strong in dark as in bright parts; its sigma "
            "is estimated, or you give it. Poisson-Gaussian: photon counts and "
            "cameras, stronger in bright parts; how much stronger is estimated. "
            "Default: Gaussian, estimated.",
        ),
        FieldSpec(
            "sigma",
            "sigma",
            NumberEdit,
            "Standard deviation of the noise in the image's own units."
            + " Default: what is estimated." * shows_found,
        ),
        FieldSpec(
            "strength",
            "strength",
            _strength_slider,
            "How many times the noise level to remove: less keeps some of the noise, 0 "
            "all of it; more smooths more. Default: 1.",
        ),
    )


def _strength_slider() -> QLabeledDoubleSlider:
    slider = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
    slider.setRange(0.0, _STRONGEST)
    slider.setDecimals(_DECIMALS)
    slider.setSingleStep(0.05)
    slider.setValue(1.0)
    return slider
