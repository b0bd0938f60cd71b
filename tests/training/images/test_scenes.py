"""Copies of a picture are not divided between training and validation."""

from __future__ import annotations

import numpy as np
import pytest
from collections_of import write

from napari_denoise_ae.training.images.image import TrainingImage
from napari_denoise_ae.training.images.open import open_images
from napari_denoise_ae.training.images.pairs import match_pairs
from napari_denoise_ae.training.images.scenes import with_scenes, with_scenes_of
from napari_denoise_ae.training.images.split import split_images

RNG = np.random.default_rng(0)
PICTURES = [RNG.integers(0, 256, (40, 40), dtype=np.uint8) for _ in range(3)]


@pytest.fixture
def folder(tmp_path):
    """Three pictures; two of them again, under other names and in other formats."""
    write(tmp_path / "a.png", PICTURES[0])
    write(tmp_path / "b.png", PICTURES[1])
    write(tmp_path / "c.png", PICTURES[2])
    write(tmp_path / "d.tif", PICTURES[0])
    write(tmp_path / "e.png", PICTURES[0])
    return write(tmp_path / "f.tif", PICTURES[1]).parent


def test_copies_are_on_one_side_of_the_split(folder):
    images = with_scenes(open_images(folder))
    (note,) = images.notes
    assert note.startswith("Images with the same pixels are split alike")
    assert note.endswith(": a.png and d.tif and e.png, b.png and f.tif.")
    sides = set()
    for seed in range(8):
        train, val = split_images(images, 0.3, seed, side=8)
        numbers = {part.image for part in val}
        assert numbers | {part.image for part in train} == set(range(6))
        assert not numbers & {part.image for part in train}
        sides.add(frozenset(numbers))
    # a, d and e; b and f; or c.
    assert sides <= {frozenset({0, 3, 4}), frozenset({1, 5}), frozenset({2})}
    assert len(sides) > 1


def test_copies_of_one_picture_are_split_by_region():
    images = with_scenes(open_images([PICTURES[0], PICTURES[0].copy()]))
    train, val = split_images(images, 0.25, 0, side=8)
    rows = slice(0, 40)
    assert [part.region for part in train] == [(rows, slice(0, 30))] * 2
    assert [part.region for part in val] == [(rows, slice(30, 40))] * 2


def test_different_images_have_no_note_and_are_read_once(monkeypatch):
    reads = []
    read = TrainingImage.read_stored

    def counted(image, plane, region):
        reads.append(image.name)
        return read(image, plane, region)

    monkeypatch.setattr(TrainingImage, "read_stored", counted)
    images = with_scenes(open_images(PICTURES))
    assert not images.notes
    n_reads = len(reads)
    assert n_reads
    assert with_scenes(images).images[0].sha256 == images.images[0].sha256
    assert len(reads) == n_reads


def test_pairs_with_the_same_clean_image_are_on_one_side():
    noisy = {f"{n}": PICTURES[n % 2] + np.uint8(n) for n in range(4)}
    clean = {f"{n}": PICTURES[n % 2].copy() for n in range(4)}
    pairs = match_pairs(open_images(noisy), open_images(clean))
    known, _ = with_scenes_of(*pairs)
    assert known.notes == (
        "Images with the same clean image are split alike into training and "
        "validation: 0 and 2, 1 and 3.",
    )
    train, val = split_images(known, 0.1, 0, side=8)
    assert {part.image % 2 for part in train} != {part.image % 2 for part in val}
    assert len(train) == len(val) == 2
