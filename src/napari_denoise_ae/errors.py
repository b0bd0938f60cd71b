"""Errors and warnings that a user can act on.

Every error that the package raises for a mistake of the user derives from
`DenoiseAEError`. Its message states what was expected, what was given and what to
do. The command line and the napari plugin show this message without a traceback.
"""

from __future__ import annotations


class DenoiseAEError(Exception):
    """Base class of the errors that a user can act on."""


class InvalidInputError(DenoiseAEError, ValueError):
    """An argument, a setting or an image is invalid."""


class CheckpointError(DenoiseAEError):
    """A file is not a usable checkpoint."""


class DatasetError(DenoiseAEError):
    """Training or test data is missing, damaged or cannot be downloaded."""


class DeviceError(DenoiseAEError):
    """A requested device is not available, or failed."""


class OutputError(DenoiseAEError):
    """A file or folder cannot be written to."""


class TrainingError(DenoiseAEError):
    """A training run cannot continue."""


class MissingDependencyError(DenoiseAEError, ImportError):
    """An optional package is required but not installed."""


class DenoiseAEWarning(UserWarning):
    """A result was computed but may not be what the user intended."""


def one_line(text: object, longest: int = 1000) -> str:
    """Return a text on one line of limited length, without control characters.

    Texts of other programs and names of files may contain any characters.

    Parameters
    ----------
    text : object
        The text, or an exception that has it.
    longest : int
        Number of characters after which it is cut.
    """
    printable = (letter if letter.isprintable() else " " for letter in str(text))
    line = "".join(printable).strip()
    return line if len(line) <= longest else f"{line[:longest]}…"
