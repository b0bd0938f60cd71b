"""Sources of training batches."""
