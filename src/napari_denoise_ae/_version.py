"""The version of the package: read by the build, and by what is written to files."""

__version__ = "0.1.0"
