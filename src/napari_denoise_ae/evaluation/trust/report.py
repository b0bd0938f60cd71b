"""The trust report: what can be said of a denoised image without a clean one."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from ...image.tiling import Region

#: The lights, from good to bad.
FINE, LOOK_CLOSER, DO_NOT_TRUST = "fine", "look closer", "do not trust"
LIGHTS = (FINE, LOOK_CLOSER, DO_NOT_TRUST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One part of a trust report.

    Parameters
    ----------
    name : str
        ``"noise"``, ``"resolution"``, ``"error"``, ``"error map"``, ``"smoothing"``,
        ``"leftover noise"``, ``"structure"``, ``"reference"`` or ``"repeats"``.
    sentence : str
        The finding in plain words, with its figure and how uncertain it is.
    light : str
        ``"fine"``, ``"look closer"`` or ``"do not trust"``. A check that could not run
        is never fine.
    validity : str
        When the figure does not hold.
    figures : mapping
        Numbers by name, in the image's units unless the name says otherwise. Figures
        that cannot be determined are missing.
    """

    name: str
    sentence: str
    light: str = FINE
    validity: str = ""
    figures: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class TransferCurve:
    """How much of the image is kept at each spatial frequency.

    Parameters
    ----------
    frequencies : numpy.ndarray
        Cycles per pixel, ascending, float64.
    transfer : numpy.ndarray
        Fraction of the signal that the result keeps: 1 for all. Same shape.
    """

    frequencies: NDArray[np.float64]
    transfer: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class WindowMaps:
    """Maps of one window that was looked at.

    Parameters
    ----------
    plane : tuple of int
        Index of its plane in the stack.
    region : tuple of slice
        Rows and columns of the window in the plane.
    noisy, denoised : numpy.ndarray
        Its pixels, (Y, X, channels), float64.
    error : numpy.ndarray or None
        Typical error of each pixel in the image's units, (Y, X), constant in blocks of
        16 x 16 pixels. None if it cannot be determined.
    structure : numpy.ndarray or None
        The removed part, blurred, in standard deviations of blurred noise, (Y, X).
        Values beyond 4 are structure. None if the noise is unknown.
    """

    plane: tuple[int, ...]
    region: Region
    noisy: NDArray[np.float64]
    denoised: NDArray[np.float64]
    error: NDArray[np.float64] | None
    structure: NDArray[np.float64] | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrustReport:
    """What can be said of a denoised image without a clean one.

    `assess` returns it.

    Parameters
    ----------
    findings : tuple of Finding
        The parts of the report.
    sampled : str
        Which planes and windows were looked at.
    model : str
        Name of the model.
    curve : TransferCurve, optional
        Signal transfer, up to the frequency where the signal is lost in the noise.
    windows : tuple of WindowMaps
        Maps of the windows that were looked at.
    """

    findings: tuple[Finding, ...]
    sampled: str
    model: str
    curve: TransferCurve | None = None
    windows: tuple[WindowMaps, ...] = ()

    @property
    def light(self) -> str:
        """The worst light of all findings."""
        return max((each.light for each in self.findings), key=LIGHTS.index)

    @property
    def reasons(self) -> tuple[str, ...]:
        """The sentences of the findings that are not fine, the worst first."""
        others = [each for each in self.findings if each.light != FINE]
        others.sort(key=lambda each: -LIGHTS.index(each.light))
        return tuple(each.sentence for each in others)

    @property
    def figures(self) -> dict[str, float | str]:
        """All figures by name."""
        return {
            name: value
            for finding in self.findings
            for name, value in finding.figures.items()
        }

    def __str__(self) -> str:
        lines = [f"{self.light}: {self.sampled}"]
        lines += [f"{each.name:<15}{each.sentence}" for each in self.findings]
        return "\n".join(lines)

    def as_record(self) -> dict[str, Any]:
        """Return the report as JSON values, without maps."""
        record: dict[str, Any] = {
            "light": self.light,
            "reasons": list(self.reasons),
            "model": self.model,
            "sampled": self.sampled,
            "findings": [_plain(each) for each in self.findings],
        }
        if self.curve is not None:
            record["transfer"] = {
                "cycles_per_pixel": self.curve.frequencies.tolist(),
                "kept": self.curve.transfer.tolist(),
            }
        return record


def _plain(finding: Finding) -> dict[str, Any]:
    figures = {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in finding.figures.items()
    }
    return {
        "name": finding.name,
        "light": finding.light,
        "sentence": finding.sentence,
        "validity": finding.validity,
        "figures": figures,
    }
