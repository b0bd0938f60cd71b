"""The shell command ``napari-denoise-ae``."""
