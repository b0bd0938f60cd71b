"""Denoise files: streamed, in batches, on a cluster."""
