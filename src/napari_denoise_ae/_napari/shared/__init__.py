"""Components shared by several widgets."""
