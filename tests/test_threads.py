"""Threads that keep the order."""

import threading
import time

import pytest

from nucrec._threads import ahead, available_cores, ordered_map, workers_for


@pytest.mark.parametrize("n_jobs", [1, 2, 7])
def test_order_is_kept(n_jobs):
    def work(i: int) -> int:
        time.sleep(0.002 * (i % 3))
        return i * i

    assert list(ordered_map(work, range(30), n_jobs)) == [i * i for i in range(30)]


def test_several_threads_are_used():
    barrier = threading.Barrier(3, timeout=20)
    assert len(list(ordered_map(lambda _: barrier.wait(), range(3), 3))) == 3


@pytest.mark.parametrize("n_jobs", [1, 3])
def test_no_more_is_begun_than_is_soon_asked_for(n_jobs):
    begun = []
    results = ordered_map(begun.append, range(1000), n_jobs)
    next(results)
    results.close()
    assert 1 <= len(begun) <= n_jobs + 1


@pytest.mark.parametrize("n_jobs", [1, 4])
def test_errors_come_through(n_jobs):
    with pytest.raises(ZeroDivisionError):
        list(ordered_map(lambda i: 1 // i, [1, 0, 1], n_jobs))


def test_small_images_get_one_thread():
    assert workers_for(60 * 60) == 1
    assert workers_for(1024 * 1024) == available_cores() >= 1


def test_the_next_item_is_made_while_one_is_in_use():
    made = [threading.Event() for _ in range(3)]

    def items():
        for i, event in enumerate(made):
            event.set()
            yield i

    for i in ahead(items()):
        if i + 1 < len(made):
            assert made[i + 1].wait(timeout=20)
    assert i == 2


def test_errors_of_items_made_ahead_come_in_their_turn():
    coming = ahead(1 // i for i in [1, 0])
    assert next(coming) == 1
    with pytest.raises(ZeroDivisionError):
        next(coming)
