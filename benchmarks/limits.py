"""What the machine can do at best, measured in the run that it is compared with."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

_SIDE = 2048


def has_bfloat16() -> bool:
    """Tell whether the CPU multiplies bfloat16 by itself (Linux)."""
    info = Path("/proc/cpuinfo")
    flags = info.read_text(encoding="utf-8") if info.exists() else ""
    return "avx512_bf16" in flags or "amx_bf16" in flags


def products(n_operations: float, dtype: str = "float32") -> Callable[[], float]:
    """Return a function that returns the seconds of so many operations, done as matrix products."""
    import time

    a, b = (tf.cast(tf.random.normal((_SIDE, _SIDE)), dtype) for _ in range(2))

    def run() -> float:
        started = time.perf_counter()
        for _ in range(4):
            _ = tf.matmul(a, b).numpy()
        return (time.perf_counter() - started) / (4 * 2 * _SIDE**3) * n_operations

    return run


def copies(n_bytes: int) -> Callable[[], None]:
    """Return a function that copies so many bytes in memory."""
    source = np.ones(n_bytes, np.uint8)
    target = np.empty_like(source)

    def run() -> None:
        np.copyto(target, source)

    return run


@cache
def operations(model: keras.Model) -> float:
    """Return the additions and multiplications of a network for one image: its convolutions."""
    return sum(_of_layer(layer) for layer in _layers(model))


def _layers(model: keras.Model) -> list[Any]:
    found = []
    for layer in model.layers:
        found += _layers(layer) if isinstance(layer, keras.Model) else [layer]
    return found


def _of_layer(layer: Any) -> float:
    if not isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D):
        return 0.0
    # a weight is used once for each pixel of the result
    return float(2 * np.prod(layer.kernel.shape) * np.prod(layer.output.shape[1:3]))
