"""The traffic light and the findings of a trust report, as rich text."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ..shared.layout import ERROR_COLOR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...evaluation.trust.report import Finding, TrustReport

# Legible on napari's dark and light themes.
_COLORS = {"fine": "#2f9e57", "look closer": "#d08700", "do not trust": ERROR_COLOR}


def light_text(reports: Sequence[TrustReport]) -> str:
    """Return the worst light of some reports, with its first reason."""
    order = list(_COLORS)
    worst = max(reports, key=lambda report: order.index(report.light))
    number = list(reports).index(worst)
    channel = f"channel {number}: " if len(reports) > 1 else ""
    reason = worst.reasons[0] if worst.reasons else "All checks passed."
    return f"{_dot(worst.light, 20)} <b>{worst.light}</b><br>{escape(channel + reason)}"


def finding_text(finding: Finding) -> str:
    """Return one finding with its light."""
    name = f"<b>{escape(finding.name)}</b>"
    return f"{_dot(finding.light, 12)} {name}: {escape(finding.sentence)}"


def _dot(light: str, size: int) -> str:
    return f'<span style="color: {_COLORS[light]}; font-size: {size}px">●</span>'
