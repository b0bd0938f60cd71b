"""Hooks of MkDocs that make the site from the files of the repository.

Links between the pages lead to files of the repository, so that they work there, too.
Here they are made to lead to pages of the site.
"""

from __future__ import annotations

import posixpath
import re
import sys
import tomllib
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latex2mathml.converter import convert as mathml_of
from mkdocs.structure.files import File

sys.path.insert(0, str(Path(__file__).parent))
from notebook_pages import executed

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
# Files of the repository that are pages of the site, apart from those in docs/.
PAGES = {
    "README.md": "get-started.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "benchmarks/README.md": "benchmarks.md",
}
COMPARISON = "how-it-compares.md"
ORIGINS = {page: origin for origin, page in PAGES.items()} | {COMPARISON: "README.md"}
FORMULA = re.compile(
    r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL
)
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Link to the repository, once it has an address."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    metadata = project["tool"]["hatch"]["metadata"]
    config.repo_url = metadata["hooks"]["custom"]["address"]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made from other files."""
    texts = {page: (ROOT / file).read_text("utf-8") for file, page in PAGES.items()}
    readme = texts["get-started.md"]
    texts["get-started.md"] = "# Get started\n\n" + between(
        readme, "## Installation", "## Limits"
    )
    performance = between(readme, "## Performance", "## More")
    texts[COMPARISON] = "# How it compares\n" + raised(performance.partition("\n")[2])
    for path, text in texts.items():
        files.append(File.generated(config, path, content=text))
    for notebook in sorted(Path(config.docs_dir).glob("tutorials/*.ipynb")):
        text, pictures = executed(notebook)
        page = File.generated(config, f"tutorials/{notebook.stem}.md", content=text)
        files.append(page)
        for name, data in pictures.items():
            path = f"tutorials/{notebook.stem}_files/{name}"
            files.append(File.generated(config, path, content=data))
    return files


def between(text: str, start: str, end: str) -> str:
    """Return the lines from a heading to another one, which must exist."""
    _, _, rest = text.partition(f"\n{start}\n")
    part, found, _ = rest.partition(f"\n{end}\n")
    if not found:
        message = f"README.md has no heading {start!r} or {end!r}"
        raise ValueError(message)
    return f"{start}\n{part}"


def raised(text: str) -> str:
    """Return Markdown whose headings are one level higher."""
    return re.sub(r"^#(#+ )", r"\1", text, flags=re.MULTILINE)


def on_page_markdown(markdown: str, *, page: Page, **_: Any) -> str:
    """Lead links to pages of the site, and show examples as sessions."""
    here = page.file.src_uri
    origin = ORIGINS.get(here, f"docs/{here}")

    def led(match: re.Match[str]) -> str:
        target, anchor = match.groups(default="")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(origin), target))
        uri = PAGES.get(path, path.removeprefix("docs/"))
        if path == "README.md" and anchor == "#performance":
            uri, anchor = COMPARISON, ""
        uri = re.sub(r"\.ipynb$", ".md", uri)
        return f"]({posixpath.relpath(uri, posixpath.dirname(here) or '.')}{anchor})"

    text = LINK.sub(led, markdown)
    text = text.replace("```python\n>>>", "```pycon\n>>>")
    return re.sub(r" +# doctest: .*$", "", text, flags=re.MULTILINE)


def on_page_content(html: str, **_: Any) -> str:
    """Write formulas as MathML, which browsers draw without a script."""
    return FORMULA.sub(formula, html)


def formula(match: re.Match[str]) -> str:
    """Return the MathML of a formula in LaTeX."""
    text = unescape(match[2])
    if match[1] == "span":
        return mathml_of(text)
    return f'<div class="formula">{mathml_of(text, display="block")}</div>'
