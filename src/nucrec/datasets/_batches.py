"""Batches of images, epoch by epoch, without loading the whole data set."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from nucrec._keras import start_tensorflow
from nucrec._pixels.intensity import OutputDtype
from nucrec._threads import ordered_map, workers_for
from nucrec._validation import check_int, check_seed, check_size, invalid
from nucrec.datasets._images import LazyImages, threads_for
from nucrec.datasets._plan import make_plan

if TYPE_CHECKING:
    import tensorflow as tf

Array = npt.NDArray[Any]
Batch = tuple[Array, Array]


class Augmentation(Protocol):
    """The augmentation that `ImageDataset.batches` accepts: a `nucrec.augment.Pipeline`."""

    def __call__(
        self,
        images: Sequence[Array],
        size: tuple[int, int] | None = None,
        *,
        ids: Sequence[str] | None = None,
        copy: int = 0,
    ) -> Any:
        """Return the augmented images, all resized to `size`."""


@dataclass
class Batches:
    """The batches of a data set for any epoch, with validated parameters."""

    images: LazyImages
    labels: Array
    ids: Array
    size: int | tuple[int, int]
    batch_size: int
    augment: Augmentation | None
    channels: int | None
    dtype: OutputDtype | None
    shuffle: bool
    random_state: int | None

    def __post_init__(self) -> None:
        check_size("size", self.size)
        check_int("batch_size", self.batch_size, low=1)
        if self.augment is not None and not callable(self.augment):
            raise invalid("augment", "a pipeline of nucrec.augment", self.augment)
        self.plan = make_plan(self.images.sources, self.size, self.channels, self.dtype)
        self.seed = check_seed("random_state", self.random_state)
        self.threads = threads_for(self.images)

    def __len__(self) -> int:
        return -(-len(self.labels) // self.batch_size)

    def epoch(self, number: int) -> Iterator[Batch]:
        """Yield the batches of an epoch."""
        order = self._order(number)
        starts = range(0, len(order), self.batch_size)

        def batch(start: int) -> Batch:
            chosen = order[start : start + self.batch_size]
            return self.plan.finish_all(self._resized(chosen, number)), self.labels[chosen]

        # of large ones one is interpolated while the values for the next are drawn
        height, width = self.plan.size
        at_once = 1 if self.augment is None else min(2, workers_for(height * width))
        yield from ordered_map(batch, starts, at_once)

    def to_tensorflow(self) -> "tf.data.Dataset":
        """Return a `tf.data.Dataset` whose passes are consecutive epochs."""
        start_tensorflow()
        import tensorflow as tf

        numbers = count()
        signature = (
            tf.TensorSpec((None, *self.plan.shape), tf.as_dtype(self.plan.dtype)),
            tf.TensorSpec((None,), tf.int64),
        )
        dataset = tf.data.Dataset.from_generator(
            lambda: self.epoch(next(numbers)), output_signature=signature
        )
        return dataset.apply(tf.data.experimental.assert_cardinality(len(self))).prefetch(2)

    def _order(self, epoch: int) -> Array:
        """Return the indices of the images, in order or shuffled for the epoch."""
        order = np.arange(len(self.labels))
        if self.shuffle:
            np.random.default_rng([self.seed, epoch]).shuffle(order)
        return order

    def _resized(self, chosen: Array, epoch: int) -> Any:
        """Return images resized and augmented for the epoch."""
        sources, size = self.plan.sources, self.plan.size
        if self.augment is None:
            return ordered_map(lambda i: sources[i].resized(size), chosen, self.threads)
        originals = list(ordered_map(lambda i: sources[i].read(), chosen, self.threads))
        return self.augment(originals, size, ids=self.ids[chosen].tolist(), copy=epoch)
