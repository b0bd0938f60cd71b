"""Add the project's addresses to the metadata of the wheel and the sdist.

hatchling runs this when it builds. The address of the repository is one setting in
pyproject.toml. While it is empty, no address is added, and `check_release.py` fails.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

# Targets of Markdown links and images that are files of the repository.
_RELATIVE = re.compile(r"(!?)\[([^\]]*)\]\((?!https?://|#|mailto:)([^)\s]+)\)")


class ProjectAddresses(MetadataHookInterface):
    """The addresses of the project, and a README whose links lead there."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set `readme` and `urls`, which is empty without an address."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        address = self.config["address"].rstrip("/")
        metadata["urls"] = {}
        if address:
            tag = f"v{metadata['version']}"
            text = absolute_links(text, address, tag)
            metadata["urls"] = project_urls(address, tag)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


def absolute_links(text: str, address: str, tag: str) -> str:
    """Return Markdown whose links and images lead to a tag of the repository.

    Parameters
    ----------
    text : str
        Markdown with links relative to the root of the repository.
    address : str
        Address of the repository, without a slash at its end.
    tag : str
        The tag.
    """

    def replaced(match: re.Match[str]) -> str:
        image, label, target = match.groups()
        kind = "raw" if image else "blob"
        return f"{image}[{label}]({address}/{kind}/{tag}/{target})"

    return _RELATIVE.sub(replaced, text)


def project_urls(address: str, tag: str) -> dict[str, str]:
    """Return the links that package indexes show beside a project."""
    return {
        "Homepage": address,
        "Documentation": f"{address}/blob/{tag}/docs/index.md",
        "Source": address,
        "Issues": f"{address}/issues",
        "Changelog": f"{address}/blob/{tag}/CHANGELOG.md",
    }
