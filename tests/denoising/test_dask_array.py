"""Lazy results equal those in memory, and read only the pixels that they need."""

from __future__ import annotations

import pickle

import dask.array as da
import numpy as np
import pytest
from lazy_arrays import CountedReads, image_of
from synthetic import random_checkpoint

from napari_denoise_ae import denoise
from napari_denoise_ae.errors import InvalidInputError


@pytest.fixture(scope="module")
def gray_model():
    return random_checkpoint(in_channels=1)


# --- equality with denoising in memory -------------------------------------


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
def test_a_network_with_a_fixed_image_size_gives_the_same_result_lazily(chunk):
    model = random_checkpoint(network="residual", in_channels=1)
    image = image_of((150, 210))
    options = {"model": model, "intensity_range": (0, 200)}
    lazy = denoise(da.from_array(image, chunks=chunk), **options)
    expected = denoise(image, **options)
    np.testing.assert_allclose(lazy.compute(), expected, atol=1e-3)


@pytest.mark.parametrize("shape", [(70, 90, 3), (70, 90, 4)])
def test_colors_and_alpha_equal_those_in_memory(shape, checkpoint):
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


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float64"])
@pytest.mark.parametrize(
    ("shape", "axes"), [((150, 170), "YX"), ((2, 70, 90, 4), "TYXS")]
)
def test_a_float32_result_equals_that_in_memory(dtype, shape, axes):
    model = random_checkpoint(network="unet", in_channels=1)
    image = image_of(shape, dtype)
    options = {"model": model, "axes": axes, "dtype": "float32"}
    lazy = denoise(da.from_array(image, chunks=64), **options)
    assert lazy.dtype == lazy[..., 5:20, :].dtype == np.float32
    result, expected = lazy.compute(), denoise(image, **options)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-3)
    np.testing.assert_allclose(lazy[..., 5:20, :], expected[..., 5:20, :], atol=1e-2)
    assert not np.array_equal(result, np.rint(result))


def test_nan_stays_nan_across_blocks(gray_model):
    image = image_of((150, 150))
    image[60:70, :] = np.nan
    lazy = denoise(
        da.from_array(image, chunks=64), model=gray_model, intensity_range=(0, 200)
    )
    np.testing.assert_array_equal(np.isnan(lazy.compute()), np.isnan(image))


def test_each_channel_has_its_own_intensity_range(gray_model):
    image = image_of((2, 2, 70, 90)) * np.array([1, 10]).reshape(1, 2, 1, 1)
    options = {
        "model": gray_model,
        "axes": "TCYX",
        "intensity_range": [(0, 200), (0, 2000)],
    }
    lazy = denoise(da.from_array(image, chunks=64), **options)
    np.testing.assert_allclose(lazy, denoise(image, **options), atol=1e-3)


def test_a_lazy_result_can_be_denoised_again_lazily(gray_model):
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


# --- parts of a result ------------------------------------------------------


def test_nothing_is_read_before_the_result_is_computed(gray_model):
    source = CountedReads(image_of((2, 128, 128), "uint8"), (1, 64, 64))
    lazy = denoise(source.array, model=gray_model, axes="TYX")
    assert lazy.chunks == source.array.chunks
    assert source.read == set()
    lazy.compute()
    assert len(source.read) == 8


@pytest.mark.parametrize("y", [0, 100, 256, 239, 241, 300, 447])
def test_a_part_reads_only_the_chunks_that_it_and_its_halo_overlap(y, gray_model):
    image = image_of((3, 512, 512), "uint8")
    source = CountedReads(image, (1, 128, 128))
    lazy = denoise(source.array, model=gray_model, axes="TYX")
    part = lazy[1, y : y + 64, 200:210]
    result = part.compute()
    # The network's receptive-field radius, 14, rounded up to its stride, 8.
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
def test_a_lazy_result_is_indexed_like_an_array(index, gray_model):
    image = image_of((3, 150, 130))
    options = {"model": gray_model, "axes": "TYX", "intensity_range": (0, 200)}
    lazy = denoise(da.from_array(image, chunks=(1, 64, 64)), **options)
    expected = denoise(image, **options)[index]
    part = lazy[index]
    assert part.shape == expected.shape
    np.testing.assert_allclose(part.compute(), expected, atol=1e-4)


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
def test_a_part_of_a_stack_equals_that_of_the_whole(model, index):
    """The range or noise level of a channel does not depend on where a part begins."""
    network = random_checkpoint(network=model, in_channels=1)
    scales = np.array([1.0, 20.0, 300.0])[:, np.newaxis, np.newaxis]
    image = scales * np.random.default_rng(0).random((3, 3, 70, 90))
    options = {"model": network, "axes": "TCYX"}
    if model == "conv":
        options["intensity_range"] = [(0, 1), (0, 20), (0, 300)]
    lazy = denoise(da.from_array(image, chunks=(1, 1, 40, 40)), **options)
    expected = denoise(image, **options)[index]
    np.testing.assert_allclose(lazy[index].compute(), expected, rtol=1e-4, atol=1e-3)


def test_values_assigned_to_a_lazy_result_appear_in_its_parts(gray_model):
    image = image_of((300, 330), "uint8")
    lazy = denoise(da.from_array(image, chunks=128), model=gray_model)
    expected = denoise(image, model=gray_model)
    lazy[10:20, 10:20] = 7
    expected[10:20, 10:20] = 7
    part = lazy[5:25, 5:25].compute().astype(int)
    assert np.abs(part - expected[5:25, 5:25]).max() <= 1
    np.add(lazy, 1, out=lazy)
    assert (lazy[10:20, 10:20].compute() == 8).all()


def test_assigning_to_the_source_later_does_not_change_the_result(gray_model):
    image = image_of((300, 330), "uint8")
    source = da.from_array(image, chunks=128)
    lazy = denoise(source, model=gray_model)
    source[:] = 0
    expected = denoise(image, model=gray_model)[5:25, 5:25].astype(int)
    assert np.abs(lazy[5:25, 5:25].compute() - expected).max() <= 1


# --- the graph --------------------------------------------------------------


def test_a_lazy_result_can_be_used_in_other_dask_operations(gray_model):
    image = image_of((150, 130))
    lazy = denoise(
        da.from_array(image, chunks=64), model=gray_model, intensity_range=(0, 200)
    )
    expected = denoise(image, model=gray_model, intensity_range=(0, 200))
    assert float((lazy + 1).max()) == pytest.approx(expected.max() + 1)
    np.testing.assert_allclose(da.stack([lazy, lazy])[1], expected, atol=1e-4)


def test_a_graph_can_be_pickled(gray_model):
    image = image_of((150, 130))
    lazy = denoise(
        da.from_array(image, chunks=64), model=gray_model, intensity_range=(0, 200)
    )
    copy = pickle.loads(pickle.dumps(lazy))
    np.testing.assert_array_equal(copy.compute(), lazy.compute())


def test_the_graph_of_one_plane_does_not_grow_with_the_stack(gray_model):
    def size(n_times: int) -> int:
        stack = da.zeros((n_times, 300, 300), chunks=(1, 100, 100), dtype=np.uint8)
        part = denoise(stack, model=gray_model, axes="TYX")[2, :50, :50]
        return len(dict(part.dask)) - len(dict(stack.dask))

    assert size(60) == size(6)


# --- errors -----------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["uint16", "int8", "float32"])
def test_an_unknown_intensity_range_must_be_given(dtype, gray_model):
    lazy = da.zeros((64, 64), dtype=dtype)
    with pytest.raises(InvalidInputError, match=f"{dtype}.*Pass intensity_range"):
        denoise(lazy, model=gray_model)
    with pytest.raises(InvalidInputError, match="Pass intensity_range"):
        denoise(lazy, model=gray_model, range_of="image")


@pytest.mark.parametrize(
    ("lazy", "message"),
    [
        (da.zeros((3, 64, 64), dtype="uint8"), "with axes"),
        (da.zeros((64, 64), dtype=bool), "Masks"),
        (da.zeros((0, 64), dtype="uint8"), "empty"),
        (da.zeros((9, 9))[da.arange(9) > 3], "is unknown"),
    ],
    ids=["axes", "bool", "empty", "unknown shape"],
)
def test_unsupported_arrays_are_rejected_before_computing(lazy, message, gray_model):
    with pytest.raises(InvalidInputError, match=message):
        denoise(lazy, model=gray_model)


def test_infinite_values_raise_when_their_block_is_computed(gray_model):
    image = image_of((150, 150))
    image[140, 140] = np.inf
    lazy = denoise(
        da.from_array(image, chunks=64), model=gray_model, intensity_range=(0, 200)
    )
    assert np.isfinite(lazy[:64, :64].compute()).all()
    with pytest.raises(InvalidInputError, match="infinite"):
        lazy.compute()


def test_a_model_with_another_number_of_channels_is_rejected():
    model = random_checkpoint(in_channels=5)
    with pytest.raises(InvalidInputError, match="5 channels"):
        denoise(da.zeros((64, 64, 3), dtype="uint8"), model=model)


@pytest.mark.parametrize("tile_size", [0, -5, 1.5])
def test_the_tile_size_is_checked_before_computing(tile_size, gray_model):
    with pytest.raises(InvalidInputError, match="integer above 0"):
        denoise(
            da.zeros((64, 64), dtype="uint8"), model=gray_model, tile_size=tile_size
        )
