from __future__ import annotations

from synthetic import CPU

from napari_denoise_ae.training.seeds import Seeds, Stream


def test_every_stream_and_epoch_has_a_unique_seed():
    seeds = [
        Seeds(seed, CPU.device).derive(stream, epoch)
        for seed in (0, 1)
        for stream in Stream
        for epoch in range(5)
    ]
    assert len(set(seeds)) == len(seeds)


def test_seeds_do_not_change_between_versions():
    """Otherwise runs of older versions could not be resumed or reproduced."""
    seeds = Seeds(7, CPU.device)
    assert seeds.derive(Stream.WEIGHTS) == 6716045083268726496
    assert seeds.derive(Stream.DEAD_LEAVES, 3) == 2940550525007423869


def test_shuffle_is_a_different_permutation_in_every_epoch():
    seeds = Seeds(0, CPU.device)
    first, second = (seeds.shuffle(50, epoch).tolist() for epoch in (1, 2))
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second
    assert seeds.shuffle(50, 1).tolist() == first
