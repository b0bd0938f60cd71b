from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import dask
import dask.array as da
import dask.bag as db
import numpy as np
import pytest
import torch
import zarr
from synthetic import CPU, random_checkpoint

from napari_denoise_ae import denoise
from napari_denoise_ae.denoising.array import Denoising
from napari_denoise_ae.denoising.compatibility import noise_levels
from napari_denoise_ae.denoising.dask_array import denoise_lazily
from napari_denoise_ae.denoising.dask_blocks import (
    Model,
    ModelRun,
    loaded_denoiser,
)
from napari_denoise_ae.denoising.dask_noise import find_lazy_ranges, noise_node
from napari_denoise_ae.denoising.dask_stack import DaskPlanes, pyramid
from napari_denoise_ae.denoising.denoiser import Denoiser
from napari_denoise_ae.denoising.model_ranges import find_model_ranges
from napari_denoise_ae.denoising.options import DenoiseOptions
from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.image.planes import ArrayPlanes
from napari_denoise_ae.models.networks.conv import ConvAutoencoder
from napari_denoise_ae.noise.windows import read_noise_windows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_denoise_ae.image.tiling import Region


@pytest.fixture(scope="module")
def gray_model():
    return random_checkpoint(in_channels=1)


def image_of(shape: tuple[int, ...], dtype: str = "float64") -> np.ndarray:
    values = np.random.default_rng(0).random(shape)
    return (200 * values).astype(dtype)


class CountedReads:
    """A lazy array that says which of its chunks have been computed."""

    def __init__(self, image: np.ndarray, chunks: tuple[int, ...]) -> None:
        self.read: set[tuple[int, ...]] = set()
        whole = da.from_array(image, chunks=chunks)
        self.array = whole.map_blocks(self._note, dtype=image.dtype, meta=image[:0])

    def _note(self, block: np.ndarray, block_id: tuple[int, ...]) -> np.ndarray:
        self.read.add(block_id)
        return block


class ReadAtOnce(DaskPlanes):
    """Lazy planes that are computed when they are read, like those of a file."""

    def read(self, plane: Sequence[int], region: Region) -> np.ndarray:
        return DaskPlanes.read(self, plane, region).compute()


# --- equal to what is denoised in memory -----------------------------------


@pytest.mark.parametrize(
    ("shape", "axes", "chunks"),
    [
        ((150, 170), "YX", (64, 64)),
        ((150, 170), "YX", (100, 100)),
        ((150, 170), "YX", (150, 7)),
        ((150, 170), "YX", (1, 170)),
        ((129, 8), "YX", (64, 8)),
        ((5, 9), "YX", (5, 9)),
        ((5, 9), "YX", (2, 3)),
        ((3, 90, 170), "TYX", (2, 90, 64)),
        ((2, 3, 70, 90), "TCYX", (2, 3, 70, 90)),
        ((90, 2, 130), "XZY", (50, 1, 64)),
    ],
)
def test_a_lazy_result_equals_the_eager_one(shape, axes, chunks, gray_model):
    image = image_of(shape)
    options = {"model": gray_model, "axes": axes, "intensity_range": (0, 200)}
    lazy = denoise(da.from_array(image, chunks=chunks), **options)
    assert (lazy.shape, lazy.dtype) == (image.shape, image.dtype)
    expected = denoise(image, **options)
    np.testing.assert_allclose(lazy.compute(), expected, atol=1e-4)


@pytest.mark.parametrize("chunk", [64, 100, 128])
def test_a_network_of_one_size_gives_the_same_lazily(chunk):
    model = random_checkpoint(network="residual", in_channels=1)
    image = image_of((150, 210))
    options = {"model": model, "intensity_range": (0, 200)}
    lazy = denoise(da.from_array(image, chunks=chunk), **options)
    expected = denoise(image, **options)
    np.testing.assert_allclose(lazy.compute(), expected, atol=1e-3)


@pytest.mark.parametrize("shape", [(70, 90, 3), (70, 90, 4)])
def test_colors_and_alpha_are_as_in_memory(shape, checkpoint):
    image = image_of(shape, "uint8")
    lazy = denoise(da.from_array(image, chunks=(64, 64, 2)), model=checkpoint)
    expected = denoise(image, model=checkpoint)
    assert np.abs(lazy.compute().astype(int) - expected).max() <= 1
    if shape[-1] == 4:
        np.testing.assert_array_equal(lazy[..., 3], image[..., 3])


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float16", "float32"])
def test_the_dtype_is_kept(dtype, gray_model):
    image = image_of((70, 90), dtype)
    options = {"model": gray_model, "intensity_range": (0, 200)}
    lazy = denoise(da.from_array(image, chunks=64), **options)
    result = lazy.compute()
    assert result.dtype == lazy.dtype == dtype
    expected = denoise(image, **options).astype(float)
    assert np.abs(result - expected).max() <= 1


def test_nan_stays_nan_across_blocks(gray_model):
    image = image_of((150, 150))
    image[60:70, :] = np.nan
    lazy = denoise(
        da.from_array(image, chunks=64), model=gray_model, intensity_range=(0, 200)
    )
    np.testing.assert_array_equal(np.isnan(lazy.compute()), np.isnan(image))


def test_each_channel_has_its_own_range_lazily(gray_model):
    image = image_of((2, 2, 70, 90)) * np.array([1, 10]).reshape(1, 2, 1, 1)
    options = {
        "model": gray_model,
        "axes": "TCYX",
        "intensity_range": [(0, 200), (0, 2000)],
    }
    lazy = denoise(da.from_array(image, chunks=64), **options)
    np.testing.assert_allclose(lazy, denoise(image, **options), atol=1e-3)


def test_a_zarr_array_is_lazy(tmp_path, gray_model):
    image = image_of((3, 70, 90), "uint8")
    stored = zarr.create_array(
        tmp_path / "a.zarr", shape=image.shape, chunks=(1, 32, 32), dtype="uint8"
    )
    stored[:] = image
    lazy = denoise(stored, model=gray_model, axes="TYX")
    assert isinstance(lazy, da.Array)
    expected = denoise(image, model=gray_model, axes="TYX")
    assert np.abs(lazy.compute().astype(int) - expected).max() <= 1


def test_a_lazy_result_is_denoised_lazily_again(gray_model):
    image = image_of((2, 100, 130), "uint8")
    source = CountedReads(image, (1, 64, 64))
    once = denoise(source.array, model=gray_model, axes="TYX")
    twice = denoise(once, model=gray_model, axes="TYX")
    assert isinstance(twice, da.Array)
    assert source.read == set()
    assert twice[0].compute().shape == (100, 130)
    assert {plane for plane, _, _ in source.read} == {0}
    expected = denoise(
        denoise(image, model=gray_model, axes="TYX"), model=gray_model, axes="TYX"
    )
    assert np.abs(twice.compute().astype(int) - expected).max() <= 1


# --- no more work than is asked for ----------------------------------------


def test_nothing_is_read_before_the_result_is_computed(gray_model):
    source = CountedReads(image_of((2, 128, 128), "uint8"), (1, 64, 64))
    lazy = denoise(source.array, model=gray_model, axes="TYX")
    assert lazy.chunks == source.array.chunks
    assert source.read == set()
    lazy.compute()
    assert len(source.read) == 8


@pytest.mark.parametrize("y", [0, 100, 256, 239, 241, 300, 447])
def test_a_part_reads_what_it_and_its_halo_overlap_and_nothing_else(y, gray_model):
    image = image_of((3, 512, 512), "uint8")
    source = CountedReads(image, (1, 128, 128))
    lazy = denoise(source.array, model=gray_model, axes="TYX")
    part = lazy[1, y : y + 64, 200:210]
    result = part.compute()
    # The network's radius, 14, rounded up to its stride.
    first, last = max(y - 16, 0) // 128, (min(y + 80, 512) - 1) // 128
    rows = range(first, last + 1)
    assert source.read == {(1, row, 1) for row in rows}
    expected = denoise(image[1], model=gray_model)[y : y + 64, 200:210]
    assert result.shape == expected.shape
    assert np.abs(result.astype(int) - expected).max() <= 1


@pytest.mark.parametrize(
    "index",
    [
        np.s_[1],
        np.s_[..., 5:9, :],
        np.s_[-1, 3:-4, -30:],
        np.s_[::2, 10:60:3],
        np.s_[[0, 1], 20:30, 7],
        np.s_[:, 5],
        np.s_[None, 1, 2:9],
        np.s_[0, 5:5],
        np.s_[0:2, 60:90, 60:90],
    ],
    ids=str,
)
def test_a_lazy_result_is_indexed_like_any_array(index, gray_model):
    image = image_of((3, 150, 130))
    options = {"model": gray_model, "axes": "TYX", "intensity_range": (0, 200)}
    lazy = denoise(da.from_array(image, chunks=(1, 64, 64)), **options)
    expected = denoise(image, **options)[index]
    part = lazy[index]
    assert part.shape == expected.shape
    np.testing.assert_allclose(part.compute(), expected, atol=1e-4)


def test_what_is_assigned_to_a_lazy_result_is_seen_in_its_parts(gray_model):
    image = image_of((300, 330), "uint8")
    lazy = denoise(da.from_array(image, chunks=128), model=gray_model)
    expected = denoise(image, model=gray_model)
    lazy[10:20, 10:20] = 7
    expected[10:20, 10:20] = 7
    part = lazy[5:25, 5:25].compute().astype(int)
    assert np.abs(part - expected[5:25, 5:25]).max() <= 1
    np.add(lazy, 1, out=lazy)
    assert (lazy[10:20, 10:20].compute() == 8).all()


def test_assigning_to_the_source_later_changes_no_part_of_a_result(gray_model):
    image = image_of((300, 330), "uint8")
    source = da.from_array(image, chunks=128)
    lazy = denoise(source, model=gray_model)
    source[:] = 0
    expected = denoise(image, model=gray_model)[5:25, 5:25].astype(int)
    assert np.abs(lazy[5:25, 5:25].compute() - expected).max() <= 1


def test_further_computing_is_dasks(gray_model):
    image = image_of((150, 130))
    lazy = denoise(
        da.from_array(image, chunks=64), model=gray_model, intensity_range=(0, 200)
    )
    expected = denoise(image, model=gray_model, intensity_range=(0, 200))
    assert float((lazy + 1).max()) == pytest.approx(expected.max() + 1)
    np.testing.assert_allclose(da.stack([lazy, lazy])[1], expected, atol=1e-4)


def test_a_graph_can_be_sent_to_another_process(gray_model):
    image = image_of((150, 130))
    lazy = denoise(
        da.from_array(image, chunks=64), model=gray_model, intensity_range=(0, 200)
    )
    there = pickle.loads(pickle.dumps(lazy))
    np.testing.assert_array_equal(there.compute(), lazy.compute())


def test_a_model_is_loaded_once_by_all_threads(gray_model, monkeypatch):
    built = []
    build = type(gray_model).build
    monkeypatch.setattr(
        type(gray_model),
        "build",
        lambda self, device: built.append(device) or build(self, device),
    )
    model = random_checkpoint(in_channels=1, seed=5)
    lazy = denoise(da.from_array(image_of((300, 300), "uint8"), chunks=64), model=model)
    with dask.config.set(scheduler="threads", num_workers=4):
        lazy.compute()
        once = len(built)
        lazy.compute()
    assert len(built) == once
    first, again = (ModelRun.start(Model.of(model)) for _ in range(2))
    assert loaded_denoiser(first, "auto") is loaded_denoiser(first, "auto")
    assert loaded_denoiser(first, "auto") is not loaded_denoiser(again, "auto")


def test_models_are_told_apart_by_their_weights():
    models = [random_checkpoint(seed=seed) for seed in (1, 2, 1)]
    first, other, again = (Model.of(model) for model in models)
    assert first == again
    assert first != other


# --- what is refused -------------------------------------------------------


@pytest.mark.parametrize("dtype", ["uint16", "int8", "float32"])
def test_a_range_that_is_not_known_must_be_given(dtype, gray_model):
    lazy = da.zeros((64, 64), dtype=dtype)
    with pytest.raises(InvalidInputError, match=f"{dtype}.*Give intensity_range"):
        denoise(lazy, model=gray_model)
    with pytest.raises(InvalidInputError, match="Give intensity_range"):
        denoise(lazy, model=gray_model, range_of="image")


@pytest.mark.parametrize(
    ("lazy", "words"),
    [
        (da.zeros((3, 64, 64), dtype="uint8"), "with axes"),
        (da.zeros((64, 64), dtype=bool), "Masks"),
        (da.zeros((0, 64), dtype="uint8"), "empty"),
        (da.zeros((9, 9))[da.arange(9) > 3], "not known"),
    ],
    ids=["axes", "bool", "empty", "unknown shape"],
)
def test_what_cannot_be_denoised_is_refused_at_once(lazy, words, gray_model):
    with pytest.raises(InvalidInputError, match=words):
        denoise(lazy, model=gray_model)


def test_infinity_is_an_error_when_it_is_met(gray_model):
    image = image_of((150, 150))
    image[140, 140] = np.inf
    lazy = denoise(
        da.from_array(image, chunks=64), model=gray_model, intensity_range=(0, 200)
    )
    assert np.isfinite(lazy[:64, :64].compute()).all()
    with pytest.raises(InvalidInputError, match="infinite"):
        lazy.compute()


def test_a_color_model_takes_no_other_colors():
    model = random_checkpoint(in_channels=5)
    with pytest.raises(InvalidInputError, match="5 channels"):
        denoise(da.zeros((64, 64, 3), dtype="uint8"), model=model)


def test_a_group_is_refused_and_one_of_its_arrays_is_not(gray_model):
    group = zarr.create_group({})
    group.create_array("0", shape=(8, 8), dtype="uint8")
    with pytest.raises(InvalidInputError, match=r"a zarr Group.*group\['0'\]"):
        denoise(group, model=gray_model)
    assert denoise(group["0"], model=gray_model).shape == (8, 8)


@pytest.mark.parametrize(
    "thing", [dask.delayed(1), db.from_sequence([1])], ids=["delayed", "bag"]
)
def test_what_is_lazy_but_no_array_is_refused(thing, gray_model):
    with pytest.raises(InvalidInputError, match="Expected an array, got a dask"):
        denoise(thing, model=gray_model)


@pytest.mark.parametrize("tile_size", [0, -5, 1.5])
def test_a_tile_size_is_checked_before_anything_is_computed(tile_size, gray_model):
    with pytest.raises(InvalidInputError, match="integer above 0"):
        denoise(
            da.zeros((64, 64), dtype="uint8"), model=gray_model, tile_size=tile_size
        )


# --- noise -----------------------------------------------------------------


@pytest.mark.parametrize("range_of", ["stack", "image"])
def test_noise_is_estimated_as_in_memory(range_of, gray_model):
    image = image_of((3, 2, 600, 520), "uint8")
    options = DenoiseOptions(axes="TCYX", range_of=range_of)
    node, ranges = noise_node(da.from_array(image, chunks=(1, 1, 128, 128)), options)
    run = Denoising(image, Denoiser(gray_model, CPU), options)
    assert ranges == run.intensity_ranges
    windows = read_noise_windows(ArrayPlanes.of(image, "TCYX"), ranges)
    levels = node.compute()
    assert levels == noise_levels(windows, ranges)
    assert len(levels) == (2 if range_of == "stack" else 6)


def test_the_windows_of_one_image_of_a_long_stack_are_read_at_a_time(gray_model):
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
    # Five windows of 256 pixels, each on at most 3 x 3 chunks.
    assert len(source.read) <= 3 * 5 * 9


# --- noise and pyramids -----------------------------------------------------


@pytest.mark.parametrize("noise", ["gaussian", "poisson-gaussian"])
def test_what_is_found_of_the_noise_does_not_depend_on_the_strength(noise):
    model = random_checkpoint(network="unet", in_channels=1)
    image = image_of((5, 80, 90))
    lazy = CountedReads(image, (1, 80, 90))
    half = DenoiseOptions(axes="TYX", noise_type=noise, strength=0.5)
    whole = DenoiseOptions(axes="TYX", noise_type=noise)
    ranges = find_lazy_ranges(DaskPlanes.of(lazy.array, "TYX"), model, half)
    scaling = ranges.compute()
    assert scaling == find_model_ranges(ArrayPlanes.of(image, "TYX"), model, whole)
    assert lazy.read == {(0, 0, 0), (2, 0, 0), (4, 0, 0)}
    # It is known now, at any strength.
    lazy.read.clear()
    result = denoise_lazily(lazy.array, model, half)
    part = result[1].compute()
    assert lazy.read == {(1, 0, 0)}
    eager = denoise(image, model=model, axes="TYX", noise_type=noise, strength=0.5)
    np.testing.assert_array_equal(part, eager[1])


def test_planes_become_pyramids_until_they_are_small():
    image = da.zeros((2, 5001, 300), dtype="uint16", chunks=(1, 512, 300))
    shapes = [level.shape for level in pyramid(image, "TYX")]
    assert shapes == [(2, 5001, 300), (2, 2500, 150), (2, 1250, 75)]
    assert len(pyramid(image[:, :2048], "TYX")) == 1


def test_a_pixel_of_a_pyramid_is_the_mean_of_four():
    image = np.zeros((2050, 4), dtype="uint8")
    image[:2, :2] = [[255, 255], [254, 255]]
    half = pyramid(image)[1].compute()
    assert half.dtype == np.uint8
    assert half[0, 0] == 255
    assert half.sum() == 255


def test_nan_does_not_spread_in_a_pyramid():
    image = np.ones((2050, 4))
    image[0, 0] = np.nan
    image[2:4, 2:4] = np.nan
    half = pyramid(image)[1].compute()
    assert np.argwhere(np.isnan(half)).tolist() == [[1, 1]]


def test_memory_that_ran_out_in_a_block_is_tried_again_in_the_next_run(monkeypatch):
    model = random_checkpoint(in_channels=1, seed=6)
    image = image_of((600, 300), "uint8")
    expected = denoise(image, model=model)
    forward, tried = ConvAutoencoder.forward, []

    def limited(self, noisy):
        tried.append(max(noisy.shape))
        if max(noisy.shape) > 200:
            raise torch.OutOfMemoryError("out of memory")
        return forward(self, noisy)

    monkeypatch.setattr(ConvAutoencoder, "forward", limited)
    lazy = denoise(da.from_array(image, chunks=(300, 300)), model=model, device="cpu")
    assert lazy.numblocks == (2, 1)

    def tried_in_a_run() -> list[int]:
        tried.clear()
        with pytest.warns(UserWarning, match="It goes on with tiles of"):
            result = lazy.compute(scheduler="synchronous")
        assert np.abs(result.astype(int) - expected).max() <= 1
        return tried[:]

    # What the first block finds out holds for the second, and not for the next run.
    once = tried_in_a_run()
    assert sum(size > 200 for size in once) == 1
    assert tried_in_a_run() == once


def test_eight_models_stay_loaded_side_by_side():
    models = [Model.of(random_checkpoint(seed=seed)) for seed in range(20, 28)]
    first, again = (
        [loaded_denoiser(ModelRun.start(model), "cpu").network for model in models]
        for _ in range(2)
    )
    assert all(one is other for one, other in zip(first, again, strict=True))


@pytest.mark.parametrize("model", ["conv", "unet"])
@pytest.mark.parametrize(
    "index",
    [
        np.s_[1, 2],
        np.s_[-1, 1:3],
        np.s_[1:, 0, 5:40, 60:],
        np.s_[::2, 1],
        np.s_[1, :, ::3],
        np.s_[:, [0, 2]],
        np.s_[2:1],
        np.s_[..., 7],
    ],
    ids=str,
)
def test_a_part_of_a_stack_is_as_in_the_whole(model, index):
    """Each channel has a range or a noise level of its own, wherever a part begins."""
    network = random_checkpoint(network=model, in_channels=1)
    scales = np.array([1.0, 20.0, 300.0])[:, np.newaxis, np.newaxis]
    image = scales * np.random.default_rng(0).random((3, 3, 70, 90))
    options = {"model": network, "axes": "TCYX"}
    if model == "conv":
        options["intensity_range"] = [(0, 1), (0, 20), (0, 300)]
    lazy = denoise(da.from_array(image, chunks=(1, 1, 40, 40)), **options)
    expected = denoise(image, **options)[index]
    np.testing.assert_allclose(lazy[index].compute(), expected, rtol=1e-4, atol=1e-3)


def test_the_graph_of_one_plane_does_not_grow_with_the_stack(gray_model):
    def size(n_times: int) -> int:
        stack = da.zeros((n_times, 300, 300), chunks=(1, 100, 100), dtype=np.uint8)
        part = denoise(stack, model=gray_model, axes="TYX")[2, :50, :50]
        return len(dict(part.dask)) - len(dict(stack.dask))

    assert size(60) == size(6)
