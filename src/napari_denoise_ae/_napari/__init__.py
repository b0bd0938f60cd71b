"""The napari plugin."""
