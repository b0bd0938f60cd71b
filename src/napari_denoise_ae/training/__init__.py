"""Making a model."""
