"""Starting TensorFlow."""

import os
import sys

_POOLED = "TF_CPU_ALLOCATOR_USE_BFC"


def start_tensorflow() -> None:
    """Load TensorFlow and let it keep the memory of one step for the next.

    By default each step on the CPU asks the operating system for its memory and gives it back,
    which can take as long as the work itself. TensorFlow reads the choice when it starts; where it
    was started before, or a choice was made, that stays. The environment is left as it was.
    """
    if "tensorflow" in sys.modules or _POOLED in os.environ:
        return
    os.environ[_POOLED] = "1"
    try:
        import tensorflow as tf

        tf.config.list_logical_devices()  # starts it
        tf.constant(0)
    finally:
        del os.environ[_POOLED]
