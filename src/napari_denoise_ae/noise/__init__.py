"""Noise: how it is written, added, measured, stabilized and normalized."""
