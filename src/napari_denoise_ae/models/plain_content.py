"""Check that what a file of a model contains is plain, and no larger than the file."""

from __future__ import annotations

from typing import Any

from ..errors import CheckpointError

#: Bytes; more than any network of this package needs, including its optimizer.
LARGEST_FILE = 2**30
# Values, counted each time that they are referred to, and levels of nesting.
_MOST_VALUES, _MOST_LEVELS = 300_000, 12
_LONGEST_TEXT = 20_000
_LARGEST_INTEGER = 2**63
# Characters of a reason in an error message.
_LONGEST_REASON = 300


def require_plain(content: Any, n_bytes: int, name: str) -> None:
    """Raise unless something consists of tensors and plain values of usual sizes.

    Parameters
    ----------
    content : object
        What was read from a file.
    n_bytes : int
        Bytes of the file. Its tensors may not have more elements than it holds.
    name : str
        Name of the file, for the error message.

    Raises
    ------
    CheckpointError
        If it is nested too deeply, refers to too many values, or contains anything but
        dense tensors, numbers, strings, None, lists, tuples and dicts.
    """
    stack: list[tuple[Any, int]] = [(content, 0)]
    n_values, n_left = 0, n_bytes
    while stack:
        value, level = stack.pop()
        n_values += 1
        if n_values > _MOST_VALUES or level > _MOST_LEVELS:
            raise unusable_error(
                name, "it has too many values, or nests them too deeply"
            )
        if isinstance(value, dict):
            stack += [(each, level + 1) for pair in value.items() for each in pair]
        elif isinstance(value, (list, tuple)):
            stack += [(each, level + 1) for each in value]
        elif isinstance(value, (str, int, float, type(None))):
            _require_usual_size(value, name)
        else:
            # A tensor with strides of 0 has more elements than its file has data.
            n_left -= _tensor_bytes(value, name)
            if n_left < 0:
                raise unusable_error(name, "it does not have all data of its tensors")


def _tensor_bytes(value: Any, name: str) -> int:
    # Only here, so that a description without tensors is checked without torch.
    import torch

    if not isinstance(value, torch.Tensor):
        raise unusable_error(name, f"it contains a {type(value).__name__}")
    return value.numel() * value.element_size()


def _require_usual_size(value: object, name: str) -> None:
    if isinstance(value, str) and len(value) > _LONGEST_TEXT:
        raise unusable_error(name, f"it has a text of {len(value):,} characters")
    # Python integers have any size, but large ones overflow in a float.
    if isinstance(value, int) and abs(value) >= _LARGEST_INTEGER:
        raise unusable_error(name, "it has an integer of more than 64 bits")


def unusable_error(name: str, reason: str) -> CheckpointError:
    """Return the error to raise for a checkpoint that cannot be used."""
    if len(reason) > _LONGEST_REASON:
        reason = f"{reason[:_LONGEST_REASON]}…"
    return CheckpointError(
        f"{name} cannot be used: {reason}. Copy it again or train a new one."
    )


def unsafe_error(name: str) -> CheckpointError:
    """Return the error to raise for a checkpoint that may contain a program."""
    return CheckpointError(
        f"{name} contains more than tensors and plain values and was not loaded, "
        "because loading it could run a program. Save the network's state_dict "
        "instead, and open only files from people you trust."
    )
