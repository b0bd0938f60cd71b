"""What an array means: axes, checks, intensity ranges, tiles. NumPy only."""
