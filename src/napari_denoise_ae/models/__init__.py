"""A trained model: its network, configuration, checkpoint and device."""
