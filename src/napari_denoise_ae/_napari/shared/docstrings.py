"""Read summaries and parameter descriptions from docstrings, for tooltips."""

from __future__ import annotations

import inspect
import re
from typing import Any

# The lines under the heading, up to the next heading or the end.
_PARAMETERS = re.compile(r"^Parameters\n-+\n(.*?)(?=^\S[^\n]*\n-+$|\Z)", re.S | re.M)
_PARAMETER = re.compile(r"^(\w[\w, ]*?) : [^\n]*\n((?:(?: +[^\n]*)?(?:\n|\Z))*)", re.M)


def summary(thing: Any) -> str:
    """Return the first line of a docstring; empty if there is none.

    Examples
    --------
    >>> summary(summary)
    'Return the first line of a docstring; empty if there is none.'
    """
    return (inspect.getdoc(thing) or "").partition("\n")[0]


def parameter_texts(thing: Any) -> dict[str, str]:
    """Return the descriptions of the parameters in a numpydoc docstring, by name.

    Examples
    --------
    >>> from napari_denoise_ae.noise.synthetic import Speckle
    >>> parameter_texts(Speckle)["sigma"]
    'Standard deviation as a fraction of each value; above 0.'
    """
    found = _PARAMETERS.search((inspect.getdoc(thing) or "") + "\n")
    if found is None:
        return {}
    return {
        name: " ".join(text.split())
        for names, text in _PARAMETER.findall(found[1])
        for name in names.split(", ")
    }
