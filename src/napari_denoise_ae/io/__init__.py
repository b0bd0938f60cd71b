"""File formats and data sets, read and written."""
