"""Turn the reStructuredText of docstrings into Markdown, and names into links."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import griffe

# The objects that have an entry, by the last part of their path.
ENTRIES = {
    path.rpartition(".")[2]: path
    for page in Path(__file__).parent.glob("api*.md")
    for path in re.findall(r"^::: (\S+)$", page.read_text("utf-8"), re.MULTILINE)
}
CODE = re.compile(r"(?<![`:])`(?:napari_denoise_ae\.)?(\w+)`(?!`)")
DOI = re.compile(r":doi:`([^`]+)`")
ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")


class DocstringMarkup(griffe.Extension):
    """Change docstrings before they are parsed, and show the options of functions."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:  # noqa: ARG002
        """Change the docstring of an object."""
        if obj.docstring:
            obj.docstring.value = as_markdown(obj.docstring.value, obj.name)

    def on_package(self, *, pkg: griffe.Module, **kwargs: Any) -> None:  # noqa: ARG002
        """Make names known everywhere, and show options as their decorator does."""
        for module in _modules(pkg):
            for name, path in ENTRIES.items():
                if name not in module.members:
                    module.members[name] = griffe.Alias(name, path, parent=module)
        options = pkg["denoising.options.DenoiseOptions"].parameters
        for path in ("denoising.api.denoise", "_napari.denoise.commands.denoise_layer"):
            own = [each for each in pkg[path].parameters if each.name != "options"]
            fields = [each for each in options if each.name != "self"]
            pkg[path].parameters = griffe.Parameters(*own, *fields)
            for each in pkg[path].parameters:
                if isinstance(each.default, griffe.ExprName):
                    each.default = _value(each.default.canonical_path)


def _modules(module: griffe.Module) -> list[griffe.Module]:
    inner = [each for each in module.modules.values() if not each.is_alias]
    return [module, *(found for each in inner for found in _modules(each))]


def _value(path: str) -> str:
    """Return the value of a constant, by its path."""
    module, _, name = path.rpartition(".")
    return repr(getattr(import_module(module), name))


def as_markdown(text: str, name: str) -> str:
    """Return a docstring with Markdown instead of reStructuredText.

    Parameters
    ----------
    text : str
        The docstring.
    name : str
        Name of the object, which gets no link to itself.
    """

    def linked(match: re.Match[str]) -> str:
        entry = ENTRIES.get(match[1])
        if entry is None or match[1] == name:
            return f"`{match[1]}`"
        return f"[`{match[1]}`][{entry}]"

    text = CODE.sub(linked, text)
    text = DOI.sub(r"[doi:\1](https://doi.org/\1)", text)
    text = ARXIV.sub(r"[arXiv:\1](https://arxiv.org/abs/\1)", text)
    text = re.sub(r"^( *)\.\. \[(\d+)\] ", r"\1\2. ", text, flags=re.MULTILINE)
    return re.sub(r"\[(\d+)\]_", r"[\1]", text)
