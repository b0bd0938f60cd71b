"""Layers and the viewer, read and written in one place."""
