"""Fields whose values survive closing their widget."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .remembered import recall, remember

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .fields import Field


def remember_fields(group: str, fields: Mapping[str, Field]) -> None:
    """Set fields to the values they had last, and remember each change.

    Parameters
    ----------
    group : str
        Where they are remembered, such as the name of the widget.
    fields : mapping of str to Field
        The fields by key. Their values are texts, numbers or bools.
    """
    for name, field in fields.items():
        key = f"{group}/{name}"
        if (value := _parse(recall(key))) is not None:
            field.value = value
        field.changed.connect(lambda k=key, f=field: remember(k, json.dumps(f.value)))


def _parse(text: object) -> object:
    """Return the value in a text; None if there is none."""
    try:
        return json.loads(str(text))
    except ValueError:
        return None
