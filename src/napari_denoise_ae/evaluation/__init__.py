"""Measure how good a result is."""
