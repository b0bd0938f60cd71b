"""The plugin's face in napari. Nothing in here imports torch at module level."""
