"""Measure how well images are denoised."""
