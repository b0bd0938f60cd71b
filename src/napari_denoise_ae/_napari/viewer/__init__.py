"""Read and write layers and the viewer, in one place."""
