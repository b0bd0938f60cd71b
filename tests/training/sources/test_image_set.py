from __future__ import annotations

import pytest
import torch
from synthetic import CPU, image_set, small_config

from napari_denoise_ae.training.sources.image_set import ImageSetSource


@pytest.fixture
def source() -> ImageSetSource:
    return ImageSetSource(image_set(40), small_config(), CPU.device)


def keys(batches) -> list[bytes]:
    """Return the clean images of batches as bytes."""
    return [image.numpy().tobytes() for batch in batches for image in batch.target]


def test_an_epoch_has_each_training_image_once_in_random_order(source):
    first, second = (keys(source.batches(epoch)) for epoch in (1, 2))
    assert len(first) == source.n_train == 36
    assert sorted(first) == sorted(second)
    assert first != second
    assert len(list(source.batches(1))) == source.n_batches == 5


def test_no_validation_image_is_trained_on(source):
    trained, validated = keys(source.batches(1)), keys(source.validation())
    assert len(validated) == source.n_val == 4
    assert set(trained).isdisjoint(validated)


def test_epochs_and_validation_can_be_repeated(source):
    for batches in (lambda: source.batches(3), source.validation):
        first, again = (
            torch.cat([batch.noisy for batch in batches()]) for _ in range(2)
        )
        assert torch.equal(first, again)


def test_examples_are_the_first_validation_images(source):
    shown, batch = source.examples(2), next(source.validation())
    assert torch.equal(shown.target, batch.target[:2])
    assert shown.n_images == 2
