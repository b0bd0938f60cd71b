"""The Denoise files widget."""
