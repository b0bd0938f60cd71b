"""Run an array, in memory or lazy, through a model."""
