"""Exports step by step, so that a face can show the steps and stop between two."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator

Result = TypeVar("Result")


def run_to_end(steps: Generator[str, None, Result]) -> Result:
    """Run all steps of an export and return its result."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result
