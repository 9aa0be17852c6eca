"""Threads that keep the order."""

import threading
import time

import pytest

from nucrec._threads import available_cores, ordered_map, workers_for


@pytest.mark.parametrize("n_jobs", [1, 2, 7])
def test_order_is_kept(n_jobs):
    def work(i: int) -> int:
        time.sleep(0.002 * (i % 3))
        return i * i

    assert list(ordered_map(work, range(30), n_jobs)) == [i * i for i in range(30)]


def test_several_threads_are_used():
    barrier = threading.Barrier(3, timeout=20)
    assert len(list(ordered_map(lambda _: barrier.wait(), range(3), 3))) == 3


@pytest.mark.parametrize("n_jobs", [1, 4])
def test_errors_come_through(n_jobs):
    with pytest.raises(ZeroDivisionError):
        list(ordered_map(lambda i: 1 // i, [1, 0, 1], n_jobs))


def test_small_images_get_one_thread():
    assert workers_for(60 * 60) == 1
    assert workers_for(1024 * 1024) == available_cores() >= 1
