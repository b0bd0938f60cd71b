"""A trained model: network, configuration, checkpoint, device."""
