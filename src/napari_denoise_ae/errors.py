"""Errors and warnings that a user can act on.

Everything the package raises on purpose for a user's mistake derives from
`DenoiseAEError`; its text says what was expected, what came and what to do.
Faces (command line, viewer) show that text and nothing else.
"""

from __future__ import annotations


class DenoiseAEError(Exception):
    """Base of the errors that a user can act on."""


class InvalidInputError(DenoiseAEError, ValueError):
    """An argument, a setting or an image that cannot be used."""


class CheckpointError(DenoiseAEError):
    """A file that is not a usable checkpoint."""


class DatasetError(DenoiseAEError):
    """Training or test data that is missing, damaged or cannot be fetched."""


class DeviceError(DenoiseAEError):
    """A device that was asked for and is not there, or that gave up."""


class OutputError(DenoiseAEError):
    """A place that cannot be written to."""


class TrainingError(DenoiseAEError):
    """A training run that cannot go on."""


class MissingDependencyError(DenoiseAEError, ImportError):
    """An optional package that is needed for what was asked."""


class DenoiseAEWarning(UserWarning):
    """A result that was computed, but that may not be what was meant."""
