"""Starting TensorFlow."""

import os
import sys

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
    """
    if "tensorflow" in sys.modules:
        return
    chosen = {name: value for name, value in _SETTINGS.items() if name not in os.environ}
    os.environ.update(chosen)
    try:
        import tensorflow as tf

        tf.config.list_logical_devices()  # starts it
        tf.constant(0)
    finally:
        for name in chosen:
            del os.environ[name]
