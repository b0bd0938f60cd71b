"""Write, add, measure and normalize noise."""
