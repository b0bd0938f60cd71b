"""Read users' images for training."""
