"""Sharing work among the replicas of a `tf.distribute.Strategy`.

Every worker assembles the same complete batch, and each replica processes its own part. A single
device is a strategy of one replica, whose part is the whole batch.
"""

from collections.abc import Callable

import tensorflow as tf

from nucrec.errors import InvalidParameterError


def shared(
    strategy: tf.distribute.Strategy,
    function: Callable[..., tf.Tensor],
    *arrays: tf.Tensor,
) -> tf.Tensor:
    """Apply a function to the rows of arrays, a part of them on each replica, and return all results.

    Call it in a `tf.function`, outside the replicas. Each replica and each worker receives all
    rows.

    Parameters
    ----------
    strategy : tf.distribute.Strategy
        The strategy whose replicas do the work.
    function : callable
        The function from parts of the arrays, of shape (m, ...), to a matrix of shape (m, k),
        called once on each replica. If there are fewer rows than replicas, some replicas get a row
        of zeros.
    arrays : tensors of shape (n, ...)
        The complete batch.
    """
    replicas = strategy.num_replicas_in_sync
    n = tf.shape(arrays[0])[0]
    total = tf.maximum(n, replicas)
    filled = [_with_rows(array, total) for array in arrays]

    def one_replica() -> tf.Tensor:
        k = tf.distribute.get_replica_context().replica_id_in_sync_group
        start, stop = total * k // replicas, total * (k + 1) // replicas
        rows = function(*(array[start:stop] for array in filled))
        # a sum joins parts of different lengths, in order and exact to the last bit
        return tf.pad(rows, [[start, total - stop], [0, 0]])

    return strategy.reduce("SUM", strategy.run(one_replica), axis=None)[:n]


def average(strategy: tf.distribute.Strategy, variables: list[tf.Variable]) -> None:
    """Replace variables that each replica changed separately by their mean; call in a `tf.function`."""

    def one_replica() -> None:
        # read on the replica's own device, by which workers find each other's values
        here = [tf.identity(variable) for variable in variables]
        means = tf.distribute.get_replica_context().all_reduce("MEAN", here)
        for variable, mean in zip(variables, means, strict=True):
            variable.assign(mean)

    if variables and strategy.num_replicas_in_sync > 1:
        strategy.run(one_replica)


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Return whether this process writes files and shows progress."""
    return bool(strategy.extended.should_checkpoint)


def has_workers(strategy: tf.distribute.Strategy) -> bool:
    """Return whether this process is one of a cluster of workers."""
    resolver = strategy.cluster_resolver
    return resolver is not None and bool(resolver.cluster_spec())


def check_same(strategy: tf.distribute.Strategy, key: str) -> None:
    """Raise on all workers unless all have the same key, a hexadecimal number."""
    number = float(int(key[:8], 16))

    def mean() -> tf.Tensor:
        each = strategy.run(lambda: tf.constant(number, tf.float64))
        return strategy.reduce("MEAN", each, axis=None)

    if float(tf.function(mean)()) != number:
        raise InvalidParameterError(
            "strategy: the workers train with other parameters, images or versions than each other. "
            "Run the same script on the same data everywhere."
        )


def _with_rows(array: tf.Tensor, n: int | tf.Tensor) -> tf.Tensor:
    """Return an array padded with zeros to `n` rows."""
    missing = n - tf.shape(array)[0]
    return tf.pad(array, [[0, missing]] + [[0, 0]] * (len(array.shape) - 1))
