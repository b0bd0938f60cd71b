"""Write trust reports as JSON, or as one HTML page with pictures."""

from __future__ import annotations

import json
from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING

from ..._version import __version__
from ...errors import InvalidInputError
from ...io.atomic import atomic_write
from .pictures import draw_transfer, draw_window
from .report import DO_NOT_TRUST, FINE, LOOK_CLOSER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .report import Finding, TrustReport

#: Suffixes of reports.
HTML, JSON = ".html", ".json"
# Windows that are drawn.
_MOST_WINDOWS = 3
_COLORS = {FINE: "#1b7f3b", LOOK_CLOSER: "#9a6700", DO_NOT_TRUST: "#b42318"}
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto;
       padding: 0 1rem; color: #222; background: #fff; }
table { border-collapse: collapse; } td, th { padding: .4rem .8rem .4rem 0;
       vertical-align: top; text-align: left; border-bottom: 1px solid #ddd; }
img { max-width: 100%; } .note { color: #666; font-size: 85%; }
.light { font-size: 140%; font-weight: bold; }
"""


def require_report_name(path: Path) -> None:
    """Raise unless the name of a report ends in .html or .json.

    Raises
    ------
    InvalidInputError
        If it does not.
    """
    if path.suffix.lower() not in (HTML, JSON):
        raise InvalidInputError(
            f"The name of a report must end in .html or .json, got {path}."
        )


def write_report(
    path: Path,
    reports: Sequence[TrustReport],
    *,
    title: str,
    pixel_size: tuple[float, str] | None = None,
) -> None:
    """Write the reports of an image.

    Parameters
    ----------
    path : pathlib.Path
        File to write, .html or .json. The page needs no other file.
    reports : sequence of TrustReport
        The report, or that of each channel.
    title : str
        Name of the image.
    pixel_size : tuple, optional
        Size of a pixel and its unit, for the plot.

    Raises
    ------
    InvalidInputError
        If the name has another suffix.
    OutputError
        If the file cannot be written.
    """
    require_report_name(path)
    if path.suffix.lower() == JSON:
        record = {
            "image": title,
            "version": __version__,
            "reports": [report.as_record() for report in reports],
        }
        text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
    else:
        text = _page(reports, title, pixel_size)
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _page(
    reports: Sequence[TrustReport], title: str, pixel_size: tuple[float, str] | None
) -> str:
    names = [""] if len(reports) == 1 else [f"Channel {n}" for n in range(len(reports))]
    parts = [
        _section(report, name, pixel_size)
        for name, report in zip(names, reports, strict=True)
    ]
    heading = escape(f"Can I believe it? {title}")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8">'
        f"<title>{heading}</title><style>{_STYLE}</style></head>\n"
        f"<body>\n<h1>{heading}</h1>\n{''.join(parts)}"
        f'<p class="note">napari-denoise-ae {__version__}</p>\n</body>\n</html>\n'
    )


def _section(
    report: TrustReport, name: str, pixel_size: tuple[float, str] | None
) -> str:
    rows = "".join(_row(finding) for finding in report.findings)
    lines = [
        f"<h2>{escape(name)}</h2>" if name else "",
        _light(report.light, "light"),
        "".join(f"<p>{escape(reason)}</p>" for reason in report.reasons),
        f'<p class="note">Model {escape(report.model)}. Looked at: '
        f"{escape(report.sampled)}.</p>",
        f"<table>{rows}</table>",
    ]
    if report.curve is not None:
        lines.append("<h3>Signal kept</h3>")
        lines.append(_image(draw_transfer(report.curve, pixel_size), "Signal kept"))
    lines.append("<h3>Maps</h3>")
    lines += [
        _image(draw_window(window), "Noisy and denoised image, and maps")
        for window in report.windows[:_MOST_WINDOWS]
    ]
    return "\n".join(lines) + "\n"


def _row(finding: Finding) -> str:
    note = f'<br><span class="note">{escape(finding.validity)}</span>'
    return (
        f"<tr><th>{escape(finding.name)}</th><td>{_light(finding.light, '')}</td>"
        f"<td>{escape(finding.sentence)}{note if finding.validity else ''}</td></tr>\n"
    )


def _light(light: str, kind: str) -> str:
    return f'<div class="{kind}" style="color:{_COLORS[light]}">{escape(light)}</div>'


def _image(png: bytes, alternative: str) -> str:
    data = b64encode(png).decode("ascii")
    return f'<p><img alt="{alternative}" src="data:image/png;base64,{data}"></p>'
