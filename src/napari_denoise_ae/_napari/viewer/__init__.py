"""Read and write layers and the viewer."""
