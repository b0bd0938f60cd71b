"""The noise of a lazy array is measured in a few windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dask.array as da
import numpy as np
import pytest
from lazy_arrays import CountedReads, image_of
from synthetic import CPU, random_checkpoint

from napari_denoise_ae import denoise
from napari_denoise_ae.denoising.array import Denoising
from napari_denoise_ae.denoising.compatibility import noise_levels
from napari_denoise_ae.denoising.dask_array import denoise_lazily
from napari_denoise_ae.denoising.dask_noise import find_lazy_ranges, noise_node
from napari_denoise_ae.denoising.dask_stack import DaskPlanes
from napari_denoise_ae.denoising.denoiser import Denoiser
from napari_denoise_ae.denoising.model_ranges import find_model_ranges
from napari_denoise_ae.denoising.options import DenoiseOptions
from napari_denoise_ae.image.planes import ArrayPlanes
from napari_denoise_ae.noise.windows import read_noise_windows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_denoise_ae.image.tiling import Region


@pytest.fixture(scope="module")
def gray_model():
    return random_checkpoint(in_channels=1)


class ReadAtOnce(DaskPlanes):
    """Dask planes that are computed when they are read, like those of a file."""

    def read(self, plane: Sequence[int], region: Region) -> np.ndarray:
        return DaskPlanes.read(self, plane, region).compute()


@pytest.mark.parametrize("range_of", ["stack", "image"])
def test_the_estimate_equals_that_in_memory(range_of, gray_model):
    image = image_of((3, 2, 600, 520), "uint8")
    options = DenoiseOptions(axes="TCYX", range_of=range_of)
    node, ranges = noise_node(da.from_array(image, chunks=(1, 1, 128, 128)), options)
    run = Denoising(image, Denoiser(gray_model, CPU), options)
    assert ranges == run.intensity_ranges
    windows = read_noise_windows(ArrayPlanes.of(image, "TCYX"), ranges)
    levels = node.compute()
    assert levels == noise_levels(windows, ranges)
    assert len(levels) == (2 if range_of == "stack" else 6)


def test_windows_are_read_one_group_at_a_time(gray_model):
    image = image_of((9, 64, 64), "uint8")
    _, ranges = noise_node(
        da.from_array(image), DenoiseOptions(axes="TYX", range_of="image")
    )
    source = CountedReads(image, (1, 64, 64))
    windows = read_noise_windows(ReadAtOnce.of(source.array, "TYX"), ranges)
    next(windows)
    assert source.read == {(0, 0, 0)}
    assert len([*windows]) == 8


def test_the_noise_node_reads_a_few_windows_of_three_planes(gray_model):
    source = CountedReads(image_of((9, 2048, 1024), "uint8"), (1, 128, 128))
    node, _ = noise_node(source.array, DenoiseOptions(axes="TYX"))
    assert source.read == set()
    node.compute()
    assert {plane for plane, _, _ in source.read} == {0, 4, 8}
    # Five windows of 256 pixels, each on 2 x 2 chunks.
    assert len(source.read) <= 3 * 5 * 4


@pytest.mark.parametrize("side", [256, 512, 1024])
def test_the_noise_of_a_stack_is_measured_in_at_most_15_chunks(side):
    source = CountedReads(image_of((5, 2 * side, 3 * side), "uint8"), (1, side, side))
    planes = DaskPlanes.of(source.array, "TYX")
    model = random_checkpoint(network="unet", in_channels=1)
    node = find_lazy_ranges(planes, model, DenoiseOptions(sigma=50.0))
    assert source.read == set()
    node.compute()
    assert 0 < len(source.read) <= 15


@pytest.mark.parametrize("noise", ["gaussian", "poisson-gaussian"])
def test_the_measured_noise_does_not_depend_on_the_strength(noise):
    model = random_checkpoint(network="unet", in_channels=1)
    image = image_of((5, 80, 90))
    lazy = CountedReads(image, (1, 80, 90))
    half = DenoiseOptions(axes="TYX", noise_type=noise, strength=0.5)
    whole = DenoiseOptions(axes="TYX", noise_type=noise)
    ranges = find_lazy_ranges(DaskPlanes.of(lazy.array, "TYX"), model, half)
    scaling = ranges.compute()
    assert scaling == find_model_ranges(ArrayPlanes.of(image, "TYX"), model, whole)
    assert lazy.read == {(0, 0, 0), (2, 0, 0), (4, 0, 0)}
    # The measurement is cached for any strength.
    lazy.read.clear()
    result = denoise_lazily(lazy.array, model, half)
    part = result[1].compute()
    assert lazy.read == {(1, 0, 0)}
    eager = denoise(image, model=model, axes="TYX", noise_type=noise, strength=0.5)
    np.testing.assert_array_equal(part, eager[1])
