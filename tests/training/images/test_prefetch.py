"""Reading ahead does not change results, and ends when it is told to."""

from __future__ import annotations

import threading
import time
from contextlib import closing

import pytest

from napari_denoise_ae.training.images.prefetch import read_ahead


def threads():
    return [t for t in threading.enumerate() if t.name == "read-ahead"]


def test_batches_come_in_order_whatever_the_timing():
    def read(number):
        time.sleep(0.002 * (number % 3))
        return number * 10

    batches = [[1, 2], [3], [], [4, 5, 6]]
    found = list(read_ahead(read, batches))
    assert found == [[10, 20], [30], [], [40, 50, 60]]
    assert threads() == []


def test_an_error_is_raised_in_place_of_its_batch():
    def read(number):
        if number == 3:
            raise ValueError("damaged")
        return number

    batches = read_ahead(read, [[1], [2], [3], [4]])
    assert [next(batches), next(batches)] == [[1], [2]]
    with pytest.raises(ValueError, match="damaged"):
        next(batches)
    assert threads() == []


def test_an_error_of_the_batches_is_raised():
    def batches():
        yield [1]
        raise ValueError("no more")

    found = read_ahead(str, batches())
    assert next(found) == ["1"]
    with pytest.raises(ValueError, match="no more"):
        next(found)


def test_only_a_few_batches_are_read_ahead():
    read, waited = [], threading.Event()

    def record(number):
        read.append(number)
        if number == 3:
            waited.set()

    with closing(read_ahead(record, ([n] for n in range(1000)))) as batches:
        next(batches)
        assert waited.wait(60)
        time.sleep(0.05)
        assert len(read) <= 6


def test_closing_ends_the_thread_within_a_batch():
    read, started, go_on = [], threading.Event(), threading.Event()

    def record(number):
        read.append(number)
        if number == 2:
            started.set()
            go_on.wait(60)

    batches = read_ahead(record, [[0], [1, 2, 3, 4], [5]])
    assert next(batches) == [None]
    assert started.wait(60)
    closer = threading.Thread(target=batches.close)
    closer.start()
    while not _is_stopped(batches):
        time.sleep(0.001)
    go_on.set()
    closer.join(60)
    assert read == [0, 1, 2]
    assert threads() == []


def _is_stopped(batches):
    frame = batches.gi_frame
    return frame is None or frame.f_locals["worker"]._stopped.is_set()


def test_closing_ends_a_thread_that_waits_for_its_consumer():
    batches = read_ahead(str, ([n] for n in range(1000)))
    next(batches)
    batches.close()
    assert threads() == []


def test_nothing_is_read_before_the_first_batch_is_asked_for():
    read_ahead(lambda _: pytest.fail("read"), [[1]])
    assert threads() == []
