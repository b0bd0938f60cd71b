"""One file, or many, denoised into others."""
