"""Reading ahead and writing behind keep the order, and lose no error."""

from __future__ import annotations

from threading import Event

import pytest

from napari_denoise_ae.files.overlap import read_ahead, write_behind


def test_the_next_item_is_read_before_it_is_asked_for():
    read_second = Event()

    def read(number: int) -> int:
        if number == 1:
            read_second.set()
        return 10 * number

    results = read_ahead(range(4), read)
    assert next(results) == (0, 0)
    assert read_second.wait(30)
    assert list(results) == [(1, 10), (2, 20), (3, 30)]


def test_an_item_is_written_while_the_next_is_computed():
    is_computing, written = Event(), []

    def compute():
        yield 0
        is_computing.set()
        yield 1

    def write(number: int) -> None:
        assert is_computing.wait(30)
        written.append(number)

    for n_written, _ in enumerate(write_behind(compute(), write), 1):
        assert written == list(range(n_written))
    assert written == [0, 1]


def test_nothing_to_do_is_fine():
    assert list(read_ahead([], int)) == []
    assert list(write_behind([], int)) == []


@pytest.mark.parametrize("stage", [read_ahead, write_behind])
def test_an_error_is_raised_where_it_belongs(stage):
    def work(number: int) -> None:
        if number == 2:
            raise OSError("disk full")

    finished = []
    with pytest.raises(OSError, match="disk full"):
        finished.extend(stage(range(5), work))
    steps = stage(range(5), work)
    assert [next(steps, None), next(steps, None)] == [*_first_two(stage)]
    with pytest.raises(OSError, match="disk full"):
        next(steps)


def _first_two(stage):
    return [(0, None), (1, None)] if stage is read_ahead else [None, None]


def test_what_has_been_handed_over_is_written_if_a_run_is_stopped():
    written = []
    steps = write_behind(range(5), written.append)
    next(steps)
    steps.close()
    assert written == [0]
