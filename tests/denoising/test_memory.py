"""Tile sizes follow the free memory, and out-of-memory errors are recognized."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from memory_runs import OTHER, run_through
from synthetic import CPU, random_checkpoint

from napari_denoise_ae import denoise
from napari_denoise_ae.denoising.denoiser import Denoiser
from napari_denoise_ae.errors import DenoiseAEWarning
from napari_denoise_ae.models.devices import free_memory

CPU_DEVICE = torch.device("cpu")


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 9"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate"),
        RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"),
        MemoryError(),
    ],
    ids=["cpu", "windows", "mps", "python"],
)
def test_every_out_of_memory_error_is_recognized(error, image, checkpoint, memory_for):
    expected = denoise(image, model=checkpoint)
    denoiser = Denoiser(checkpoint, CPU)
    memory_for(error, cpu=190**2)
    with pytest.warns(DenoiseAEWarning, match="out of memory on a tile of"):
        result = run_through(image, denoiser)
    np.testing.assert_allclose(result, expected, atol=1e-6)


@pytest.mark.parametrize("network", ["conv", "residual"])
@pytest.mark.parametrize(
    ("free", "size"), [(10**12, 512), (2**18, 64), (0, 64), (None, 512)]
)
def test_the_tile_size_is_chosen_from_the_free_memory(network, free, size, monkeypatch):
    monkeypatch.setattr(
        "napari_denoise_ae.denoising.memory.free_memory", lambda _: free
    )
    checkpoint = random_checkpoint(network=network)
    assert Denoiser(checkpoint, CPU).tile_size == size


@pytest.mark.parametrize("free", [10**12, None])
def test_a_larger_halo_gives_larger_tiles(free, monkeypatch):
    """Otherwise most of the computation would be spent on halos."""
    monkeypatch.setattr(
        "napari_denoise_ae.denoising.memory.free_memory", lambda _: free
    )
    assert Denoiser(random_checkpoint(network="unet"), CPU).tile_size == 1024


def test_more_memory_gives_larger_tiles(checkpoint, monkeypatch):
    sizes = []
    for megabytes in (4, 16, 64, 4096):
        free = megabytes * 2**20
        monkeypatch.setattr(
            "napari_denoise_ae.denoising.memory.free_memory",
            lambda _, free=free: free,
        )
        sizes.append(Denoiser(checkpoint, OTHER).tile_size)
    assert sizes == sorted(set(sizes))
    assert sizes[-1] > 512


def test_the_free_main_memory_is_plausible():
    free = free_memory(CPU_DEVICE)
    assert free is None or 2**20 < free < 2**50
