"""The user's own Keras callbacks, called in the same way as by `keras.Model.fit`."""

from collections.abc import Callable, Mapping, Sequence

import keras

Logs = Mapping[str, float]


class CallbackRunner:
    """Run the callbacks during one stage of the training, which they see as one training.

    The callbacks see the whole network as ``model``, with the optimizer of the stage. Setting
    ``model.stop_training`` ends the stage.

    Parameters
    ----------
    callbacks : sequence of keras.callbacks.Callback
        The callbacks; may be empty.
    network : keras.Model
        The network being trained.
    """

    def __init__(self, callbacks: Sequence[keras.callbacks.Callback], network: keras.Model) -> None:
        self._network = network
        self._list = keras.callbacks.CallbackList(list(callbacks)) if callbacks else None
        if self._list is not None:
            self._list.set_model(network)

    def begin(self, optimizer: keras.optimizers.Optimizer, *, epochs: int, steps: int) -> None:
        """Begin a stage."""
        if self._list is not None:
            self._network.optimizer = optimizer
            self._network.stop_training = False
            self._list.set_params({"epochs": epochs, "steps": steps, "verbose": 0})
            self._list.on_train_begin()

    def begin_epoch(self, epoch: int) -> None:
        """Begin an epoch."""
        if self._list is not None:
            self._list.on_epoch_begin(epoch)

    def begin_batch(self, number: int) -> None:
        """Begin a batch of the epoch, numbered from 0."""
        if self._list is not None:
            self._list.on_train_batch_begin(number)

    def end_batch(self, number: int, metrics: Callable[[], Logs]) -> bool:
        """End a batch, and return whether a callback wants the stage to end.

        `metrics` returns the metrics of the epoch so far.
        """
        if self._list is None:
            return False
        self._list.on_train_batch_end(number, metrics())
        return bool(self._network.stop_training)

    def end_epoch(self, epoch: int, logs: Logs) -> bool:
        """End an epoch, and return whether a callback wants the stage to end."""
        if self._list is None:
            return False
        self._list.on_epoch_end(epoch, logs)
        return bool(self._network.stop_training)

    def end(self, logs: Logs) -> None:
        """End a stage."""
        if self._list is not None:
            self._list.on_train_end(logs)
            self._network.optimizer = None
