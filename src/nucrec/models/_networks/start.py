"""Starting TensorFlow."""

import os
import sys

from nucrec.errors import NucrecError

_SETTINGS = {
    "TF_CPU_ALLOCATOR_USE_BFC": "1",  # keep the memory of one step for the next
    "TF_ENABLE_ONEDNN_OPTS": "1",  # oneDNN's kernels, off by default on CPUs without AVX-512
}


def start_tensorflow() -> None:
    """Load TensorFlow, with settings that make it faster on the CPU.

    By default each step asks the operating system for its memory and gives it back, which can take as
    long as the work itself, and older CPUs are denied the faster kernels. TensorFlow reads both
    choices when it starts; where it was started before, or a choice was made, that stays. The
    environment is left as it was.

    Raises
    ------
    NucrecError
        Keras computes with something else.
    """
    try:
        if "tensorflow" not in sys.modules:
            _start()  # loads Keras, too
        import keras
    except (ImportError, ValueError) as error:  # Keras's, of a backend that is not there
        raise _backend_error(str(error)) from error
    if keras.config.backend() != "tensorflow":
        raise _backend_error(f"it computes with {keras.config.backend()}")


def _start() -> None:
    chosen = {name: value for name, value in _SETTINGS.items() if name not in os.environ}
    os.environ.update(chosen)
    try:
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
