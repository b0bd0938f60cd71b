"""What an array means: axes, checks, intensity ranges and tiles."""
