from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from collections_of import write
from noisy_sources import config_of, make_source, noisy_image
from synthetic import CPU

from napari_denoise_ae.errors import DatasetError
from napari_denoise_ae.training.images.open import open_images
from napari_denoise_ae.training.images.repeats import KeptOut
from napari_denoise_ae.training.sources.repeats import RepeatSource


def in_units(batch, values):
    """Return normalized values of a batch in relative intensities."""
    return batch.decode(values)


def test_a_frame_is_compared_with_the_mean_of_the_others():
    stack = np.stack([noisy_image(seed) for seed in range(4)])
    source = make_source("repeats", stack, augmentation="none", val_fraction=0.01)
    for batch in source.batches(1):
        noisy, target = in_units(batch, batch.noisy), batch.target
        # The sum of all frames does not depend on which of them is the input.
        total = (noisy + 3 * target) * batch.counted
        assert float(total.std()) > 0
        residual = (noisy - target).std()
        # sigma² + sigma² / 3
        expected = float(batch.told[0, 0]) * (4 / 3) ** 0.5
        assert float(residual) == pytest.approx(expected, rel=0.15)


def noise_frames(n_frames):
    """Return frames of noise."""
    rng = np.random.default_rng(0)
    return rng.normal(0.0, 1.0, (n_frames, 96, 128))


@pytest.mark.parametrize("n_frames", [2, 5])
def test_patches_that_are_kept_out_are_only_validated_with(n_frames):
    stack = noise_frames(n_frames)
    source = make_source("repeats", stack)
    # Patches of 16 x 16 pixels cover the frames.
    kept = source._kept_out.positions
    assert len(kept) == round(0.25 * n_frames * 48)
    assert source._plan.train == source._plan.val
    known = np.ones(stack.shape, bool)
    for each in kept:
        known[each.plane[0]][each.region] = False
    for each, patch in zip(kept, source._validation, strict=True):
        (frame,), region = each.plane, each.region
        first, extent = source._measured.scaling.limits_of(patch.number)
        found = patch.target[..., 0] * extent + first
        expected = np.where(patch.counted[..., 0], stack[frame][region], first)
        np.testing.assert_allclose(found, expected, atol=1e-5)
        # The next frame is compared with the rest.
        following = next(source._others(each))
        others = np.arange(n_frames) != following.plane[0]
        n_known = known[others].sum(axis=0)[region]
        total = (known * stack)[others].sum(axis=0)[region]
        target, is_known = source._read_target(following, stack[0][region][..., None])
        np.testing.assert_array_equal(is_known[..., 0], n_known > 0)
        np.testing.assert_allclose(target[..., 0], total / np.maximum(n_known, 1))


def test_of_several_stacks_one_is_kept_out_whole():
    stacks = [noise_frames(5), noise_frames(5)[::-1] + 1.0]
    source = RepeatSource(open_images(stacks, axes="TYX"), config_of(), CPU.device)
    plan = source._plan
    trained, validated = (
        {part.image for part in each} for each in (plan.train, plan.val)
    )
    assert trained ^ validated == {0, 1}
    assert source._kept_out.positions == ()


def test_at_most_eight_other_frames_are_read():
    stack = np.stack([noisy_image(seed) for seed in range(12)])
    source = make_source("repeats", stack)
    position = source._plan.validation()[0]
    others = [each.plane for each in source._others(position)]
    assert others == [((position.plane[0] + step) % 12,) for step in range(1, 9)]


def test_two_layers_are_repeats():
    images = open_images([noisy_image(0), noisy_image(1)])
    source = RepeatSource(images, config_of(), CPU.device)
    batch = next(source.batches(1))
    assert torch.isfinite(batch.target).all()
    assert source.name == "2 images"
    assert [fact.split()[:2] for fact in source.images] == [["image", n] for n in "12"]


def test_channels_are_normalized_on_their_own():
    bright = [10.0 * noisy_image(seed) + 500.0 for seed in range(2)]
    stack = np.stack([[noisy_image(0), bright[0]], [noisy_image(1), bright[1]]])
    images = open_images([stack], axes="TCYX")
    config = config_of(batch_size=8, val_fraction=0.01)
    source = RepeatSource(images, config, CPU.device)
    for batch in source.batches(1):
        levels = (batch.noisy - batch.target).std(dim=(1, 2, 3))
        assert float(levels.max()) < 2.0 * float(levels.min())


def test_motion_is_refused_with_the_figure():
    stack = np.stack([noisy_image(0), np.roll(noisy_image(1), 3, axis=1)])
    with pytest.raises(DatasetError, match=r"T=0 of .* and T=1 of .* differ by \d"):
        make_source("repeats", stack)


def test_slow_drift_is_refused():
    frames = [noisy_image(seed) + 1.5 * seed for seed in range(20)]
    with pytest.raises(DatasetError, match=r"T=0 of .* and T=19 of .* differ by"):
        make_source("repeats", np.stack(frames))


def test_the_same_frame_twice_is_refused():
    with pytest.raises(DatasetError, match="are the same image"):
        make_source("repeats", np.stack([noisy_image(0), noisy_image(0)]))
    with pytest.raises(DatasetError, match="are the same image"):
        make_source("repeats", np.stack([noisy_image(0)] * 2).astype(np.uint16))


def test_a_copy_among_many_frames_is_refused():
    stack = np.stack([noisy_image(seed) for seed in range(20)])
    stack[13] = stack[4]
    with pytest.raises(DatasetError, match=r"T=4 of .* and T=13 of .* same image"):
        make_source("repeats", stack)


def test_pixels_unknown_in_one_frame_are_compared_with_the_others():
    stack = np.stack([noisy_image(seed) for seed in range(3)])
    stack[1, :32] = np.nan
    source = make_source("repeats", stack, val_fraction=0.01)
    region = (slice(16, 48), slice(0, 32))
    position = replace(source._kept_out.positions[0], plane=(0,), region=region)
    source._kept_out = KeptOut([])
    target, known = source._read_target(position, stack[0][region][..., np.newaxis])
    assert known.all()
    np.testing.assert_allclose(target[..., 0], np.nanmean(stack[1:], axis=0)[region])


def test_frames_without_data_are_no_copies():
    stack = np.stack([noisy_image(seed) for seed in range(12)])
    stack[3] = stack[9] = np.nan
    assert make_source("repeats", stack).n_train == 1


def test_a_copied_stack_is_refused():
    stack = np.stack([noisy_image(seed) for seed in range(2)])
    images = open_images({"a": stack, "b": stack.copy()}, axes="TYX")
    with pytest.raises(DatasetError, match="a and b are the same image"):
        RepeatSource(images, config_of(), CPU.device)


def test_repeats_in_separate_files_are_watched(tmp_path):
    for number in range(2):
        write(tmp_path / f"{number}.tif", noisy_image(number))
    source = RepeatSource(open_images(tmp_path), config_of(), CPU.device)
    assert source.images[1].startswith("1.tif (96 x 128")
    source.require_unchanged()
    write(tmp_path / "1.tif", noisy_image(2))
    with pytest.raises(DatasetError, match=r"1\.tif has changed"):
        source.require_unchanged()


def test_hot_pixels_are_no_motion():
    stack = np.stack([noisy_image(seed) for seed in range(2)])
    stack[0, 40, 50] = stack[1, 70, 20] = 60_000.0
    assert next(make_source("repeats", stack).batches(1)).n_images == 2
