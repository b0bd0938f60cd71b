"""An array through a model."""
