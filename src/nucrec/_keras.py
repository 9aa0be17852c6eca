"""The start of Keras, its global settings, and the seeds of its layers."""

import contextlib
import os
import random
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nucrec._quiet import without_log_lines
from nucrec.errors import NucrecError

if TYPE_CHECKING:
    from _thread import LockType

    import keras

_SETTINGS = {
    "TF_CPU_ALLOCATOR_USE_BFC": "1",  # keep the memory of one step for the next
    "TF_ENABLE_ONEDNN_OPTS": "1",  # oneDNN kernels, disabled by default on CPUs without AVX-512
}

_DEFAULTS = ("float32", 1e-7, "channels_last", False)
"""Keras's own floatx, epsilon and image data format; and that compiled functions run compiled."""

_DRAWING = threading.RLock()


def start_tensorflow() -> None:
    """Load TensorFlow without log output, with settings that make it faster on the CPU.

    By default, each step requests memory from the operating system and returns it, which can take
    as long as the computation, and older CPUs do not use the faster kernels. TensorFlow reads both
    settings and its log level at startup; if it has already started, or the user has made a choice,
    that is kept. The environment is restored.

    Raises
    ------
    NucrecError
        Keras uses another backend, or TensorFlow's eager execution is disabled.
    """
    try:
        if "tensorflow" not in sys.modules:
            _start()  # loads Keras, too
        import keras
    except (ImportError, ValueError) as error:  # raised by Keras if a backend is missing
        raise _backend_error(str(error)) from error
    if keras.config.backend() != "tensorflow":
        raise _backend_error(f"it computes with {keras.config.backend()}")
    if not sys.modules["tensorflow"].compat.v1.executing_eagerly_outside_functions():
        raise NucrecError(
            "networks need TensorFlow's eager execution, which has been switched off: leave out "
            "tf.compat.v1.disable_eager_execution() and disable_v2_behavior()"
        )


def _start() -> None:
    chosen = {name: value for name, value in _SETTINGS.items() if name not in os.environ}
    os.environ.update(chosen)
    try:
        with without_log_lines():
            import tensorflow as tf

            tf.config.list_logical_devices()  # starts it
            tf.constant(0)
    finally:
        for name in chosen:
            del os.environ[name]


def _backend_error(reason: str) -> NucrecError:
    return NucrecError(
        f"networks need Keras with TensorFlow, but {reason}: set KERAS_BACKEND=tensorflow, or "
        '"backend" in ~/.keras/keras.json'
    )


@contextlib.contextmanager
def keras_defaults(policy: str = "float32") -> Iterator[None]:
    """Use Keras's own defaults instead of the user's global settings, and restore those afterwards.

    Keras reads its global settings (``keras.json``, ``keras.config``) when layers, optimizers and
    metrics are created and when functions are traced. All code that creates, trains, loads or runs
    a network uses this block or is decorated with it. Blocks may be nested. TensorFlow is started.

    Parameters
    ----------
    policy : str, default="float32"
        The dtype policy of layers created in the block. Floats are float32, images are
        channels-last, epsilon is 1e-7, and compiled functions run as such.

    Raises
    ------
    NucrecError
        Keras uses another backend than TensorFlow.

    Notes
    -----
    A dtype policy belongs to a thread; all other settings belong to the process. The first of
    several simultaneous blocks, in any thread, saves the user's settings, and the last restores
    them. Meanwhile, other threads of the user and the user's functions called in the block see the
    settings of nucrec, and their changes are undone.

    Examples
    --------
    >>> import keras
    >>> with keras_defaults("mixed_bfloat16"):
    ...     keras.layers.Dense(1).compute_dtype
    'bfloat16'
    >>> keras.layers.Dense(1).compute_dtype
    'float32'
    """
    start_tensorflow()
    from keras import config

    before = config.dtype_policy()  # first: if none was set, the user's floatx decides
    _PROCESS.enter()
    try:
        config.set_dtype_policy(policy)
        yield
    finally:
        config.set_dtype_policy(before)
        _PROCESS.leave()


@dataclass
class _ProcessSettings:
    """The settings that all threads share."""

    lock: "LockType" = field(default_factory=threading.Lock)
    open_blocks: int = 0
    of_user: tuple[str, float, str, bool] = _DEFAULTS

    def enter(self) -> None:
        """Set the defaults; the first block saves the user's settings."""
        import tensorflow as tf
        from keras import config

        with self.lock:
            if self.open_blocks == 0:
                eagerly = tf.config.functions_run_eagerly()
                own = config.floatx(), config.epsilon(), config.image_data_format()
                self.of_user = *own, eagerly
            self.open_blocks += 1
            self._set(*_DEFAULTS)

    def leave(self) -> None:
        """Restore the user's settings if this was the last block."""
        with self.lock:
            self.open_blocks -= 1
            if self.open_blocks == 0:
                self._set(*self.of_user)

    def _set(self, floatx: str, epsilon: float, data_format: str, eagerly: bool) -> None:
        import tensorflow as tf
        from keras import config

        config.set_floatx(floatx)
        config.set_epsilon(epsilon)
        config.set_image_data_format(data_format)
        tf.config.run_functions_eagerly(eagerly)


_PROCESS = _ProcessSettings()


@contextlib.contextmanager
def layer_seeds(seed: int) -> Iterator[None]:
    """Derive the seeds of layers, and so their random weights, from a seed.

    Keras draws the seeds from Python's global generator, whose state is restored. Only one thread
    at a time is in such a block. If other threads draw from that generator meanwhile, they use the
    seed as well, and would change the weights.
    """
    with _DRAWING:
        state = random.getstate()
        random.seed(seed)
        try:
            yield
        finally:
            random.setstate(state)


def leaving_no_graph(optimizer: "keras.optimizers.Optimizer") -> "keras.optimizers.Optimizer":
    """Return the optimizer, changed so that the function that it is compiled into can be freed.

    Keras sums up the gradients of all replicas even where there is one. TensorFlow writes the gradient
    of that sum into a table of the process, which holds the whole graph for ever: 18 MB a training.
    """
    import tensorflow as tf

    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        optimizer._all_reduce_sum_gradients = lambda gradients_and_variables: (
            gradients_and_variables
        )
    return optimizer
