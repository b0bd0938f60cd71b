from __future__ import annotations

import numpy as np
import pytest
import torch
from noisy_sources import (
    KINDS,
    SIGMA,
    clean_image,
    config_of,
    make_source,
    noisy_image,
    trainer_of,
)

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.training.batch import Batch
from napari_denoise_ae.training.images.patches import PatchReader
from napari_denoise_ae.training.sources.measured_patches import (
    require_plain_augmentation,
    turn,
)


def run(trainer):
    for _ in trainer.run():
        pass
    return trainer


@pytest.mark.parametrize("kind", KINDS)
def test_training_lowers_the_validation_loss(kind):
    trainer = run(trainer_of(kind, epochs=6, batches_per_epoch=20))
    losses = [result.val_loss for result in trainer.history]
    assert min(losses) < losses[0]
    assert trainer.has_truth == (kind == "pairs")
    assert np.isnan(trainer.history[0].val_psnr) == (kind != "pairs")
    assert trainer.checkpoint().record.noise.startswith("measured: noise has one level")


@pytest.mark.parametrize("kind", KINDS)
def test_the_seed_decides_and_epochs_differ(kind):
    first, again = make_source(kind), make_source(kind)
    for epoch in (1, 2):
        for one, other in zip(first.batches(epoch), again.batches(epoch), strict=True):
            assert torch.equal(one.noisy, other.noisy)
            assert torch.equal(one.target, other.target)
            assert torch.equal(one.counted, other.counted)
    one, other = next(first.batches(1)), next(first.batches(2))
    assert not torch.equal(one.target, other.target)
    for one, other in zip(first.validation(), again.validation(), strict=True):
        assert torch.equal(one.noisy, other.noisy)
    other_seed = next(make_source(kind, seed=1).batches(1))
    assert not torch.equal(next(again.batches(1)).target, other_seed.target)


@pytest.mark.parametrize("kind", KINDS)
def test_a_resumed_run_is_the_same(kind):
    whole = run(trainer_of(kind, epochs=2))
    begun = trainer_of(kind, epochs=2)
    for result in begun.run():
        if begun.history:
            break
        assert result.epoch == 1
    resumed = run(trainer_of(kind, begun.state(), epochs=2))
    assert [x.val_loss for x in resumed.history] == [x.val_loss for x in whole.history]
    for name, weights in whole.state().state_dict.items():
        assert torch.equal(weights, resumed.state().state_dict[name])


# Of repeats, patches of single frames are kept out, see test_repeats.py.
@pytest.mark.parametrize("kind", sorted({*KINDS} - {"repeats"}))
def test_no_validation_pixel_is_trained_on(kind, monkeypatch):
    source = make_source(kind, batches_per_epoch=20)
    assert len(source._plan.val) > 1
    read = []

    def record(reader, position):
        read.append(position)
        return original(reader, position)

    original = PatchReader.read
    monkeypatch.setattr(PatchReader, "read", record)
    list(source.batches(1))
    assert read
    for position in read:
        for val in source._plan.val:
            # Strips of columns are for validation.
            columns, kept = position.region[1], val.region[1]
            assert columns.stop <= kept.start or columns.start >= kept.stop


@pytest.mark.parametrize("kind", KINDS)
def test_patches_have_the_size_and_number_of_the_settings(kind):
    batches = list(make_source(kind, batch_size=3).batches(1))
    assert len(batches) == 4
    assert {tuple(batch.noisy.shape) for batch in batches} == {(3, 1, 32, 32)}
    assert {batch.n_images for batch in batches} == {3}
    assert {tuple(batch.told.shape) for batch in batches} == {(3, 3)}


@pytest.mark.parametrize("kind", KINDS)
def test_the_network_sees_what_denoise_shows_it(kind):
    source = make_source(kind)
    shown = source.examples(20)
    # About in 0 to 1, with the noise level that it is told.
    assert -0.5 < float(shown.noisy.min()) < 0.2
    assert 0.8 < float(shown.noisy.max()) < 1.5
    spread = np.ptp(np.percentile(noisy_image(), (1, 99)))
    assert float(shown.told[0, 0]) == pytest.approx(SIGMA / spread, rel=0.1)
    assert shown.decode is not None
    torch.testing.assert_close(
        shown.decode(shown.noisy), shown.noisy, rtol=0, atol=1e-4
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("missing", [np.nan, -9999.0])
def test_pixels_without_data_are_neither_shown_nor_compared(kind, missing):
    image = noisy_image()
    image[10:60, 20:100] = missing
    images = {
        "repeats": np.stack([image, noisy_image(1), noisy_image(2)]),
        "pairs": (image, clean_image()),
    }
    source = make_source(kind, images.get(kind, [image]), batches_per_epoch=10)
    for batch in [*source.batches(1), *source.validation()]:
        assert torch.isfinite(batch.noisy).all()
        assert torch.isfinite(batch.target).all()
        assert float(batch.noisy.abs().max()) < 3.0
        compared = torch.where(batch.counted, batch.target, 0.0)
        assert float(compared.abs().max()) < 4.0
    counted = torch.cat([batch.counted for batch in source.batches(1)])
    assert not counted.all()


def test_hot_pixels_are_neither_shown_nor_compared():
    image = noisy_image()
    image[5::16, 5::16] = 5000.0
    source = make_source("pairs", (image, clean_image()))
    for batch in source.batches(1):
        assert float(batch.noisy.max()) < 2.0
        assert not batch.counted.all()
        assert float(batch.counted.float().mean()) > 0.98


@pytest.mark.parametrize("kind", KINDS)
def test_networks_without_a_noise_level_see_an_intensity_range(kind):
    options = {"base_channels": 4, "in_channels": 1}
    source = make_source(kind, network="conv", network_options=options)
    batch = next(source.batches(1))
    assert batch.told is None
    assert 0.0 <= float(batch.noisy.min()) < float(batch.noisy.max()) <= 1.0


def test_images_are_turned_together_with_their_targets():
    count = torch.arange(64.0).reshape(4, 1, 4, 4)
    told = torch.tensor([[1.0, 2.0, 3.0]]).repeat(4, 1)
    batch = Batch(
        noisy=count, target=-count, n_images=4, told=told, counted=count % 5 > 0
    )
    seen = set()
    for seed in range(20):
        turned = turn(batch, "symmetries", torch.Generator().manual_seed(seed))
        assert torch.equal(turned.noisy, -turned.target)
        assert torch.equal(turned.counted, turned.noisy % 5 > 0)
        for image, values in zip(turned.noisy, turned.told, strict=True):
            is_transposed = abs(float(image[0, 0, 1] - image[0, 0, 0])) == 4
            expected = [1.0, 3.0, 2.0] if is_transposed else [1.0, 2.0, 3.0]
            assert values.tolist() == expected
            seen.add((is_transposed, int(image[0, 0, 0]) % 16))
    assert len(seen) == 8
    flipped = turn(batch, "flip", torch.Generator().manual_seed(0))
    assert torch.equal(flipped.noisy, -flipped.target)
    assert turn(batch, "none", torch.Generator()) is batch


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"augmentation": "dead-leaves"}, "'dead-leaves' needs clean images"),
        ({"zoom": 2.0}, "A zoom of 2 would change the noise"),
    ],
)
def test_augmentations_that_change_the_noise_are_refused(changes, message):
    with pytest.raises(InvalidInputError, match=message):
        require_plain_augmentation(config_of(**changes))
    with pytest.raises(InvalidInputError, match=message):
        make_source("noise2void", **changes)
