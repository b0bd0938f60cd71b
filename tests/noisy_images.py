"""Small photographs, and real noisy images with a reference."""

from __future__ import annotations

import numpy as np
from synthetic import smooth_photo


def photos(n_images: int, channels: int = 3) -> list[np.ndarray]:
    photo = np.rint(255 * smooth_photo(32, 48, channels)).astype(np.uint8)
    photo = photo if channels > 1 else photo[..., 0]
    return [photo - np.uint8(index) for index in range(n_images)]


def real_pair(n_repeats: int = 0) -> tuple[np.ndarray, np.ndarray]:
    reference = 1000 * smooth_photo(32, 48, 1)[..., 0]
    shape = (n_repeats, 32, 48) if n_repeats else (32, 48)
    noise = np.random.default_rng(0).normal(0, 50, shape)
    return np.rint(reference + noise).astype(np.uint16), reference.astype(np.uint16)
