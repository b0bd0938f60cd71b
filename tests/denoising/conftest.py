"""Fixtures for the tests of tiles and memory: a device that runs out of memory."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_denoise_ae.models.networks.conv import ConvAutoencoder

NO_MEMORY = torch.OutOfMemoryError("out of memory")


@pytest.fixture
def memory_for(monkeypatch: pytest.MonkeyPatch):
    """Limit the pixels of an image that fit into memory, by device type."""
    forward = ConvAutoencoder.forward
    tried: list[tuple[str, int]] = []

    def limit(error: Exception = NO_MEMORY, /, **pixels: int) -> list[tuple[str, int]]:
        def limited(self, noisy: torch.Tensor) -> torch.Tensor:
            n_pixels = noisy.shape[-1] * noisy.shape[-2]
            tried.append((noisy.device.type, n_pixels))
            if n_pixels > pixels.get(noisy.device.type, n_pixels):
                raise error
            return forward(self, noisy)

        monkeypatch.setattr(ConvAutoencoder, "forward", limited)
        tried.clear()
        return tried

    return limit


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(0).random((300, 260, 3))
