"""Read and write files and data sets."""
