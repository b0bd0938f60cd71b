"""Models written in formats that other programs read."""
