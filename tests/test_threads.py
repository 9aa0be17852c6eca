"""Threads: they keep the order, begin no more than is asked for, and pass errors on."""

import threading
import time

import numpy as np
import pytest

from nucrec.augment import Intensity, Pipeline
from nucrec.datasets import ImageDataset
from nucrec.models import cnn


class Each(Intensity):
    """Call a function with each image."""

    def __init__(self, function) -> None:
        self.p = 1.0
        self.function = function

    def apply(self, image, values):
        self.function(image)
        return image


def batch(n: int, side: int) -> np.ndarray:
    """Return images of one value each: 0, 1, 2, ..."""
    return np.repeat(np.arange(n, dtype=np.uint8), side * side).reshape(n, side, side)


@pytest.mark.parametrize("n_jobs", [1, 2, 7])
def test_order_is_kept(n_jobs):
    slow = Pipeline([Each(lambda image: time.sleep(0.002 * float(image[0, 0] % 3)))])
    assert slow(batch(30, 2), n_jobs=n_jobs)[:, 0, 0].tolist() == list(range(30))


def test_as_many_threads_are_used_as_are_asked_for():
    together = threading.Barrier(3, timeout=600)
    Pipeline([Each(lambda _: together.wait())])(batch(3, 2), n_jobs=3)
    assert not together.broken


def test_small_images_are_changed_in_the_caller_s_thread():
    seen = set()
    Pipeline([Each(lambda _: seen.add(threading.get_ident()))])(batch(20, 60))
    assert seen == {threading.get_ident()}


@pytest.mark.parametrize("n_jobs", [1, 4])
def test_errors_come_through(n_jobs):
    with pytest.raises(ZeroDivisionError):
        Pipeline([Each(lambda image: 1 // (int(image[0, 0]) - 2))])(batch(5, 2), n_jobs=n_jobs)


@pytest.mark.parametrize("side", [20, 300])
def test_no_more_batches_are_begun_than_are_soon_asked_for(side):
    begun = []
    pipeline = Pipeline([Each(lambda image: begun.append(image[0, 0]))])
    images = ImageDataset(batch(40, side), np.arange(40) % 2)
    coming = images.batches(side, batch_size=1, augment=pipeline)
    next(iter(coming))
    assert 1 <= len(begun) <= 3


def test_errors_in_batches_that_are_made_ahead_end_the_training(crops):
    begun = []

    def fail_late(_: np.ndarray) -> None:
        begun.append(0)
        if len(begun) > 40:
            raise ZeroDivisionError

    network = cnn(image_size=16, epochs=1, batch_size=8, augment=Pipeline([Each(fail_late)]))
    with pytest.raises(ZeroDivisionError):
        network.fit(crops[::3])
    assert 40 < len(begun) < 102
